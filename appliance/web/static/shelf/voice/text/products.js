// Products as they are said: by their name, by part of it, or by the last digits of their code. Pure.

import { standsIn, tokensOf, withoutFillers } from "./tokens.js";

/** @typedef {{ end: number, value: string }} SaidProduct */

const LEAST_DIGITS = 4;
/** More than a person can choose from at a glance. */
const MOST = 6;

export class Products {
  #tokens = /** @type {Map<string, string[]>} */ (new Map());
  #having = /** @type {Map<string, Set<string>>} */ (new Map());
  #gtins = /** @type {string[]} */ ([]);

  /**
   * @param {{ gtin: string, name: string }[]} products
   * @param {import("./tokens.js").Fillers} fillers
   */
  constructor(products, fillers) {
    for (const { gtin, name } of products) {
      const tokens = withoutFillers(tokensOf(name), fillers);
      this.#gtins.push(gtin);
      this.#tokens.set(gtin, tokens);
      for (const token of tokens) this.#having.set(token, (this.#having.get(token) ?? new Set()).add(gtin));
    }
  }

  /**
   * Every product that the tokens from `start` on may name; the best kind of likeness only, at most
   * six for each number of tokens.
   * @param {string[]} tokens
   * @param {number} start
   * @returns {SaidProduct[]}
   */
  at(tokens, start) {
    const found = this.#byDigits(tokens[start] ?? "").map((value) => ({ end: start + 1, value }));
    /** @type {string[] | null} */
    let left = null;
    for (let end = start + 1; end <= tokens.length; end += 1) {
      const having = this.#having.get(/** @type {string} */ (tokens[end - 1]));
      if (having === undefined) break;
      left = left === null ? [...having] : left.filter((gtin) => having.has(gtin));
      if (left.length === 0) break;
      found.push(...this.#alike(tokens.slice(start, end), left).map((value) => ({ end, value })));
    }
    return found;
  }

  /** @param {string} digits */
  #byDigits(digits) {
    if (digits.length < LEAST_DIGITS || !/^\d+$/u.test(digits)) return [];
    return this.#gtins.filter((gtin) => gtin.endsWith(digits)).slice(0, MOST);
  }

  /** @param {string[]} said @param {string[]} gtins */
  #alike(said, gtins) {
    const name = ` ${said.join(" ")} `;
    /** @param {string} gtin */
    const tokens = (gtin) => /** @type {string[]} */ (this.#tokens.get(gtin));
    const exact = gtins.filter((gtin) => tokens(gtin).length === said.length && ` ${tokens(gtin).join(" ")} ` === name);
    if (exact.length > 0) return exact.slice(0, MOST);
    // One Han character alone, or a bare number, is in too many names to mean one.
    if (said.length === 1 && !/^\p{Letter}{2,}$/u.test(said[0] ?? "")) return [];
    const together = gtins.filter((gtin) => ` ${tokens(gtin).join(" ")} `.includes(name));
    if (together.length > 0) return together.slice(0, MOST);
    return gtins.filter((gtin) => standsIn(said, tokens(gtin))).slice(0, MOST);
  }
}
