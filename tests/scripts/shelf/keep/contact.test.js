import assert from "node:assert/strict";
import { test } from "node:test";

import { contact } from "/static/shelf/keep/line/exchange.js";
import { HubError } from "/static/shelf/keep/line/hub.js";
import { NEVER } from "/static/shelf/keep/pure/clock.js";
import { Store } from "/static/shelf/keep/store.js";

/** A page whose store holds `kept`; the hub answers who asks after `meanwhile`. */
function page(kept, meanwhile) {
  const keep = {
    phone: { device: "phone-old", until_us: 0, roles: [] }, contact: { ...NEVER, expected: 5 }, list: null, state: { locked: false, troubles: [] },
    clock: () => 1000, tell: () => {},
    hub: { csrf: "", renew: async () => false, get: async () => (meanwhile(keep), { phone: "phone-old", now_us: 1000, roles: ["operator"], csrf: "c", offline_until_us: 9 }) },
    store: {
      changeContact: async (change) => (kept.contact = { ...kept.contact, ...change }),
      changePhone: async (device, change) => (kept.phone.device === device ? (kept.phone = { ...kept.phone, ...change }) : null),
      pictures: { waiting: async () => { throw new HubError(0, "offline", "The hub was not reached"); } },
    },
  };
  return keep;
}

test("a phone that is enrolled anew while the hub is asked does not get its old name back", async () => {
  const kept = { phone: { device: "phone-old" }, contact: { ...NEVER } };
  const keep = page(kept, (open) => {
    kept.phone = { device: "phone-new" };
    open.phone = kept.phone;
  });
  await assert.rejects(contact(keep), /enrolled anew/);
  assert.deepEqual([kept.phone, keep.phone], [{ device: "phone-new" }, { device: "phone-new" }]);
});

test("a tab that slept turns nothing back that another one heard of the log", async () => {
  const kept = { phone: { device: "phone-old" }, contact: { ...NEVER, expected: 10, retired: true } };
  const keep = page(kept, () => {});
  await assert.rejects(contact(keep), /not reached/);
  assert.deepEqual([kept.contact.expected, kept.contact.retired, keep.contact.expected, keep.phone.until_us], [10, true, 10, 9]);
});

test("a change of the list that has no room says so, and the list is kept whole instead", async () => {
  const full = Promise.reject(new DOMException("full", "QuotaExceededError"));
  full.catch(() => {});
  const database = { transaction: () => ({ store: { count: async () => 1, put: async () => {} }, done: full }) };
  assert.equal(await new Store(/** @type {any} */ (database)).addChange(new ArrayBuffer(8)), false);
});
