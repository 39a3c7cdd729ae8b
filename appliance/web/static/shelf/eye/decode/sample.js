// Brightness between pixels, bilinear; outside the picture its rim goes on.

/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {{ from: Point, u: Point, v: Point }} Line from a point along u, one pixel a step; rows lie side by side along v */

/**
 * Mean brightness along a line, one value a pixel, over rows that lie at `from`..`to` along v.
 * @param {Grey} grey @param {Line} line @param {number} from @param {number} to pixels along v @param {number} rows
 * @param {Floats} out one value a step
 */
export function profile(grey, { from: start, u, v }, from, to, rows, out) {
  out.fill(0);
  for (let row = 0; row < rows; row += 1) {
    const t = rows === 1 ? from : from + ((to - from) * row) / (rows - 1);
    addRow(grey, start.x + v.x * t - 0.5, start.y + v.y * t - 0.5, u.x, u.y, out);
  }
  for (let at = 0; at < out.length; at += 1) out[at] /= rows;
}

/**
 * Adds what stands along a line; the hot loop of the whole eye, so it is written out.
 * @param {Grey} grey @param {number} x @param {number} y in pixels whose first centre is (0, 0)
 * @param {number} dx @param {number} dy a step @param {Floats} out
 */
function addRow({ data, width, height }, x, y, dx, dy, out) {
  const right = width - 1.001;
  const bottom = height - 1.001;
  const steps = out.length;
  const [end_x, end_y] = [x + dx * steps, y + dy * steps];
  // Steps add up with rounding: a pixel to spare, and all of a straight line lies inside with its ends.
  if (x > 1 && y > 1 && end_x > 1 && end_y > 1 && x < right - 1 && end_x < right - 1 && y < bottom - 1 && end_y < bottom - 1) {
    for (let at = 0; at < steps; at += 1) {
      const left = x | 0;
      const top = y | 0;
      const a = x - left;
      const first = top * width + left;
      const second = first + width;
      const upper = data[first] + (data[first + 1] - data[first]) * a;
      const lower = data[second] + (data[second + 1] - data[second]) * a;
      out[at] += upper + (lower - upper) * (y - top);
      x += dx;
      y += dy;
    }
    return;
  }
  for (let at = 0; at < steps; at += 1) {
    const u = x < 0 ? 0 : x > right ? right : x;
    const v = y < 0 ? 0 : y > bottom ? bottom : y;
    const left = u | 0;
    const top = v | 0;
    const a = u - left;
    const first = top * width + left;
    const upper = data[first] + (data[first + 1] - data[first]) * a;
    const second = first + width;
    const lower = data[second] + (data[second + 1] - data[second]) * a;
    out[at] += upper + (lower - upper) * (v - top);
    x += dx;
    y += dy;
  }
}

/** @param {Grey} grey @param {number} x @param {number} y pixels, the first one's centre is (0.5, 0.5) @returns {number} 0..255 */
export function brightnessAt({ data, width, height }, x, y) {
  const u = Math.min(Math.max(x - 0.5, 0), width - 1.001);
  const v = Math.min(Math.max(y - 0.5, 0), height - 1.001);
  const left = u | 0;
  const top = v | 0;
  const first = top * width + left;
  const second = first + width;
  const upper = data[first] + (data[first + 1] - data[first]) * (u - left);
  const lower = data[second] + (data[second + 1] - data[second]) * (u - left);
  return Math.fround(upper + (lower - upper) * (v - top));
}
