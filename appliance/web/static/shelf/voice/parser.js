// From what was heard to an intent of the closed grammar. Pure: the grammar comes as data.

import { match, read } from "./text/expression.js";
import { numbersAt } from "./text/numbers.js";
import { Places } from "./text/places.js";
import { Products } from "./text/products.js";
import { fillersOf, tokensOf, withoutFillers } from "./text/tokens.js";

/**
 * @typedef {import("./text/expression.js").Node} Node
 * @typedef {import("./intents.js").Context} Context
 * @typedef {import("./intents.js").Intent} Intent
 * @typedef {import("./intents.js").Language} Language
 * @typedef {import("./intents.js").Parse} Parse
 * @typedef {string | number} Value
 * @typedef {(name: string, start: number) => { end: number, value: Value }[]} Fill
 */
/** @typedef {{ intent: Record<string, string | number | boolean | null>, says: Node[] }} ReadRule */
/** @typedef {{ fillers: import("./text/tokens.js").Fillers, rules: ReadRule[], values: Record<string, [string, Node][]> }} ReadLanguage */

const MOST_TOKENS = 40;
const MOST_OFFERS = 5;

export class Parser {
  #read = /** @type {Map<Language, ReadLanguage>} */ (new Map());
  #places = { of: /** @type {unknown} */ (null), language: "", index: /** @type {Places | null} */ (null) };
  #products = { of: /** @type {unknown} */ (null), language: "", index: /** @type {Products | null} */ (null) };

  /** @param {import("./grammar.js").Grammar} grammar what grammar.json holds */
  constructor(grammar) {
    this.grammar = grammar;
  }

  /**
   * The whole of `text` must be said by a rule (fillers such as "please" aside): a part that is
   * understood is no reason to change anything, it is only offered.
   * @param {string} text
   * @param {Language} language
   * @param {Context} context
   * @returns {Parse}
   */
  parse(text, language, context) {
    const spoken = this.#language(language);
    const tokens = withoutFillers(tokensOf(text), spoken.fillers).slice(0, MOST_TOKENS + 1);
    const fill = this.#fill(tokens, language, context, spoken);
    const found = tokens.length > MOST_TOKENS ? [] : intentsAt(spoken, tokens, 0, fill, context).filter(({ end }) => end === tokens.length);
    const intents = distinct(found.map(({ intent }) => intent));
    const [intent] = intents;
    if (intent === undefined) return { kind: "unknown", offers: partly(spoken, tokens, fill, context), heard: text };
    if (intents.length > 1) return { kind: "ambiguous", offers: intents.slice(0, MOST_OFFERS), heard: text };
    if (needsChosen(intent) && context.selected === "") return { kind: "unchosen", intent, heard: text };
    return { kind: "intent", intent, heard: text };
  }

