// A phone's log: each entry hangs on the one before, and whoever touches one is found.

import assert from "node:assert/strict";
import { test } from "node:test";

import { GENESIS, bytesOf, faultIn, hashOf, signedBytes } from "/static/shelf/keep/log.js";
import { LATE, phone } from "./house.js";

test("the entry in the guide has the hash and the signature that the guide tells", async () => {
  const entry = {
    device: "phone-7", seq: 2, at_us: 1795000002000000, by: "Mei", kind: "counted",
    body: { batch: { supplier: "ACME", gtin: "06933132577789", lot: "8842-740" }, location: "A-01-1", counted: 8, expected: 10 },
    previous: "064ecc9293fe15136ff1b7445d0fe685f8f1d6cbb3f999224f8460d9e6595092",
  };
  const hash = "bd0d485e77749ddc89af2d1e3dff85a602003efb609690ba335311356c630899";
  const signature =
    "d5a16ad7f2e2d78ce6337d18ec5f5474475b7f2494f1352dda94786dec2317386fc934a47bfb4f1efb3bd4379a30da1698cf6379d536cbc6bc337a6790687205";
  assert.equal(await hashOf(entry), hash);
  const key = bytesOf("d8c5ffb443f1d5a07598082af9defed5695c07fbc2ce493f0f4c84e3935669aa");
  const verifying = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  assert.ok(await crypto.subtle.verify("Ed25519", verifying, bytesOf(signature), signedBytes(hash)));
});

async function day() {
  const mei = await phone();
  for (let seen = 1; seen <= 5; seen += 1) await mei.writes("counted", { batch: LATE, location: "A-01-2", counted: seen, expected: seen - 1 });
  return mei;
}

test("a whole log holds, and so does what is left after the hub took its beginning", async () => {
  const mei = await day();
  assert.equal(mei.written[0].previous, GENESIS);
  assert.equal(await faultIn(mei.written, mei.head, mei.verify), null);
  assert.equal(await faultIn(mei.written.slice(3), mei.head, mei.verify), null);
  assert.equal(await faultIn([], mei.head, mei.verify), null);
});

test("a changed number, a missing entry, a foreign signature and a cut end are found where they are", async () => {
  const mei = await day(), li = await phone("phone-7", "Mei"), entries = mei.written;
  await li.writes("counted", { batch: LATE, location: "A-01-2", counted: 1, expected: 0 });
  const changed = structuredClone(entries);
  changed[2].body.counted = 99;
  const rehashed = structuredClone(entries);
  rehashed[2].body.counted = 99;
  rehashed[2].hash = await hashOf(rehashed[2]);
  const fraction = structuredClone(entries);
  fraction[1].body.counted = 1.5;
  const cases = [
    [changed, mei.head, "log_changed", 3],
    [rehashed, mei.head, "log_unsigned", 3],
    [fraction, mei.head, "log_changed", 2],
    [entries.filter((entry) => entry.seq !== 2), mei.head, "log_gap", 2],
    [entries.slice(0, 3), mei.head, "log_cut", 4],
    [entries, { ...mei.head, seq: 4, hash: entries[3].hash }, "log_changed", 5],
    [entries.map((entry) => ({ ...entry, device: "phone-8" })), mei.head, "log_changed", 1],
    [li.written, li.head, "log_unsigned", 1],
  ];
  for (const [log, head, code, seq] of cases) assert.deepEqual(await faultIn(log, head, mei.verify), { code, seq });
});

test("without a hash that fits nothing is believed, whatever was changed", async () => {
  const mei = await day();
  for (const name of ["seq", "at_us", "by", "kind", "previous", "signature", "hash"]) {
    const touched = structuredClone(mei.written);
    const value = touched[1][name];
    touched[1][name] = typeof value === "number" ? value + 1 : `${value.slice(0, -1)}${value.endsWith("0") ? "1" : "0"}`;
    assert.ok(await faultIn(touched, mei.head, mei.verify), name);
  }
});
