// Who this phone is: an Ed25519 key that the browser keeps and never gives out (appliance/shelf/phones/facts.py).

import { bytesOf, hex } from "./log.js";

/** @typedef {import("./types.js").Phone} Phone */
/** @typedef {import("./line/hub.js").Hub} Hub */

const CURVE = { name: "Ed25519" };
const text = new TextEncoder();

/** True where a page may keep a key and see a camera: over TLS, or on the machine itself. */
export const canBePhone = () => globalThis.isSecureContext === true && Boolean(globalThis.crypto?.subtle) && Boolean(globalThis.indexedDB);

/**
 * A new key, and the name that follows from it.
 * @returns {Promise<{ key: CryptoKey, public_key: string, device: string }>}
 * @throws {DOMException} NotSupportedError where the browser has no Ed25519
 */
export async function newKey() {
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]));
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  const digest = hex(await crypto.subtle.digest("SHA-256", raw));
  return { key: pair.privateKey, public_key: hex(raw), device: `phone-${digest.slice(0, 16)}` };
}

/** @param {CryptoKey} key */
export const signer = (key) => (/** @type {Uint8Array<ArrayBuffer>} */ message) => crypto.subtle.sign(CURVE, key, message);

/**
 * Checks signatures of a phone's own log.
 * @param {string} publicKey hex
 */
export async function verifier(publicKey) {
  const key = await crypto.subtle.importKey("raw", bytesOf(publicKey), CURVE, false, ["verify"]);
  return (/** @type {Uint8Array<ArrayBuffer>} */ message, /** @type {Uint8Array<ArrayBuffer>} */ signature) =>
    crypto.subtle.verify(CURVE, key, signature, message);
}

/**
 * Enrol this phone at the hub: with an invitation's token, or for the person who is signed in, in `role`.
 * The same key again is the same phone.
 * @param {Hub} hub
 * @param {{ token?: string, name?: string, role?: string }} asked
 * @returns {Promise<Phone>} to be kept by keep/store.js
 */
export async function enrol(hub, { token = "", name = "", role = "" }) {
  const made = await newKey();
  const proof = hex(await signer(made.key)(joined("tallyman phone enrolment v1\0", bytesOf(made.public_key), token)));
  const told = await hub.post("/api/v1/shelf/phones", { public_key: made.public_key, proof, token, name, role });
  return {
    device: told.phone, person: told.owner, label: told.name, roles: [told.role], public_key: made.public_key, key: made.key, until_us: 0,
  };
}

/**
 * Let in again by the key, without a password.
 * @param {Hub} hub
 * @param {Phone} phone
 */
export async function openSession(hub, phone) {
  await hub.post(`/api/v1/shelf/phones/${phone.device}/session`, await proofOf(hub, phone));
}

/**
 * A fresh signature that this is the phone.
 * @param {Hub} hub
 * @param {Phone} phone
 * @returns {Promise<{ challenge: string, signature: string }>}
 */
export async function proofOf(hub, phone) {
  const { challenge } = await hub.get(`/api/v1/shelf/phones/${phone.device}/challenge`);
  const message = joined("tallyman phone session v1\0", text.encode(phone.device), `\0${challenge}`);
  return { challenge, signature: hex(await signer(phone.key)(message)) };
}

/** @param {string} purpose @param {Uint8Array} middle @param {string} end */
function joined(purpose, middle, end) {
  return new Uint8Array([...text.encode(purpose), ...middle, ...text.encode(end)]);
}