  /** @param {Language} language @returns {ReadLanguage} */
  #language(language) {
    const known = this.#read.get(language);
    if (known) return known;
    const source = this.#source(language);
    /** @param {string} text @returns {Node} */
    const node = (text) => read(text, (name) => node(listOf(source, name)), tokensOf);
    const made = {
      fillers: fillersOf(source.fillers, source.kept),
      rules: source.rules.map(({ intent, say }) => ({ intent, says: say.map(node) })),
      values: Object.fromEntries(
        Object.entries(source.values).map(([name, ways]) => [
          name,
          Object.entries(ways).map(([value, text]) => /** @type {[string, Node]} */ ([value, node(text)])),
        ]),
      ),
    };
    this.#read.set(language, made);
    return made;
  }

  /** @param {Language} language */
  #source(language) {
    const source = this.grammar.languages[language];
    if (source === undefined) throw new Error(`grammar.json has no language "${language}"`);
    return source;
  }

  /**
   * What each slot may take, asked once for each place in what was heard.
   * @param {string[]} tokens
   * @param {Language} language
   * @param {Context} context
   * @param {ReadLanguage} spoken
   * @returns {Fill}
   */
  #fill(tokens, language, context, spoken) {
    const source = this.#source(language);
    const places = this.#placesOf(language, context, spoken.fillers);
    const products = this.#productsOf(language, context, spoken.fillers);
    /** @type {Map<string, { end: number, value: Value }[]>} */
    const asked = new Map();
    /** @type {Fill} */
    const fresh = (name, start) => {
      if (name === "number") return numbersAt(tokens, start, source.numbers);
      if (name === "place") return places.at(tokens, start);
      if (name === "product") return products.at(tokens, start);
      return (spoken.values[name] ?? []).flatMap(([value, node]) =>
        match(node, tokens, start, () => []).map(({ end }) => ({ end, value })),
      );
    };
    return (name, start) => {
      const key = `${name} ${start}`;
      const known = asked.get(key) ?? fresh(name, start);
      asked.set(key, known);
      return known;
    };
  }

  /** @param {Language} language @param {Context} context @param {import("./text/tokens.js").Fillers} fillers */
  #placesOf(language, context, fillers) {
    const kept = this.#places;
    if (kept.index && kept.of === context.places && kept.language === language) return kept.index;
    const { places, numbers } = this.#source(language);
    const index = new Places(context.places, context.words, places, numbers, fillers);
    this.#places = { of: context.places, language, index };
    return index;
  }

  /** @param {Language} language @param {Context} context @param {import("./text/tokens.js").Fillers} fillers */
  #productsOf(language, context, fillers) {
    const kept = this.#products;
    if (kept.index && kept.of === context.products && kept.language === language) return kept.index;
    const index = new Products(context.products, fillers);
    this.#products = { of: context.products, language, index };
    return index;
  }
}

/** @param {import("./grammar.js").LanguageGrammar} source @param {string} name */
function listOf(source, name) {
  const text = source.lists[name];
  if (text === undefined) throw new Error(`grammar.json: no list is named <${name}>`);
  return text;
}

/**
 * @param {ReadLanguage} spoken
 * @param {string[]} tokens
 * @param {number} start
 * @param {Fill} fill
 * @param {Context} context
 */
function intentsAt(spoken, tokens, start, fill, context) {
  return spoken.rules
    .filter(({ intent }) => context.asking || (intent.name !== "yes" && intent.name !== "no"))
    .flatMap(({ intent, says }) =>
      says.flatMap((say) =>
        match(say, tokens, start, fill).map(({ end, slots }) => ({ end, intent: filled(intent, slots) })),
      ),
    );
}

/**
 * @param {Record<string, string | number | boolean | null>} template
 * @param {Record<string, Value>} slots
 */
function filled(template, slots) {
  const entries = Object.entries(template).map(([key, value]) => {
    if (typeof value !== "string" || !value.startsWith("$")) return [key, value];
    return [key, slots[value.slice(1)] ?? ""];
  });
  return /** @type {Intent} */ (Object.fromEntries(entries));
}

/** @param {Intent[]} intents */
function distinct(intents) {
  return [...new Map(intents.map((intent) => [JSON.stringify(intent), intent])).values()];
}

/** @param {Intent} intent */
function needsChosen(intent) {
  return (intent.name === "count" || intent.name === "freeze" || intent.name === "card") && intent.gtin === "";
}

/**
 * What was perhaps meant: the intents said by the longest part of what was heard. A word alone out
 * of many is none, and yes or no are never guessed.
 * @param {ReadLanguage} spoken
 * @param {string[]} tokens
 * @param {Fill} fill
 * @param {Context} context
 */
function partly(spoken, tokens, fill, context) {
  const calm = { ...context, asking: false };
  const parts = tokens
    .slice(0, MOST_TOKENS)
    .flatMap((_, start) => intentsAt(spoken, tokens, start, fill, calm).map(({ end, intent }) => ({ length: end - start, intent })))
    .filter(({ length, intent }) => length > 1 && !(needsChosen(intent) && context.selected === ""));
  const longest = Math.max(0, ...parts.map(({ length }) => length));
  return distinct(parts.filter(({ length }) => length === longest).map(({ intent }) => intent)).slice(0, MOST_OFFERS);
}
