// Numbers as they are said, 0 to 99,999: "two hundred and three", "两百零三", "203". Pure.

/**
 * The words of one language (grammar.json). `scales` without `teens` is the Chinese way.
 * @typedef {object} NumberWords
 * @property {Record<string, number>} digits
 * @property {Record<string, number>} scales
 * @property {Record<string, number>} [teens]
 * @property {Record<string, number>} [tens]
 * @property {string[]} [and]
 * @property {string[]} [one] what may stand for one before a scale
 * @property {string[]} [dozen]
 */
/** @typedef {{ end: number, value: number }} Said */

const MOST_DIGITS = 5;
const MOST = 99_999;

/**
 * Every number that the tokens from `start` on begin with: "twenty five" is 20 and 25.
 * @param {string[]} tokens
 * @param {number} start
 * @param {NumberWords} words
 * @returns {Said[]}
 */
export function numbersAt(tokens, start, words) {
  const first = tokens[start] ?? "";
  if (/^\d+$/u.test(first)) {
    const written = first.length <= MOST_DIGITS ? [{ end: start + 1, value: Number(first) }] : [];
    return [...written, ...dozens(written, tokens, words)];
  }
  return words.teens ? english(tokens, start, words) : chinese(tokens, start, words);
}

/** @param {string[]} tokens @param {number} start @param {NumberWords} words @returns {Said[]} */
function english(tokens, start, words) {
  const small = belowThousand(tokens, start, words);
  const large = scaled(tokens, [...small, ...single(tokens, start, words)], words, 1000, belowThousand);
  const dozen = dozens([...small, ...single(tokens, start, words)], tokens, words);
  const zero = words.digits[tokens[start] ?? ""] === 0 ? [{ end: start + 1, value: 0 }] : [];
  return [...small, ...large, ...dozen, ...zero].filter(({ value }) => value <= MOST);
}

/** "a", where a scale follows. @param {string[]} tokens @param {number} start @param {NumberWords} words @returns {Said[]} */
function single(tokens, start, words) {
  return (words.one ?? []).includes(tokens[start] ?? "") ? [{ end: start + 1, value: 1 }] : [];
}

/** @param {string[]} tokens @param {number} start @param {NumberWords} words @returns {Said[]} */
function belowThousand(tokens, start, words) {
  const digit = words.digits[tokens[start] ?? ""] ?? 0;
  const ones = digit > 0 ? [{ end: start + 1, value: digit }] : [];
  const hundreds = scaled(tokens, [...ones, ...single(tokens, start, words)], words, 100, belowHundred);
  return [...belowHundred(tokens, start, words), ...hundreds];
}

/** @param {string[]} tokens @param {number} start @param {NumberWords} words @returns {Said[]} */
function belowHundred(tokens, start, words) {
  const first = tokens[start] ?? "";
  const digit = words.digits[first] ?? 0;
  const plain = digit || words.teens?.[first] || 0;
  if (plain > 0) return [{ end: start + 1, value: plain }];
  const tens = words.tens?.[first] ?? 0;
  if (tens === 0) return [];
  const ones = words.digits[tokens[start + 1] ?? ""] ?? 0;
  const alone = { end: start + 1, value: tens };
  return ones > 0 ? [alone, { end: start + 2, value: tens + ones }] : [alone];
}

/**
 * `heads` times the scale, with or without what follows it.
 * @param {string[]} tokens
 * @param {Said[]} heads
 * @param {NumberWords} words
 * @param {number} scale
 * @param {(tokens: string[], start: number, words: NumberWords) => Said[]} rest
 * @returns {Said[]}
 */
function scaled(tokens, heads, words, scale, rest) {
  return heads
    .filter(({ end }) => words.scales[tokens[end] ?? ""] === scale)
    .flatMap(({ end, value }) => {
      const after = end + 1;
      const starts = (words.and ?? []).includes(tokens[after] ?? "") ? [after + 1] : [after];
      const tails = starts.flatMap((start) => rest(tokens, start, words));
      return [{ end: after, value: value * scale }, ...tails.map((tail) => ({ end: tail.end, value: value * scale + tail.value }))];
    });
}

/** @param {Said[]} heads @param {string[]} tokens @param {NumberWords} words @returns {Said[]} */
function dozens(heads, tokens, words) {
  return heads
    .filter(({ end, value }) => value < 1000 && (words.dozen ?? []).includes(tokens[end] ?? ""))
    .map(({ end, value }) => ({ end: end + 1, value: value * 12 }));
}

/** @param {string[]} tokens @param {number} start @param {NumberWords} words @returns {Said[]} */
function chinese(tokens, start, words) {
  /** @type {Said[]} */
  const said = [];
  for (let end = start + 1; isNumeral(tokens[end - 1], words); end += 1) {
    const value = numeral(tokens.slice(start, end), words, MOST + 1);
    if (value !== null && value <= MOST) said.push({ end, value });
  }
  return said;
}

/** @param {string | undefined} token @param {NumberWords} words */
function isNumeral(token, words) {
  return token !== undefined && (token in words.digits || token in words.scales);
}

/**
 * A whole numeral below `limit`, or null for what nobody says: the zero stands where a scale is
 * left out (两百零三), and a last digit alone is of the scale below (两百三 is 230).
 * @param {string[]} signs
 * @param {NumberWords} words
 * @param {number} limit
 * @returns {number | null}
 */
function numeral(signs, words, limit) {
  const scale = Math.max(0, ...signs.map((sign) => words.scales[sign] ?? 0));
  if (scale === 0) return signs.length === 1 ? (words.digits[signs[0] ?? ""] ?? null) : null;
  if (scale >= limit) return null;
  const at = signs.findIndex((sign) => words.scales[sign] === scale);
  const head = headOf(signs.slice(0, at), words, scale);
  const tail = head === null ? null : tailOf(signs.slice(at + 1), words, scale);
  return head === null || tail === null ? null : head * scale + tail;
}

/** @param {string[]} signs @param {NumberWords} words @param {number} scale */
function headOf(signs, words, scale) {
  if (signs.length === 0) return scale === 10 ? 1 : null;
  const value = numeral(signs, words, scale) || null;
  return value !== null && scale < 10_000 && value > 9 ? null : value;
}

/** @param {string[]} signs @param {NumberWords} words @param {number} scale */
function tailOf(signs, words, scale) {
  const [first, ...rest] = signs;
  if (first === undefined) return 0;
  const digit = words.digits[first];
  if (rest.length === 0) return digit ? digit * (scale === 10 ? 1 : scale / 10) : null;
  if (digit === 0) return numeral(rest, words, scale / 10) || null;
  const value = numeral(signs, words, scale);
  return value !== null && value >= scale / 10 ? value : null;
}
