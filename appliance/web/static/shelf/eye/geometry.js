// Points, quads and homographies in the plane. Quads run top left, top right, bottom right, bottom
// left as the code is read; see types.js for where a pixel's centre lies.

/** @typedef {import("./types.js").Homography} Homography */
/** @typedef {import("./types.js").Point} Point */
/** @typedef {import("./types.js").Quad} Quad */

/** @returns {Homography} */
export function unmoved() {
  return Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
}

/** @param {Homography} h @param {Point} point @returns {Point} */
export function moved(h, { x, y }) {
  const w = h[6] * x + h[7] * y + h[8];
  return { x: (h[0] * x + h[1] * y + h[2]) / w, y: (h[3] * x + h[4] * y + h[5]) / w };
}

/** @param {Homography} h @param {Quad} quad @returns {Quad} */
export function movedQuad(h, quad) {
  return [moved(h, quad[0]), moved(h, quad[1]), moved(h, quad[2]), moved(h, quad[3])];
}

/** First `first`, then `then`. @param {Homography} then @param {Homography} first @returns {Homography} */
export function chained(then, first) {
  /** @type {Homography} */
  const out = new Float64Array(9);
  for (let row = 0; row < 3; row += 1) {
    for (let column = 0; column < 3; column += 1) {
      out[row * 3 + column] =
        then[row * 3] * first[column] + then[row * 3 + 1] * first[3 + column] + then[row * 3 + 2] * first[6 + column];
    }
  }
  const whole = out[8];
  for (let at = 0; at < 9; at += 1) out[at] /= whole;
  return out;
}

/** The same motion in pixels that are `factor` times as small. @param {Homography} h @param {number} factor @returns {Homography} */
export function enlarged(h, factor) {
  return Float64Array.of(h[0], h[1], h[2] * factor, h[3], h[4], h[5] * factor, h[6] / factor, h[7] / factor, h[8]);
}

/** @param {Homography} m @returns {Homography} */
export function inverted(m) {
  const [a, b, c, d, e, f, g, h, i] = /** @type {[number, number, number, number, number, number, number, number, number]} */ ([...m]);
  const out = Float64Array.of(
    e * i - f * h, c * h - b * i, b * f - c * e,
    f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d,
  );
  /** @type {number} */
  const whole = out[8] ?? 1;
  return out.map((value) => value / whole);
}

/** @param {Quad} quad @returns {Homography} from the square (0, 0)..(1, 1) to the quad (Heckbert 1989, 2.2.3) */
export function squared([a, b, c, d]) {
  const sx = a.x - b.x + c.x - d.x;
  const sy = a.y - b.y + c.y - d.y;
  const turn = (b.x - c.x) * (d.y - c.y) - (d.x - c.x) * (b.y - c.y);
  const g = turn ? (sx * (d.y - c.y) - sy * (d.x - c.x)) / turn : 0;
  const h = turn ? ((b.x - c.x) * sy - (b.y - c.y) * sx) / turn : 0;
  return Float64Array.of(b.x - a.x + g * b.x, d.x - a.x + h * d.x, a.x, b.y - a.y + g * b.y, d.y - a.y + h * d.y, a.y, g, h, 1);
}

/** @param {Quad} quad @returns {Point} where the diagonals cross; the mean of the corners where they do not */
export function middle([a, b, c, d]) {
  return crossing(a, c, b, d) ?? { x: (a.x + b.x + c.x + d.x) / 4, y: (a.y + b.y + c.y + d.y) / 4 };
}

/** Where the line through a and b meets that through c and d; null where they run alongside.
 * @param {Point} a @param {Point} b @param {Point} c @param {Point} d @returns {Point | null}
 */
export function crossing(a, b, c, d) {
  const ux = b.x - a.x;
  const uy = b.y - a.y;
  const vx = d.x - c.x;
  const vy = d.y - c.y;
  const turn = ux * vy - uy * vx;
  if (Math.abs(turn) <= 1e-9 * (Math.sqrt((ux * ux + uy * uy) * (vx * vx + vy * vy)) + 1e-12)) return null;
  const part = ((c.x - a.x) * vy - (c.y - a.y) * vx) / turn;
  return { x: a.x + part * ux, y: a.y + part * uy };
}

/** @param {Quad} quad @returns {[Point, Point][]} */
function sides([a, b, c, d]) {
  return [[a, b], [b, c], [c, d], [d, a]];
}

/** @param {Quad} quad @returns {number} twice the signed area; above 0 where the corners run clockwise on the screen */
function doubled(quad) {
  let sum = 0;
  for (const [a, b] of sides(quad)) sum += a.x * b.y - b.x * a.y;
  return sum;
}

/** @param {Quad} quad @returns {number} square pixels */
export function areaOf(quad) {
  return Math.abs(doubled(quad)) / 2;
}

/** @param {Quad} quad @param {Point} point @returns {boolean} whether it lies inside a convex quad or on its rim */
export function holds([a, b, c, d], { x, y }) {
  // Asked of each pair of codes: written out, with nothing to allocate.
  const one = beside(a, b, x, y) | beside(b, c, x, y);
  return one !== 3 && (one | beside(c, d, x, y) | beside(d, a, x, y)) !== 3;
}

/** @param {Point} a @param {Point} b @param {number} x @param {number} y @returns {number} 1 or 2 for either side of the line, 0 on it */
function beside(a, b, x, y) {
  const side = (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x);
  return side > 0 ? 1 : side < 0 ? 2 : 0;
}

/**
 * Whether two quads stand for one place: the middle of one lies in the other.
 * @param {Quad} one @param {Quad} other
 */
export function together(one, other) {
  return holds(one, middle(other)) || holds(other, middle(one));
}

/** @param {Quad} quad @param {number} across @param {number} along factors about the middle, of the reading direction and of the other @returns {Quad} */
export function grown(quad, across, along) {
  const [a, b, c, d] = quad;
  const centre = { x: (a.x + b.x + c.x + d.x) / 4, y: (a.y + b.y + c.y + d.y) / 4 };
  const u = { x: (b.x + c.x - a.x - d.x) / 4, y: (b.y + c.y - a.y - d.y) / 4 };
  const v = { x: (c.x + d.x - a.x - b.x) / 4, y: (c.y + d.y - a.y - b.y) / 4 };
  return box(centre, { x: u.x * across, y: u.y * across }, { x: v.x * along, y: v.y * along });
}

/** @param {Point} centre @param {Point} u half its way to the right @param {Point} v half its way down @returns {Quad} */
export function box(centre, u, v) {
  const at = (/** @type {number} */ i, /** @type {number} */ j) => ({ x: centre.x + i * u.x + j * v.x, y: centre.y + i * u.y + j * v.y });
  return [at(-1, -1), at(1, -1), at(1, 1), at(-1, 1)];
}
