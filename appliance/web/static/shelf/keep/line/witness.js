// A second place that remembers how far the log was: finds a store that was cut at its end, put back from
// a copy, or cleared by the browser. Written after the store, so it is never ahead of it in an honest run.

import { faultIn } from "../log.js";
import { verifier } from "../phone.js";

/** @typedef {{ device: string, seq: number, sent: number }} Witness */

const KEY = "tallyman-shelf-head";

/** @returns {Witness | null} */
export function recalled() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null");
  } catch {
    return null; // Storage is shut, or somebody wrote into it: no witness.
  }
}

/** @param {Witness | null} witness null: forget */
export function remember(witness) {
  try {
    if (witness) localStorage.setItem(KEY, JSON.stringify(witness));
    else localStorage.removeItem(KEY);
  } catch {
    // A full or shut storage costs the witness, not the log.
  }
}

/**
 * Where this phone's log stops holding together: against itself, its key, and the witness.
 * @param {import("../store.js").Store} store
 * @param {import("../types.js").Phone | null} phone
 * @returns {Promise<{ code: string, seq: number } | null>}
 */
export async function faultHere(store, phone) {
  const { head, expected, entries } = await store.whole(), known = recalled();
  if (!phone || !head) return null;
  if (known?.device === head.device && known.seq > head.seq) return { code: "log_cut", seq: head.seq + 1 };
  const first = entries[0]?.seq ?? head.seq + 1;
  if (first > expected && head.seq >= expected) return { code: "log_gap", seq: expected };
  return faultIn(entries, { ...head, device: phone.device }, await verifier(phone.public_key));
}

/**
 * The browser cleared the store: what went with it. Nothing is kept that could be settled.
 * @param {number} at_us
 * @returns {import("../types.js").Trouble[]}
 */
export function clearedTrouble(at_us) {
  const known = recalled();
  if (!known) return [];
  const params = { written: known.seq, lost: Math.max(0, known.seq - known.sent) };
  return [{ id: "keep_cleared", at_us, code: "keep_cleared", params, seq: known.seq, seen: false }];
}
