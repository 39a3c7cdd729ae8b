// Run by tests/contracts/test_canonical_in_scripts.py with a file of made-up values and Python's text of each.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { canonical } from "/static/shelf/keep/pure/canonical.js";

for (const [value, text] of JSON.parse(readFileSync(String(process.argv[2]), "utf8"))) assert.equal(canonical(value), text);
