// A small picture at three sizes, slightly smoothed so that differences mean something.

/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {{ data: Floats, width: number, height: number }} Level */
/** @typedef {Level[]} Pyramid finest first, each half as wide as the one before */

export const LEVELS = 4;

/** Sums along rows, used anew for each frame. @type {Floats} */
let sums = new Float32Array(0);

/** @param {Grey} grey @returns {Level} smoothed by 1 2 1 in both directions */
function smoothed({ data, width, height }) {
  if (sums.length < width * height) sums = new Float32Array(width * height);
  const rows = sums;
  for (let y = 0; y < height; y += 1) {
    const first = y * width;
    const last = first + width - 1;
    // The rim goes on outside.
    let before = data[first];
    let here = before;
    for (let at = first; at < last; at += 1) {
      const next = data[at + 1];
      rows[at] = before + 2 * here + next;
      before = here;
      here = next;
    }
    rows[last] = before + 3 * here;
  }
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const from = y * width;
    const up = y ? from - width : from;
    const down = y < height - 1 ? from + width : from;
    for (let x = 0; x < width; x += 1) out[from + x] = (rows[up + x] + 2 * rows[from + x] + rows[down + x]) / 16;
  }
  return { data: out, width, height };
}

/** @param {Level} level @returns {Level} half the size, by area */
function halved({ data, width, height }) {
  const wide = width >> 1;
  const high = height >> 1;
  const out = new Float32Array(wide * high);
  for (let y = 0; y < high; y += 1) {
    for (let x = 0; x < wide; x += 1) {
      const at = 2 * y * width + 2 * x;
      out[y * wide + x] = (data[at] + data[at + 1] + data[at + width] + data[at + width + 1]) / 4;
    }
  }
  return { data: out, width: wide, height: high };
}

/** @param {Grey} grey @returns {Pyramid} */
export function pyramidOf(grey) {
  const pyramid = [smoothed(grey)];
  for (let level = pyramid[0]; level && pyramid.length < LEVELS; level = pyramid[pyramid.length - 1]) pyramid.push(halved(level));
  return pyramid;
}
