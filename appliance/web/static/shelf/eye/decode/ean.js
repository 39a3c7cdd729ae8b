// A second opinion on EAN and UPC codes. A reader that goes by the widths of dark and light takes a
// 1 for a 7 or a 2 for an 8 where modules are few pixels wide, and one check digit in ten holds by
// chance. So each digit's whole shade is compared with what every digit would look like there,
// blurred as this picture is; the digits that fit best must be a valid code (GS1 General
// Specifications 5.2.1).

import { squared } from "../geometry.js";
import { brightnessAt } from "./sample.js";

/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Quad} Quad */

const LEFT = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"];
const flipped = (/** @type {string} */ bits) => [...bits].map((bit) => (bit === "1" ? "0" : "1")).join("");
const RIGHT = LEFT.map(flipped);
const EVEN = RIGHT.map((bits) => [...bits].reverse().join(""));
/** Which left digits are even, by the first digit of thirteen. */
const FIRST = ["000000", "001011", "001101", "001110", "010011", "011001", "011100", "010101", "010110", "011010"];

/** Samples a module. */
const FINE = 4;
const ROWS = 9;
/** Samples beside a stamp that its blur may reach. */
const ROOM = 16;
/** Widths that a point may be blurred to, pixels. */
const BLURS = [1, 1.8, 2.8];

/** What a code is made of: guards and digits. @typedef {{ from: number, shapes: string[] }} Place in modules */
/** @typedef {{ modules: number, guards: [number, string][], places: Place[] }} Layout */

/** @param {number} count digits of a half @param {string[]} left @returns {Layout} */
function layout(count, left) {
  const places = [];
  for (let at = 0; at < count; at += 1) places.push({ from: 3 + 7 * at, shapes: left });
  for (let at = 0; at < count; at += 1) places.push({ from: 8 + 7 * (count + at), shapes: RIGHT });
  const modules = 14 * count + 11;
  return { modules, guards: [[0, "101"], [3 + 7 * count, "01010"], [modules - 3, "101"]], places };
}
const THIRTEEN = layout(6, [...LEFT, ...EVEN]);
const EIGHT = layout(4, LEFT);

/** @param {string} digits with the check digit */
export function checked(digits) {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) sum += Number(digits[digits.length - 1 - at]) * (at % 2 ? 3 : 1);
  return sum % 10 === 0;
}

