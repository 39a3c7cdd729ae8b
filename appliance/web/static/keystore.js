// A person's signing key: made here, kept in this browser's IndexedDB, never given out.

/** @typedef {{ person: string, keyId: string, privateKey: CryptoKey }} Kept */

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const HASHED = { name: "ECDSA", hash: "SHA-256" };

/** @param {ArrayBuffer | Uint8Array} bytes */
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {string} text */
const bytesOf = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** True where the browser lets a page sign: over TLS, or on this machine itself. */
export const canSign = () => window.isSecureContext && Boolean(window.crypto?.subtle) && Boolean(window.indexedDB);

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("tallyman-signing", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("keys", { keyPath: "person" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(keys: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T>}
 */
async function kept(mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const work = database.transaction("keys", mode);
      const asked = act(work.objectStore("keys"));
      work.oncomplete = () => resolve(asked.result);
      work.onabort = () => reject(work.error);
    });
  } finally {
    database.close();
  }
}

/**
 * @param {string} person
 * @returns {Promise<Kept | undefined>}
 */
export const keyOf = (person) => kept("readonly", (keys) => keys.get(person));

/** @param {Kept} key */
export const keep = (key) => kept("readwrite", (keys) => keys.put(key));

/**
 * A new key pair: the public half to register, and its own signature that proves that it is here.
 * @param {string} person
 * @param {string} purpose hex of what goes before the person's name
 */
export async function newKey(person, purpose) {
  const pair = await crypto.subtle.generateKey(CURVE, false, ["sign"]);
  const spki = await crypto.subtle.exportKey("spki", pair.publicKey);
  return { privateKey: pair.privateKey, publicKey: hex(spki), proof: await sign(pair.privateKey, purpose, person) };
}

/**
 * @param {CryptoKey} key
 * @param {string} purpose hex of what goes before the text
 * @param {string} text
 * @returns {Promise<string>} r and s side by side, hex
 */
export async function sign(key, purpose, text) {
  const before = bytesOf(purpose), said = new TextEncoder().encode(text);
  const message = new Uint8Array(before.length + said.length);
  message.set(before);
  message.set(said, before.length);
  return hex(await crypto.subtle.sign(HASHED, key, message));
}
