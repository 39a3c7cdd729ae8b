// A linear code straightened out and enlarged: three bands of rows, each averaged along the bars,
// sampled three times as fine by cubic convolution (Keys 1981) and sharpened. Codes too small for
// the reader become readable; that two bands must agree keeps most phantoms out.

/** @typedef {import("../types.js").Bytes} Bytes */
/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Quad} Quad */

const FINER = 3;
const BANDS = 3;
const ROWS = 6;
/** Copies of a band in the strip: a reader that asks for more equal lines than this asks for two bands. */
export const COPIES = 3;
/** Quiet zone to either side, as a share of the width. */
const MARGIN = 0.16;
const SHARPEN = 0.9;
const WIDEST = 2400;

/** By cubic convolution (a = -0.5); asked for each sample of each strip, so it is written out.
 * @param {Grey} grey @param {number} x @param {number} y
 */
function cubic({ data, width, height }, x, y) {
  const u = Math.min(Math.max(x - 0.5, 1), width - 3.001);
  const v = Math.min(Math.max(y - 0.5, 1), height - 3.001);
  const left = u | 0;
  const top = v | 0;
  const t = u - left;
  const s = 1 - t;
  const a = -0.5 * t * s * s;
  const b = 1 + t * t * (1.5 * t - 2.5);
  const c = 1 + s * s * (1.5 * s - 2.5);
  const d = -0.5 * s * t * t;
  const f = v - top;
  const g = 1 - f;
  const one = (top - 1) * width + left - 1;
  const two = one + width;
  const three = two + width;
  const four = three + width;
  return (
    -0.5 * f * g * g * (a * data[one] + b * data[one + 1] + c * data[one + 2] + d * data[one + 3]) +
    (1 + f * f * (1.5 * f - 2.5)) * (a * data[two] + b * data[two + 1] + c * data[two + 2] + d * data[two + 3]) +
    (1 + g * g * (1.5 * g - 2.5)) * (a * data[three] + b * data[three + 1] + c * data[three + 2] + d * data[three + 3]) +
    -0.5 * g * f * f * (a * data[four] + b * data[four + 1] + c * data[four + 2] + d * data[four + 3])
  );
}

/** Unsharp mask with a box of about one module. @param {Floats} values @param {number} radius @param {Bytes} out @param {number} from */
function sharpened(values, radius, out, from) {
  let sum = 0;
  for (let at = -radius; at <= radius; at += 1) sum += values[Math.max(0, at)];
  for (let at = 0; at < values.length; at += 1) {
    const blurred = sum / (2 * radius + 1);
    out[from + at] = Math.max(0, Math.min(255, Math.round(values[at] + SHARPEN * (values[at] - blurred))));
    sum += values[Math.min(values.length - 1, at + radius + 1)] - values[Math.max(0, at - radius)];
  }
}

/**
 * @param {Grey} grey
 * @param {Quad} quad about the bars; a quiet zone is added
 * @returns {{ strip: Grey, back: (x: number, y: number) => { x: number, y: number } }} back: the strip's pixels to the picture's
 */
export function straightened(grey, [a, b, c, d]) {
  const wide = (Math.hypot(b.x - a.x, b.y - a.y) + Math.hypot(c.x - d.x, c.y - d.y)) / 2;
  const width = Math.min(WIDEST, Math.round(wide * (1 + 2 * MARGIN) * FINER));
  const back = (/** @type {number} */ x, /** @type {number} */ y) => {
    const i = (x / width) * (1 + 2 * MARGIN) - MARGIN;
    const j = 0.2 + 0.6 * (y / (BANDS * COPIES));
    return {
      x: (a.x * (1 - i) + b.x * i) * (1 - j) + (d.x * (1 - i) + c.x * i) * j,
      y: (a.y * (1 - i) + b.y * i) * (1 - j) + (d.y * (1 - i) + c.y * i) * j,
    };
  };
  const strip = { data: new Uint8Array(width * BANDS * COPIES), width, height: BANDS * COPIES };
  /** @type {Floats} */
  const mean = new Float32Array(width);
  for (let band = 0; band < BANDS; band += 1) {
    mean.fill(0);
    for (let row = 0; row < ROWS; row += 1) {
      const y = (band + (row + 0.5) / ROWS) * COPIES;
      const from = back(0, y);
      const to = back(width, y);
      for (let at = 0; at < width; at += 1) {
        const i = (at + 0.5) / width;
        mean[at] += cubic(grey, from.x + (to.x - from.x) * i, from.y + (to.y - from.y) * i) / ROWS;
      }
    }
    for (let copy = 0; copy < COPIES; copy += 1) sharpened(mean, 3, strip.data, (band * COPIES + copy) * width);
  }
  return { strip, back };
}
