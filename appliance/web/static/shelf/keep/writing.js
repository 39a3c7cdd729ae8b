// Entries into the log: chained, signed, and on the disk before anybody is told.

import { KeepError } from "./errors.js";
import { alone } from "./line/tabs.js";
import { hex, nextEntry } from "./log.js";
import { signer } from "./phone.js";
import { HeadMoved, StorageFull } from "./store.js";

/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Kind} Kind */
/** @typedef {import("./types.js").Body} Body */
/** @typedef {{ kind: Kind, body: Body, token?: string, photos?: Blob[] }} Wish */
/** @typedef {import("./store.js").Photo} Photo */
/** @typedef {import("./stock.js").Stock} Stock */

/**
 * All of `wishes`, in one transaction. What was written under the same tokens before is given back instead.
 * @param {{ store: import("./store.js").Store, phone: import("./types.js").Phone, stock: (head: number) => Promise<Stock | null>, at_us: number }} from
 *   `stock`: as it stands after the log's entry of that number
 * @param {Wish[]} wishes
 * @returns {Promise<{ written: Entry[], fresh: Entry[] }>} `fresh`: with those that were put before, for the chain
 * @throws {KeepError | import("./pure/canonical.js").BadValue}
 */
export function writeAll(from, wishes) {
  return alone("log", async () => {
    const before = await Promise.all(wishes.map((wish) => (wish.token ? from.store.byToken(wish.token) : undefined)));
    if (before.every((entry) => entry !== undefined)) return { written: before.map(bare), fresh: [] };
    const photos = await Promise.all(wishes.map((wish) => photosOf(wish.photos ?? [])));
    for (;;) {
      const head = await from.store.head();
      if (!head || head.device !== from.phone.device) throw new KeepError("keep_not_enrolled");
      const made = await chain(from, await from.stock(head.seq), head, wishes, photos);
      try {
        await from.store.append(made.head, made.kept, photos.flat());
      } catch (error) {
        if (error instanceof HeadMoved) continue;
        throw error instanceof StorageFull ? new KeepError("keep_full", { cause: error }) : error;
      }
      const fresh = made.kept.map(bare);
      return { written: fresh.slice(-wishes.length), fresh };
    }
  });
}

/**
 * @param {Parameters<typeof writeAll>[0]} from
 * @param {Stock | null} stock
 * @param {import("./types.js").Head} head
 * @param {Wish[]} wishes
 * @param {Photo[][]} photos of each
 */
async function chain({ phone, at_us }, stock, head, wishes, photos) {
  const sign = signer(phone.key), told = stock?.snapshot;
  /** @type {{ kind: Kind, body: Body, token?: string }[]} */
  const said = wishes.map(({ kind, body, token }, number) => ({ kind, body: withPhotos(filled(body, kind, stock), photos[number] ?? []), token }));
  // The first of a log, and of every trip after the phone has heard: what it knew when it wrote this.
  if (told && head.carried !== told.version) said.unshift({ kind: "carried", body: { version: told.version, seen: told.seen } });
  /** @type {import("./store.js").KeptEntry[]} */
  const kept = [];
  let last = head;
  for (const { kind, body, token } of said) {
    const entry = await nextEntry(last, kind, body, at_us, phone.person, sign);
    kept.push(token ? { ...entry, token } : entry);
    last = entry;
  }
  return { head: { ...head, carried: told?.version ?? head.carried ?? 0 }, kept };
}

/** What was expected is what stands here as this is written. @param {Body} body @param {Kind} kind @param {Stock | null} stock */
const filled = (body, kind, stock) =>
  kind === "counted" && body.expected === undefined ? { ...body, expected: stock?.expected(body.batch, body.location) ?? 0 } : body;

/** @param {Body} body @param {Photo[]} photos */
const withPhotos = (body, photos) => (photos.length ? { ...body, photos: photos.map((photo) => photo.sha256) } : body);

/** @param {Blob[]} pictures @returns {Promise<Photo[]>} */
const photosOf = (pictures) =>
  Promise.all(
    pictures.map(async (picture) => {
      const bytes = await picture.arrayBuffer();
      return { sha256: hex(await crypto.subtle.digest("SHA-256", bytes)), bytes };
    }),
  );

/** An entry as it is sent. @param {import("./store.js").KeptEntry} kept @returns {Entry} */
export function bare({ device, seq, at_us, by, kind, body, previous, hash, signature }) {
  return { device, seq, at_us, by, kind, body, previous, hash, signature };
}
