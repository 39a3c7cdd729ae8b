// How what was heard is cut: words of letters, runs of digits, and each Han character by itself. Pure.

const PARTS = /\p{Script=Han}|(?:(?!\p{Script=Han})\p{Letter})+|\d+/gu;

/**
 * Lower case, full-width forms narrow, apostrophes gone ("what's" is "whats"); "A01" is "a", "01";
 * "1,200" is one number, "-5" is not 5.
 * @param {string} text
 * @returns {string[]}
 */
export function tokensOf(text) {
  const plain = text.normalize("NFKC").toLowerCase().replace(/['’]/gu, "").replace(/x-ray/gu, "xray");
  const whole = plain.replace(/(\d),(?=\d{3}(?!\d))/gu, "$1").replace(/(^|\s)[-−](?=\d)/gu, "$1minus ");
  return whole.match(PARTS) ?? [];
}

/**
 * What is said for politeness or out of hesitation, and the words that only contain it (请 in 申请).
 * @typedef {{ fillers: string[][], kept: string[][] }} Fillers
 */

/**
 * @param {string[]} fillers
 * @param {string[]} kept
 * @returns {Fillers}
 */
export function fillersOf(fillers, kept) {
  // The longer one first: "thank you" before "thank".
  return { fillers: fillers.map(tokensOf).sort((a, b) => b.length - a.length), kept: kept.map(tokensOf) };
}

/**
 * The tokens without fillers.
 * @param {string[]} tokens
 * @param {Fillers} fillers
 */
export function withoutFillers(tokens, { fillers, kept }) {
  const begins = new Set(fillers.map(([word]) => word));
  if (!tokens.some((token) => begins.has(token))) return tokens;
  /** @type {string[]} */
  const left = [];
  for (let at = 0; at < tokens.length; ) {
    const says = (/** @type {string[]} */ words) => words.every((word, i) => tokens[at + i] === word);
    const filler = fillers.find(says)?.length ?? 0;
    const stays = filler ? 0 : (kept.find(says)?.length ?? 1);
    left.push(...tokens.slice(at, at + stays));
    at += filler + stays;
  }
  return left;
}

/**
 * Whether `part` stands in `whole` in its order, other tokens between allowed.
 * @param {string[]} part
 * @param {string[]} whole
 */
export function standsIn(part, whole) {
  let at = 0;
  for (const token of whole) if (token === part[at]) at += 1;
  return at === part.length;
}
