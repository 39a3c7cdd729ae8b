// A page without a screen: what modes ask of it is written down, what they are answered is given.

import { readFileSync } from "node:fs";

import { readCode } from "/static/shelf/codes/gs1.js";
import { Words } from "/static/shelf/faces/words.js";
import { stockOf } from "/static/shelf/keep/stock.js";
import { snapshot, TODAY } from "../keep/house.js";

/** @param {"en" | "zh"} language */
export const wordsIn = (language) => new Words(language, JSON.parse(readFileSync(new URL(`../../../../appliance/i18n/${language}.json`, import.meta.url), "utf8")));

export const words = wordsIn("en");

/** @param {object} [more] of the snapshot */
export function host(more) {
  const told = { asked: [], written: [], opened: [], said: [], felt: [], answers: {} };
  return {
    told, words, place: "A-01-1", roles: ["operator"], stock: stockOf(snapshot(more), [], TODAY, readCode),
    open: (gtin) => told.opened.push(gtin),
    propose: async (proposals, asking) => {
      told.written.push(...proposals.map(({ kind, body }) => ({ kind, body })));
      told.asking = asking;
      return true;
    },
    changed: () => {},
    ask: async (name, values) => {
      told.asked.push(name);
      const answer = told.answers[name];
      return typeof answer === "function" ? answer(values) : (answer ?? null);
    },
    say: (text) => told.said.push(text),
    feel: (sign) => told.felt.push(sign),
    maybe: (id) => told.maybe?.[id] ?? [],
    still: async () => new Blob(["jpeg"]),
  };
}

const QUAD = [{ x: 10, y: 10 }, { x: 90, y: 10 }, { x: 90, y: 50 }, { x: 10, y: 50 }];

/** A code in view. @param {any} stock @param {number} id @param {string} text @param {object} [more] */
export const sighting = (stock, id, text, more = {}) => {
  const known = stock.lookup(text, "");
  return { id, state: known ? "confirmed" : "off_list", text, format: "", known, quad: QUAD, age_ms: 0, reader: "phone", ...more };
};
