// The chain of what a phone writes (contracts/device_log.py), pure: who signs and hashes is given.

import { canonical } from "./pure/canonical.js";

/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Head} Head */
/** @typedef {import("./types.js").Body} Body */

export const GENESIS = "0".repeat(64);
const PURPOSE = new TextEncoder().encode("tallyman offline log entry v1\0");

/** @param {ArrayBuffer | Uint8Array} bytes */
export const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {string} text */
export const bytesOf = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** @param {Uint8Array<ArrayBuffer>} bytes */
const sha256 = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

/**
 * What an entry's hash must be: the SHA-256 of its canonical JSON without hash and signature, hex.
 * @param {Omit<Entry, "hash" | "signature">} entry
 * @returns {Promise<string>}
 */
export function hashOf({ device, seq, at_us, by, kind, body, previous }) {
  const text = canonical({ v: 1, device, seq, at_us, by, kind, body, previous });
  return sha256(new TextEncoder().encode(text));
}

/**
 * What is signed of an entry: the purpose, then the 32 bytes of its hash.
 * @param {string} hash hex
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function signedBytes(hash) {
  const said = bytesOf(hash), message = new Uint8Array(PURPOSE.length + said.length);
  message.set(PURPOSE);
  message.set(said, PURPOSE.length);
  return message;
}

/**
 * The entry after `head`. Nothing is kept: keep/store.js writes it and the new head in one transaction.
 * @param {Head} head of the device's log; `seq` 0 and `GENESIS` before its first entry
 * @param {import("./types.js").Kind} kind
 * @param {Body} body integers, strings, lists and objects only
 * @param {number} at_us microseconds since 1970 by the phone's clock
 * @param {string} by who holds the phone
 * @param {(message: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>} sign Ed25519 (RFC 8032)
 * @returns {Promise<Entry>}
 * @throws {import("./pure/canonical.js").BadValue}
 */
export async function nextEntry(head, kind, body, at_us, by, sign) {
  const said = { device: head.device, seq: head.seq + 1, at_us, by, kind, body, previous: head.hash };
  const hash = await hashOf(said);
  return { ...said, hash, signature: hex(await sign(signedBytes(hash))) };
}

/**
 * Where a log stops holding together: the first number that is missing, changed, or not signed by its device.
 * @param {Entry[]} entries of one device, by number; entries before them may have been sent and cleared
 * @param {Head} head where the log ends
 * @param {((message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) => Promise<boolean>) | null} verify null: hashes only
 * @returns {Promise<{ code: "log_gap" | "log_changed" | "log_unsigned" | "log_cut", seq: number } | null>}
 */
export async function faultIn(entries, head, verify = null) {
  let before = null;
  for (const entry of entries) {
    if (before && entry.seq !== before.seq + 1) return { code: "log_gap", seq: before.seq + 1 };
    const follows = before ? entry.previous === before.hash : entry.seq > 1 || entry.previous === GENESIS;
    if (!follows || entry.device !== head.device || !(await holds(entry))) return { code: "log_changed", seq: entry.seq };
    if (verify && !(await verify(signedBytes(entry.hash), bytesOf(entry.signature)))) return { code: "log_unsigned", seq: entry.seq };
    before = entry;
  }
  const last = before ?? head;
  if (last.seq < head.seq) return { code: "log_cut", seq: last.seq + 1 };
  return last.seq > head.seq || last.hash !== head.hash ? { code: "log_changed", seq: last.seq } : null;
}

/** @param {Entry} entry */
async function holds(entry) {
  try {
    return (await hashOf(entry)) === entry.hash;
  } catch {
    return false; // What has no canonical text was never hashed.
  }
}
