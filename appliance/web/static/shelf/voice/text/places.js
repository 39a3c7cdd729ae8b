// Places as they are said: "aisle A", "A three twelve", "A区三排", the site's own names. Pure.

import { numbersAt } from "./numbers.js";
import { tokensOf, withoutFillers } from "./tokens.js";

/**
 * @typedef {object} PlaceWords
 * @property {string[]} around what may be said beside the letters and numbers
 * @property {Record<string, string>} letters a spelling alphabet
 * @property {Record<string, number>} digits
 */
/** @typedef {{ end: number, value: string }} SaidPlace */

const MOST_PARTS = 10;

export class Places {
  /** From what a place may be called to the place, or to the beginning that several share. */
  #keys = /** @type {Map<string, Set<string>>} */ (new Map());
  #names = /** @type {{ tokens: string[], place: string }[]} */ ([]);

  /**
   * @param {string[]} locations
   * @param {Record<string, string>} names the site's own, of locations or shared beginnings
   * @param {PlaceWords} words
   * @param {import("./numbers.js").NumberWords} numbers
   * @param {import("./tokens.js").Fillers} fillers
   */
  constructor(locations, names, words, numbers, fillers) {
    this.words = words;
    this.numbers = numbers;
    this.around = words.around.map(tokensOf);
    for (const location of locations) this.#learn(location);
    const known = new Set([...this.#keys.values()].flatMap((places) => [...places]));
    for (const [place, name] of Object.entries(names)) {
      const tokens = withoutFillers(tokensOf(name), fillers);
      if (known.has(place) && tokens.length > 0) this.#names.push({ tokens, place });
    }
  }

  /** @param {string} location */
  #learn(location) {
    const parts = [...location.matchAll(/\p{Letter}+|\d+/gu)];
    for (let count = 1; count <= parts.length; count += 1) {
      const last = /** @type {RegExpExecArray} */ (parts[count - 1]);
      const place = count === parts.length ? location : location.slice(0, last.index + last[0].length);
      for (const key of keysOf(parts.slice(0, count).map((part) => part[0].toLowerCase()))) {
        this.#keys.set(key, (this.#keys.get(key) ?? new Set()).add(place));
      }
    }
  }

  /**
   * Every place that the tokens from `start` on begin with.
   * @param {string[]} tokens
   * @param {number} start
   * @returns {SaidPlace[]}
   */
  at(tokens, start) {
    /** @type {Map<string, SaidPlace>} */
    const found = new Map();
    /** @param {number} end @param {string} place */
    const say = (end, place) => {
      for (const last of this.#around(tokens, end)) found.set(`${last} ${place}`, { end: last, value: place });
    };
    this.#spell(tokens, start, [], say);
    for (const first of this.#around(tokens, start)) {
      for (const { tokens: name, place } of this.#names) {
        if (name.every((token, i) => tokens[first + i] === token)) say(first + name.length, place);
      }
    }
    return [...found.values()];
  }

  /**
   * `at`, and every later position that only words such as "aisle" lie before.
   * @param {string[]} tokens
   * @param {number} at
   * @returns {number[]}
   */
  #around(tokens, at) {
    const said = this.around.filter((word) => word.every((token, i) => tokens[at + i] === token));
    return [at, ...new Set(said.flatMap((word) => this.#around(tokens, at + word.length)))];
  }

  /**
   * @param {string[]} tokens
   * @param {number} at
   * @param {string[]} parts letters and numbers so far
   * @param {(end: number, place: string) => void} say
   */
  #spell(tokens, at, parts, say) {
    if (parts.length > MOST_PARTS) return;
    for (const { end, part } of this.#around(tokens, at).flatMap((next) => this.#partsAt(tokens, next))) {
      const longer = [...parts, part];
      for (const key of keysOf(longer)) for (const place of this.#keys.get(key) ?? []) say(end, place);
      this.#spell(tokens, end, longer, say);
    }
  }

  /** @param {string[]} tokens @param {number} at @returns {{ end: number, part: string }[]} */
  #partsAt(tokens, at) {
    const token = tokens[at];
    if (token === undefined) return [];
    if (/^\d+$/u.test(token)) return [{ end: at + 1, part: token }];
    const letter = this.words.letters[token];
    const digit = this.words.digits[token] ?? this.numbers.digits[token];
    const said = numbersAt(tokens, at, this.numbers);
    // Chinese numerals are taken whole: 十三 is no 十 with a 三 behind it.
    const numbers = this.numbers.teens ? said : said.slice(-1);
    const alone = digit !== undefined && !((tokens[at + 1] ?? "") in this.numbers.scales);
    if (letter === undefined && (alone || numbers.length > 0)) {
      const parts = numbers.map(({ end, value }) => ({ end, part: String(value) }));
      return alone ? [{ end: at + 1, part: String(digit) }, ...parts.filter(({ end }) => end > at + 1)] : parts;
    }
    return [{ end: at + 1, part: letter ?? token }];
  }
}

/**
 * "A-01-1" may be said by its numbers (A, 1, 1) or sign by sign (A, 0, 1, 1).
 * @param {string[]} parts
 */
function keysOf(parts) {
  const isNumber = parts.map((part) => /^\d+$/u.test(part));
  const numbers = parts.filter((part, i) => !(isNumber[i] && isNumber[i + 1] && Number(part) === 0));
  const byNumber = numbers.map((part) => (/^\d+$/u.test(part) ? String(Number(part)) : part)).join("-");
  return new Set([byNumber, `=${parts.join("")}`]);
}
