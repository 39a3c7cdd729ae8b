// The hub's list in parts, the site's time on a clock that lies, and how long to wait.

import assert from "node:assert/strict";
import { test } from "node:test";

import { NEVER, dayIn, siteTime } from "/static/shelf/keep/pure/clock.js";
import { pack, renewed, unpackAll } from "/static/shelf/keep/pure/list.js";
import { waitMs } from "/static/shelf/keep/pure/waiting.js";
import { JUICE, WATER, snapshot } from "./house.js";

const change = (more) => snapshot({ version: 41, base: 40, products: [], suppliers: [], locations: [], ...more });

test("a change replaces what it names and takes away what is gone", () => {
  const kept = snapshot({ holds: [{ id: "H-1", kind: "batch", note: "", at_us: 0, ticket: "" }] });
  const juice = { ...kept.products[1], name: "Juice" };
  const now = renewed(kept, change({ products: [juice], gone: [`product:${WATER}`, "hold:H-1"], seen: { "phone-7": 3 } }));
  assert.deepEqual(now.products, [juice]);
  assert.deepEqual(now.holds, []);
  assert.deepEqual([now.version, now.base, now.seen["phone-7"]], [41, 0, 3]);
  assert.equal(now.suppliers.length, 1);
  assert.equal(now.locations.length, 3);
  assert.equal(kept.products.length, 2, "the old list stays as it was");
});

test("a change that does not follow, or is cut for other roles, is not believed", () => {
  assert.equal(renewed(snapshot({ version: 39 }), change({})), null);
  assert.equal(renewed(null, change({})), null);
  assert.equal(renewed(snapshot(), change({ roles: ["quality"] })), null);
  assert.equal(renewed(snapshot({ version: 39 }), snapshot({ version: 41 })).version, 41);
});

test("a list comes out of its packing with its changes, up to the first that does not follow", async () => {
  const whole = { snapshot: snapshot(), etag: '"a"', finds: [] };
  const next = { snapshot: change({ gone: [`product:${JUICE}`] }), etag: '"b"', finds: [] };
  const lost = { snapshot: change({ base: 77, version: 78 }), etag: '"c"', finds: [] };
  const out = await unpackAll(await Promise.all([whole, next, lost].map(pack)));
  assert.deepEqual([out.etag, out.snapshot.version, out.snapshot.products.map((each) => each.gtin)], ['"b"', 41, [WATER]]);
  assert.equal(await unpackAll([]), null);
});

test("the site's time follows the hub's clock and never goes back", () => {
  const contact = { ...NEVER, skew_us: -3_600_000_000, latest_us: 10_000_000_000 };
  assert.deepEqual(siteTime(20_000_000_000, contact), { at_us: 16_400_000_000, behind: false });
  assert.deepEqual(siteTime(13_600_000_000 - 30_000_000, contact), { at_us: 10_000_000_000, behind: false });
  assert.deepEqual(siteTime(5_000_000_000, contact), { at_us: 10_000_000_000, behind: true });
});

test("a day begins where the site is", () => {
  const at = Date.UTC(2026, 10, 22, 16, 30) * 1000;
  assert.equal(dayIn("Asia/Shanghai", at), "2026-11-23");
  assert.equal(dayIn("Europe/Berlin", at), "2026-11-22");
  assert.equal(dayIn("UTC", at), "2026-11-22");
});

test("failures make it wait longer, to a limit, and never all phones alike", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 60].map((failures) => waitMs(failures, 0)), [2e3, 4e3, 8e3, 16e3, 32e3, 60e3, 60e3]);
  assert.equal(waitMs(0, 0), 30_000);
  assert.equal(waitMs(1, 1), 3_000);
});
