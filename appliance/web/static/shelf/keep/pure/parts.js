// Entries go to the hub in parts that it reads from anybody: of a revoked phone, whom it knows no more,
// it reads little more than a megabyte at once (appliance/web/uploads.py).

/** @typedef {import("../types.js").Entry} Entry */

export const MOST_BYTES = 512 * 1024;

/**
 * @param {Entry[]} entries
 * @param {number} [most] bytes as JSON
 * @returns {Entry[]} as many of the first as have room, one at least
 */
export function firstPart(entries, most = MOST_BYTES) {
  const coder = new TextEncoder();
  let size = 0;
  const end = entries.findIndex((entry) => (size += coder.encode(JSON.stringify(entry)).length + 1) > most);
  return end < 0 ? entries : entries.slice(0, Math.max(1, end));
}
