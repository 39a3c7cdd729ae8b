// One text for one value, the same as contracts/canonical.py makes: canonical.json is tested there too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { BadValue, canonical } from "/static/shelf/keep/pure/canonical.js";

const shared = JSON.parse(readFileSync(new URL("canonical.json", import.meta.url), "utf8"));

test("both languages write one value in one way", () => {
  for (const [value, text] of shared.same) assert.equal(canonical(value), text);
});

test("what has no single text is refused in both", () => {
  for (const value of shared.refused) assert.throws(() => canonical(value), BadValue, JSON.stringify(value));
});

test("what is no JSON at all is refused", () => {
  for (const value of [{ a: undefined }, { a: new Date(0) }, { a: Number.NaN }, { a: 1n }, { a: new Map() }]) {
    assert.throws(() => canonical(value), BadValue);
  }
  assert.equal(canonical({ a: -0 }), '{"a":0}');
});
