// A tag's content at four levels of detail, and how large each is. Pure: who measures text is given.

/** @import { Line, Mark, Tone } from "./types.js" */

const WIDEST = 216, LETTER = 13, ROW = 19, PAD = 7, ICON = 15, EDGE = 4, CLOSE = 2;

/** @typedef {{ text: string, tone: Tone, icon: string, strong: boolean, call: string }} Row */
/** @typedef {{ width: number, height: number, rows: Row[], signs: { icon: string, tone: Tone }[], pad: number }} Tag sizes in CSS pixels; `signs` stand at the end of its first row */

/** @typedef {(text: string, strong: boolean) => number} Measure the width of a text in CSS pixels at letters of `LETTER` */

export const METRICS = { LETTER, ROW, ICON, EDGE };

/** What must not go unseen even on the smallest tag. @type {ReadonlySet<Tone>} */
const LOUD = new Set(/** @type {Tone[]} */ (["month", "week", "gone", "review", "hold", "off_list"]));

/**
 * A mark's tag at each level, fullest first: all lines, the first two, a short one, and that one
 * close-set for a crowded shelf. On each the colour has its sign beside it.
 * @param {Mark} mark
 * @param {Measure} measure
 * @returns {Tag[]}
 */
export function tagsOf(mark, measure) {
  const loud = mark.lines.filter((line) => line.icon && LOUD.has(line.tone)).map(({ icon, tone }) => ({ icon, tone }));
  const full = tag(mark.lines, [], measure);
  const two = tag(mark.lines.slice(0, 2), loud.filter((sign) => !mark.lines.slice(0, 2).some((line) => line.icon === sign.icon)), measure);
  /** @type {Line} */
  const short = { text: mark.short || mark.lines[0]?.text || mark.word, tone: "plain", icon: loud.length ? "" : mark.icon, strong: true };
  const small = { ...short, text: mark.short.length <= 5 ? mark.short : "", icon: short.icon };
  return [full, two, tag([short], loud.slice(0, 2), measure, 120), tag([small], loud.slice(0, 2), measure, 90, CLOSE)];
}

/** @param {readonly Line[]} lines @param {Tag["signs"]} signs @param {Measure} measure @param {number} [widest] @param {number} [pad] @returns {Tag} */
function tag(lines, signs, measure, widest = WIDEST, pad = PAD) {
  const end = signs.length * (ICON + 3);
  let width = 0;
  const rows = lines.map((line, index) => {
    const own = (line.icon ? ICON + 5 : 0) + (index === 0 ? end : 0), strong = line.strong ?? false;
    const text = shorten(line.text, widest - own - 2 * pad - EDGE, strong, measure);
    width = Math.max(width, own + measure(text, strong));
    return { text, tone: line.tone, icon: line.icon, strong, call: line.call ?? "" };
  });
  return { width: Math.ceil(width) + 2 * pad + EDGE, height: rows.length * ROW + Math.max(0, 2 * pad - 4), rows, signs, pad };
}

/** @param {string} text @param {number} room @param {boolean} strong @param {Measure} measure */
function shorten(text, room, strong, measure) {
  if (measure(text, strong) <= room) return text;
  let low = 0, high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(`${text.slice(0, middle)}…`, strong) <= room) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low).trimEnd()}…`;
}

/**
 * Which row of a tag stands at a height, in CSS pixels from its top.
 * @param {Tag} tag @param {number} y
 * @returns {Row | null}
 */
export const rowAt = (tag, y) => tag.rows[Math.floor((y - Math.max(0, tag.pad - 2)) / ROW)] ?? null;
