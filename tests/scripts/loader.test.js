import assert from "node:assert/strict";
import { test } from "node:test";

test("a script imports the vendor's modules by the address that a page uses", async () => {
  const idb = await import("/static/vendor/idb.js");
  assert.equal(typeof idb.openDB, "function");
});
