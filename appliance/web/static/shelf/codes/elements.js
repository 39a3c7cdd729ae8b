// GS1 element strings: application identifiers with their data, out of one string. Pure.

import { AIS, endsByLength } from "./ai_table.js";
import { hasCheckDigit } from "./keys.js";

const GS = "\x1d";
/** Symbology identifiers (ISO/IEC 15424) of codes with element strings. */
const IDENTIFIER = /^\](?:C1|d2|Q3|e0|J1)/;

/**
 * A date of an element string: the century by section 7.12 (at most 50 years ahead, 49 back), day 00
 * is the month's last day. Empty for what is no date.
 * @param {string} yymmdd
 * @param {number} [year] this year
 * @param {boolean} [wholeMonth] whether day 00 may stand for the month
 * @returns {string} ISO 8601
 */
export function dateOf(yymmdd, year = new Date().getFullYear(), wholeMonth = true) {
  if (!/^\d{6}$/.test(yymmdd)) return "";
  const [yy, month, day] = [0, 2, 4].map((at) => Number(yymmdd.slice(at, at + 2)));
  const ahead = /** @type {number} */ (yy) - (year % 100);
  const century = Math.floor(year / 100) + (ahead >= 51 ? -1 : ahead <= -50 ? 1 : 0);
  const full = century * 100 + /** @type {number} */ (yy);
  const last = new Date(Date.UTC(2000, /** @type {number} */ (month), 0));
  last.setUTCFullYear(full, /** @type {number} */ (month), 0);
  const days = last.getUTCDate();
  const named = /** @type {number} */ (day);
  if (!month || month > 12 || named > days || (!named && !wholeMonth)) return "";
  return `${String(full).padStart(4, "0")}-${yymmdd.slice(2, 4)}-${String(named || days).padStart(2, "0")}`;
}

/**
 * Whether data may stand behind an AI: characters, length, check digit, date.
 * @param {string} ai
 * @param {string} data
 */
export function isValid(ai, data) {
  const form = AIS.get(ai);
  if (!form || !form.pattern.test(data)) return false;
  if (ai === "8003") return data[0] === "0" && hasCheckDigit(data.slice(1, 14));
  if (form.checked && !hasCheckDigit(data.slice(0, form.checked))) return false;
  return !form.date || dateOf(data.slice(0, 6), 2000, form.date === "d") !== "";
}

/**
 * The elements of a string; null where one of them is not as it must be, or two of one AI differ.
 * FNC1 is GS (0x1D); one that stands first, and one behind the last element, say nothing.
 * @param {string} text
 * @returns {Map<string, string> | null} in the order of the string
 */
export function elements(text) {
  let rest = text.replace(IDENTIFIER, "").replace(/^\x1d/, "");
  /** @type {Map<string, string>} */
  const found = new Map();
  while (rest) {
    const ai = [2, 3, 4].map((length) => rest.slice(0, length)).find((each) => AIS.has(each));
    if (ai === undefined) return null;
    const behind = rest.slice(ai.length);
    const separator = behind.indexOf(GS);
    const end = endsByLength(ai) ? (AIS.get(ai)?.length ?? 0) : separator < 0 ? behind.length : separator;
    const data = behind.slice(0, end);
    if (!isValid(ai, data) || (found.get(ai) ?? data) !== data) return null;
    found.set(ai, data);
    rest = behind.slice(end).replace(/^\x1d/, "");
  }
  return found.size ? found : null;
}

/**
 * The elements of a string with its AIs in brackets, as people write it and decoders print it. A
 * bracket inside data is escaped with a backslash, or known by not being an AI.
 * @param {string} text
 * @returns {Map<string, string> | null}
 */
export function bracketed(text) {
  if (!/^\(\d{2,4}\)/.test(text)) return null;
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const [, ai = "", data = ""] of text.matchAll(/\((\d{2,4})\)((?:\\\(|(?!\(\d{2,4}\)).)*)/gs)) {
    const plain = data.replaceAll("\\(", "(");
    if (!isValid(ai, plain) || (found.get(ai) ?? plain) !== plain) return null;
    found.set(ai, plain);
  }
  return found;
}
