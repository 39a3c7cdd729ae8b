// RFC 8785 canonical JSON, as contracts/canonical.py makes it: one text for one value, in both languages.

const MOST = 2 ** 53;
// What Python's str.isprintable refuses in a name: separators, controls, formats, surrogates, private use, unassigned.
const UNPRINTABLE = /[\p{C}\p{Z}]/u;

/** A value that cannot be signed. */
export class BadValue extends Error {}

/** @param {string} text @param {string} where */
function wellFormed(text, where) {
  // Half of a pair has no UTF-8 and would be signed as something else.
  if (/\p{Cs}/u.test(text)) throw new BadValue(`${where || "A signed text"} is not valid Unicode`);
  return JSON.stringify(text);
}

/**
 * The canonical text of `value`: names sorted by UTF-16 code units, no spaces, integers within 2**53.
 * @param {unknown} value
 * @param {string} [where]
 * @returns {string}
 * @throws {BadValue} for fractions, larger integers, and what is no JSON
 */
export function canonical(value, where = "") {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return wellFormed(value, where);
  if (typeof value === "number") {
    if (!Number.isInteger(value) || Math.abs(value) > MOST) throw new BadValue(`${where} is ${value}: sign integers within 2**53`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, `${where}[]`)).join(",")}]`;
  if (typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${named(name, where)}:${canonical(Reflect.get(value, name), `${where}.${name}`)}`).join(",")}}`;
  }
  throw new BadValue(`${where || "It"} is ${typeof value}: sign objects, lists, strings and integers only`);
}

/** @param {string} name @param {string} where */
function named(name, where) {
  // A space is printable to Python, the other separators are not.
  if (UNPRINTABLE.test(name.replaceAll(" ", ""))) throw new BadValue(`A name in ${where || "the object"} is no plain text`);
  return wellFormed(name, where);
}