/** Shade along the code's middle, from its first module to its last. @param {Grey} grey @param {Quad} quad @param {number} modules @returns {Floats} */
function shade(grey, quad, modules) {
  const h = squared(quad);
  /** @type {Floats} */
  const out = new Float32Array(modules * FINE);
  for (let row = 0; row < ROWS; row += 1) {
    const y = 0.2 + (0.6 * row) / (ROWS - 1);
    for (let at = 0; at < out.length; at += 1) {
      const x = (at + 0.5) / out.length;
      const w = h[6] * x + h[7] * y + 1;
      out[at] += brightnessAt(grey, (h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w) / ROWS;
    }
  }
  return out;
}

/** What bits look like, dark as 1, blurred twice over a box, with room to either side.
 * @param {string} bits @param {number} blur samples @returns {Floats}
 */
function stamp(bits, blur) {
  /** @type {Floats} */
  let from = new Float32Array(bits.length * FINE + 2 * ROOM);
  if (bits === ANY) return stamp("0000000", blur).fill(0.5, ROOM, ROOM + 7 * FINE);
  for (let module = 0; module < bits.length; module += 1) if (bits[module] === "1") from.fill(1, ROOM + module * FINE, ROOM + (module + 1) * FINE);
  const reach = Math.min(ROOM >> 1, Math.max(0, Math.round((blur - 1) / 2)));
  for (let pass = 0; pass < 2 && reach; pass += 1) {
    /** @type {Floats} */
    const to = new Float32Array(from.length);
    for (let at = reach; at < from.length - reach; at += 1) {
      for (let off = -reach; off <= reach; off += 1) to[at] += from[at + off] / (2 * reach + 1);
    }
    from = to;
  }
  return from;
}

/** @type {Map<number, Map<string, Floats>>} */
const stamps = new Map();

/** @param {string} bits @param {number} blur @returns {Floats} the same one each time */
function stampOf(bits, blur) {
  const width = Math.round(blur);
  const of = stamps.get(width) ?? new Map();
  stamps.set(width, of);
  const made = of.get(bits) ?? stamp(bits, width);
  of.set(bits, made);
  return made;
}

/** @param {Floats} into darkness with room to either side @param {number} module @param {Floats} one @param {number} sign */
function add(into, module, one, sign) {
  const from = module * FINE;
  for (let at = 0; at < one.length; at += 1) into[from + at] += sign * one[at];
}

/** The whole code's darkness. @param {Layout} kind @param {string[]} shapes a place @param {number} blur @returns {Floats} */
function drawn({ modules, guards, places }, shapes, blur) {
  const out = new Float32Array(modules * FINE + 2 * ROOM);
  for (const [from, bits] of guards) add(out, from, stampOf(bits, blur), 1);
  places.forEach(({ from }, at) => add(out, from, stampOf(shapes[at] ?? "", blur), 1));
  return out;
}

/** Scale and offset that take darkness to shade over a stretch, and what is left.
 * @param {Floats} seen @param {Floats} model @param {number} from @param {number} to samples
 */
function fitted(seen, model, from, to) {
  let [n, m, s, mm, ms, ss] = [0, 0, 0, 0, 0, 0];
  for (let at = Math.max(0, from); at < Math.min(seen.length, to); at += 1) {
    const dark = model[at + ROOM];
    n += 1;
    m += dark;
    s += seen[at];
    mm += dark * dark;
    ms += dark * seen[at];
    ss += seen[at] * seen[at];
  }
  const spread = mm - (m * m) / n;
  const scale = spread > 1e-6 ? (ms - (m * s) / n) / spread : 0;
  return { scale, offset: (s - scale * m) / n, left: ss - (s * s) / n - scale * (ms - (m * s) / n) };
}

/** How badly a shape fits a place, at the best of three shifts.
 * @param {Floats} seen @param {Floats} rest darkness of all others @param {Floats} one @param {number} module @param {{ scale: number, offset: number }} fit
 * @param {number} least what it has to stay below: no more than that is told of what does not
 */
function misfit(seen, rest, one, module, { scale, offset }, least) {
  const from = Math.max(1, module * FINE - FINE);
  const to = Math.min(seen.length - 1, (module + 8) * FINE);
  const base = ROOM - module * FINE;
  for (let shift = -1; shift <= 1; shift += 1) {
    let sum = 0;
    for (let at = from; at < to && sum < least; at += 1) {
      const dark = rest[at + ROOM] + one[at + base];
      const off = seen[at + shift] - scale * dark - offset;
      sum += off * off;
    }
    least = Math.min(least, sum);
  }
  return least;
}

/** The digits that fit best. @param {Floats} seen @param {Layout} kind @param {string[]} start shapes @param {number} blur */
function best(seen, kind, start, blur) {
  const model = drawn(kind, start, blur);
  let margin = 1;
  const shapes = kind.places.map(({ from, shapes: all }, at) => {
    const fit = fitted(seen, model, (from - 14) * FINE, (from + 21) * FINE);
    const here = stampOf(start[at] ?? "", blur);
    add(model, from, here, -1);
    let [first, second] = [Infinity, Infinity];
    let found = "";
    for (const bits of all) {
      const cost = misfit(seen, model, stampOf(bits, blur), from, fit, second);
      if (cost < first) {
        second = first;
        first = cost;
        found = bits;
      } else if (cost < second) second = cost;
    }
    margin = Math.min(margin, (second - first) / (second + 1e-6));
    add(model, from, here, 1);
    return found;
  });
  return { shapes, margin };
}

/** @param {string} text @param {Layout} kind @returns {string[]} a shape for each digit that is drawn */
function shapesOf(text, kind) {
  const half = kind.places.length / 2;
  const sides = kind === THIRTEEN ? FIRST[Number(text[0])] ?? "" : "";
  const digits = kind === THIRTEEN ? text.slice(1) : text;
  return [...digits].map((digit, at) => {
    const set = at >= half ? RIGHT : sides[at] === "1" ? EVEN : LEFT;
    return set[Number(digit)] ?? "";
  });
}

/** @param {string[]} shapes @param {Layout} kind @returns {string} empty where they make no valid code */
function textOf(shapes, kind) {
  const half = kind.places.length / 2;
  const parity = shapes.slice(0, half).map((bits) => (LEFT.includes(bits) ? "0" : "1")).join("");
  const first = kind === THIRTEEN ? FIRST.indexOf(parity) : -1;
  if (kind === THIRTEEN && first < 0) return "";
  const digits = shapes.map((bits, at) => (at >= half ? RIGHT : LEFT.includes(bits) ? LEFT : EVEN).indexOf(bits)).join("");
  const text = kind === THIRTEEN ? `${first}${digits}` : digits;
  return checked(text) ? text : "";
}

/** Digits of a half that is not known yet: as dark as any, on the mean. */
const ANY = "any";

/** Width of blur at which the digits fit best. @param {Floats} seen @param {Layout} kind @param {string[]} shapes @param {number} wide pixels */
function sharpest(seen, kind, shapes, wide) {
  let found = { blur: 1, left: Infinity };
  for (const pixels of BLURS) {
    const blur = (pixels * kind.modules * FINE) / wide / 2;
    const { left } = fitted(seen, drawn(kind, shapes, blur), 0, seen.length);
    if (left < found.left) found = { blur, left };
  }
  return found;
}

/**
 * An EAN-13 read by the shade of its digits alone, where a reader of widths sees nothing any more.
 * @param {Grey} grey
 * @param {Quad} quad of the bars; it may lie upside down
 * @returns {{ text: string, margin: number, quad: Quad } | null} quad: as it is read
 */
export function readByShade(grey, [a, b, c, d]) {
  let found = null;
  for (const quad of /** @type {Quad[]} */ ([[a, b, c, d], [c, d, a, b]])) {
    const seen = shade(grey, quad, THIRTEEN.modules);
    const wide = Math.hypot(b.x - a.x, b.y - a.y);
    let shapes = THIRTEEN.places.map(() => ANY);
    let margin = 0;
    for (let round = 0; round < 3; round += 1) {
      const { blur } = sharpest(seen, THIRTEEN, shapes, wide);
      ({ shapes, margin } = best(seen, THIRTEEN, shapes, blur));
    }
    const text = textOf(shapes, THIRTEEN);
    if (text && margin > (found?.margin ?? 0)) found = { text, margin, quad };
  }
  return found;
}

/**
 * What an EAN or UPC-A code says by the shade of each digit.
 * @param {Grey} grey
 * @param {Quad} quad of the bars, to a third of a module at either end
 * @param {string} format "EAN13", "UPCA" or "EAN8"
 * @param {string} text what was read
 * @returns {{ text: string, margin: number } | null} the text, empty where the best digits make no valid
 *   code; margin: by what share of its misfit the closest call was won, 0..1. Null: no such format
 */
export function secondOpinion(grey, quad, format, text) {
  const kind = format === "EAN8" ? EIGHT : format === "EAN13" || format === "UPCA" ? THIRTEEN : null;
  const long = format === "UPCA" && text.length === 12;
  const digits = long ? `0${text}` : text;
  if (!kind || digits.length !== (kind === EIGHT ? 8 : 13) || !/^\d+$/.test(digits)) return null;
  const seen = shade(grey, quad, kind.modules);
  const start = shapesOf(digits, kind);
  const wide = Math.hypot(quad[1].x - quad[0].x, quad[1].y - quad[0].y);
  const { shapes, margin } = best(seen, kind, start, sharpest(seen, kind, start, wide).blur);
  const found = textOf(shapes, kind);
  return { text: long && found.startsWith("0") ? found.slice(1) : found, margin };
}
