// Reads [way, text] pairs as JSON from standard input and says what gs1.js finds in each.

import { readFileSync } from "node:fs";
import { digitalLink } from "../../../appliance/web/static/shelf/codes/digital_link.js";
import { bracketed, elements } from "../../../appliance/web/static/shelf/codes/elements.js";
import { readCode } from "../../../appliance/web/static/shelf/codes/gs1.js";

const YEAR = 2026;
const ways = { elements, bracketed, digitalLink, readCode: (text) => readCode(text, "GS1-128", YEAR) };
const plain = (found) => (found instanceof Map ? [...found] : found);
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(([way, text]) => plain(ways[way](text)))));
