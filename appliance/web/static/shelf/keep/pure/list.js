// The hub's list on its way into the phone's store: packed, and renewed by what changed. Pure but for the packing.

/** @typedef {import("../../types.js").Snapshot} Snapshot */
/** @typedef {import("../../types.js").FindList} FindList */
/** @typedef {{ snapshot: Snapshot, etag: string, finds: FindList[] }} List `snapshot` is whole, or a change of the list before */

/**
 * What is kept as one value, a tenth of its size.
 * @param {List} list
 * @returns {Promise<ArrayBuffer>}
 */
export function pack(list) {
  const text = new Blob([JSON.stringify(list)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(text).arrayBuffer();
}

/** @param {ArrayBuffer} packed @returns {Promise<List>} */
function unpack(packed) {
  const text = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(text).json();
}

/**
 * A list and the changes that were kept after it. A change that does not follow ends it: the hub gives the rest again.
 * @param {ArrayBuffer[]} packed in the order in which they came
 * @returns {Promise<List | null>}
 */
export async function unpackAll(packed) {
  /** @type {List | null} */
  let list = null;
  for (const each of await Promise.all(packed.map(unpack))) {
    const snapshot = renewed(list?.snapshot ?? null, each.snapshot);
    if (!snapshot) break;
    list = { ...each, snapshot };
  }
  return list;
}

/**
 * A snapshot renewed by what changed since; null where `change` does not follow it: fetch all of it.
 * @param {Snapshot | null} kept
 * @param {Snapshot} change whole (`base` 0), or what changed since `base`
 * @returns {Snapshot | null}
 */
export function renewed(kept, change) {
  if (!change.base) return change;
  if (!kept || kept.version !== change.base || String(kept.roles) !== String(change.roles)) return null;
  const gone = new Set(change.gone);
  /** @template T @param {T[]} old @param {T[]} fresh @param {(item: T) => string} key @param {string} [what] */
  const merged = (old, fresh, key, what = "") => {
    const all = new Map(old.map((item) => [key(item), item]));
    for (const item of fresh) all.set(key(item), item);
    return [...all].filter(([name]) => !what || !gone.has(`${what}:${name}`)).map(([, item]) => item);
  };
  return {
    ...change,
    base: 0,
    gone: [],
    products: merged(kept.products, change.products, (each) => each.gtin, "product"),
    holds: merged(kept.holds, change.holds, (each) => each.id, "hold"),
    tickets: merged(kept.tickets, change.tickets, (each) => each.id, "ticket"),
    suppliers: merged(kept.suppliers, change.suppliers, (each) => each.id),
    locations: change.locations.length ? change.locations : kept.locations,
    seen: { ...kept.seen, ...change.seen },
    words: { ...kept.words, ...change.words },
  };
}
