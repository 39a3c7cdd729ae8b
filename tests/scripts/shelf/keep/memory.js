// A phone's store without a disk, that several tabs may have open; what keep/store.js promises to keep/keep.js.

import { HeadMoved } from "/static/shelf/keep/store.js";
import { GENESIS } from "/static/shelf/keep/log.js";
import { NEVER } from "/static/shelf/keep/pure/clock.js";
import { pack } from "/static/shelf/keep/pure/list.js";
import { snapshot } from "./house.js";

// What a browser's page has, and Node has not.
globalThis.window ??= globalThis;
globalThis.navigator ??= { onLine: true };

/** An enrolled phone that holds a list. @param {object} [more] of the snapshot */
export async function memory(more) {
  const { privateKey } = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
  const phone = { device: "phone-7", person: "Mei", label: "", roles: ["operator"], public_key: "", key: privateKey, until_us: 0 };
  const list = await pack({ snapshot: snapshot(more), etag: "", finds: [] });
  const kept = { contact: { ...NEVER }, head: { device: phone.device, seq: 0, hash: GENESIS }, log: [], troubles: [], photos: new Map(), refused: new Set() };
  const waiting = () => [...kept.photos.keys()].filter((sha256) => !kept.refused.has(sha256));
  return {
    kept,
    phone: async () => phone,
    contact: async () => kept.contact,
    changeContact: async (change) => (kept.contact = { ...kept.contact, ...change }),
    changePhone: async (_device, change) => Object.assign(phone, change),
    list: async () => [list],
    troubles: async () => kept.troubles,
    addTroubles: async (troubles) => void kept.troubles.push(...troubles),
    head: async () => kept.head,
    devices: async () => (kept.log.length ? [phone.device] : []),
    byToken: async () => undefined,
    entries: async (_device, from = 0, most = Infinity) => kept.log.filter((entry) => entry.seq >= from).slice(0, most),
    clear: async (_device, upTo) => void (kept.log = kept.log.filter((entry) => entry.seq > upTo)),
    append: async (head, entries, photos) => {
      if (head.hash !== kept.head.hash) throw new HeadMoved("Another tab wrote in between");
      const last = entries.at(-1);
      kept.log.push(...entries);
      kept.head = { device: last.device, seq: last.seq, hash: last.hash, carried: head.carried };
      for (const photo of photos) kept.photos.set(photo.sha256, photo);
    },
    pictures: {
      waiting: async () => waiting(),
      refused: async () => [...kept.refused],
      one: async (sha256) => kept.photos.get(sha256),
      sent: async (sha256) => void kept.photos.delete(sha256),
      refuse: async (sha256) => void kept.refused.add(sha256),
      again: async () => kept.refused.clear(),
      count: async () => ({ photos: waiting().length, refused: kept.refused.size }),
    },
  };
}
