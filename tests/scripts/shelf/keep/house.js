// A shelf for stories: two products, three batches, a phone that writes.

import { GENESIS, nextEntry } from "/static/shelf/keep/log.js";

export const TODAY = "2026-11-22";
export const WATER = "06933132577789", JUICE = "06901555164282";
export const EARLY = { supplier: "ACME", gtin: WATER, lot: "EARLY" };
export const LATE = { supplier: "ACME", gtin: WATER, lot: "LATE" };
export const JUICES = { supplier: "FARM", gtin: JUICE, lot: "J-1" };

/** @param {object} [more] */
export const snapshot = (more = {}) => ({
  version: 40, at_us: 1_795_000_000_000_000, today: TODAY, zone: "Asia/Shanghai", site: "S", limits: { warn: 30, freeze: 15, pull: 7 },
  products: [
    {
      gtin: WATER, name: "Water 0.5 l", unit: "", sku: "W-05", codes: [{ gtin: WATER, units: 1 }, { gtin: "16933132577786", units: 12 }],
      suppliers: ["ACME"], price: null, reorder: null, places: ["A-01"],
      batches: [
        { supplier: "ACME", lot: "LATE", expiry: "2027-05-31", cells: [{ location: "A-01-2", free: 9, held: 0, inspection: 0 }], holds: [] },
        {
          supplier: "ACME", lot: "EARLY", expiry: "2026-12-10", holds: [],
          cells: [{ location: "A-01-1", free: 5, held: 3, inspection: 2 }, { location: "B-02-1", free: 1, held: 0, inspection: 0 }],
        },
      ],
    },
    {
      gtin: JUICE, name: "苹果汁 Apple juice", unit: "carton", sku: "", codes: [{ gtin: JUICE, units: 1 }], suppliers: ["FARM"], price: null,
      reorder: null, places: ["B-02-1"], limits: { warn: 90, freeze: 0, pull: 0 },
      batches: [{ supplier: "FARM", lot: "J-1", expiry: "2027-01-31", cells: [{ location: "A-01-1", free: 4, held: 0, inspection: 0 }], holds: [] }],
    },
  ],
  suppliers: [{ id: "ACME", name: "Acme Foods", contact: "Li", phone: "+8621555", email: "" }], holds: [], tickets: [],
  locations: ["A-01-1", "A-01-2", "B-02-1"], base: 0, gone: [], roles: ["operator"], seen: {}, words: {}, ...more,
});

/** A phone that writes one entry after the other. */
export async function phone(device = "phone-7", by = "Mei") {
  const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
  const written = [];
  let head = { device, seq: 0, hash: GENESIS };
  return {
    written,
    get head() {
      return head;
    },
    verify: (message, signature) => crypto.subtle.verify("Ed25519", pair.publicKey, signature, message),
    async writes(kind, body) {
      const entry = await nextEntry(head, kind, body, 1_795_000_001_000_000 + head.seq, by, (message) => crypto.subtle.sign("Ed25519", pair.privateKey, message));
      head = { device, seq: entry.seq, hash: entry.hash };
      written.push(entry);
      return entry;
    },
  };
}
