// The grammar's shape (grammar.json): for each language fillers, named lists and rules, written as
// in JSGF: `( a | b )` one of, `[ a ]` may be left out, `<name>` a list, `<$name>` a slot. The hub
// makes the recogniser's grammar from the same file.

/**
 * `intent` is what the rule yields; a value of "$place", "$product", "$number", "$unit" is filled
 * by the slot of that name.
 * @typedef {{ intent: Record<string, string | number | boolean | null>, say: string[] }} Rule
 * @typedef {object} LanguageGrammar
 * @property {string[]} fillers said out of politeness or hesitation, dropped wherever they stand
 * @property {string[]} kept words that contain a filler and are none
 * @property {import("./text/numbers.js").NumberWords} numbers
 * @property {import("./text/places.js").PlaceWords} places
 * @property {Record<string, Record<string, string>>} values slots of few values, each with its words
 * @property {Record<string, string>} lists
 * @property {Rule[]} rules
 */
/** @typedef {{ version: number, languages: Record<string, LanguageGrammar> }} Grammar */

/** @type {Promise<Grammar> | undefined} */
let fetched;

/**
 * The grammar of this hub, fetched once (the service worker precaches it).
 * @returns {Promise<Grammar>}
 */
export function loadGrammar() {
  fetched ??= fetch(new URL("./grammar.json", import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(`grammar.json: ${answer.status}`);
    return answer.json();
  });
  fetched.catch(() => (fetched = undefined));
  return fetched;
}
