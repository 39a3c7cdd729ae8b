// Where points of one picture are in another: Lucas and Kanade (1981) from coarse to fine
// (Bouguet 2000), kept only where the way back ends where it began (Kalal et al. 2010).

/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("./pyramid.js").Level} Level */
/** @typedef {import("./pyramid.js").Pyramid} Pyramid */

const REACH = 4;
const SIDE = 2 * REACH + 1;
const AREA = SIDE * SIDE;
const ROUNDS = 8;
const ENOUGH = 0.01;
const BACK = 0.35;

/** @type {Floats} */
const patch = new Float32Array(AREA);
/** @type {Floats} */
const slope_x = new Float32Array(AREA);
/** @type {Floats} */
const slope_y = new Float32Array(AREA);
/** @type {Floats} */
const wider = new Float32Array((SIDE + 2) * (SIDE + 2));

/** A square about a point, row by row. @param {Level} level @param {number} x @param {number} y @param {number} reach @param {Floats} out
 * @returns {boolean} whether it lies inside the picture
 */
function cut({ data, width, height }, x, y, reach, out) {
  const left = Math.floor(x - reach);
  const top = Math.floor(y - reach);
  const side = 2 * reach + 1;
  if (!(left >= 0 && top >= 0 && left + side < width && top + side < height)) return false;
  const a = x - reach - left;
  const b = y - reach - top;
  const w00 = (1 - a) * (1 - b);
  const w10 = a * (1 - b);
  const w01 = (1 - a) * b;
  const w11 = a * b;
  let to = 0;
  for (let row = 0; row < side; row += 1) {
    let at = (top + row) * width + left;
    for (let column = 0; column < side; column += 1, at += 1, to += 1) {
      out[to] = w00 * data[at] + w10 * data[at + 1] + w01 * data[at + width] + w11 * data[at + width + 1];
    }
  }
  return true;
}

/** The patch and its slopes. @param {Level} level @param {number} x @param {number} y */
function learn(level, x, y) {
  if (!cut(level, x, y, REACH + 1, wider)) return null;
  const side = SIDE + 2;
  let [xx, xy, yy, mean] = [0, 0, 0, 0];
  for (let row = 0, to = 0; row < SIDE; row += 1) {
    for (let column = 0; column < SIDE; column += 1, to += 1) {
      const at = (row + 1) * side + column + 1;
      const gx = (wider[at + 1] - wider[at - 1]) / 2;
      const gy = (wider[at + side] - wider[at - side]) / 2;
      patch[to] = wider[at];
      slope_x[to] = gx;
      slope_y[to] = gy;
      mean += wider[at];
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
    }
  }
  const turn = xx * yy - xy * xy;
  return turn > 1e-3 * AREA ? { xx, xy, yy, turn, mean: mean / AREA } : null;
}

/** @type {Floats} */
const seen = new Float32Array(AREA);

/** One level's steps. @param {Level} from @param {Level} to @param {Point} at @param {Point} guess @returns {Point | null} */
function step(from, to, at, guess) {
  const known = learn(from, at.x, at.y);
  if (!known) return null;
  let { x, y } = guess;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (!cut(to, x, y, REACH, seen)) return null;
    let mean = 0;
    for (let pixel = 0; pixel < AREA; pixel += 1) mean += seen[pixel];
    // Light that changes as a whole moves nothing.
    const brighter = mean / AREA - known.mean;
    let bx = 0;
    let by = 0;
    for (let pixel = 0; pixel < AREA; pixel += 1) {
      const off = patch[pixel] - seen[pixel] + brighter;
      bx += off * slope_x[pixel];
      by += off * slope_y[pixel];
    }
    const dx = (known.yy * bx - known.xy * by) / known.turn;
    const dy = (known.xx * by - known.xy * bx) / known.turn;
    x += dx;
    y += dy;
    if (dx * dx + dy * dy < ENOUGH * ENOUGH) break;
  }
  return { x, y };
}

/** @param {Pyramid} from @param {Pyramid} to @param {Point} at @param {Point} guess finest level's pixels @param {number} coarsest @returns {Point | null} */
function follow(from, to, at, guess, coarsest) {
  let off = { x: guess.x - at.x, y: guess.y - at.y };
  let found = false;
  for (let level = Math.min(coarsest, from.length - 1); level >= 0; level -= 1) {
    const size = 2 ** -level;
    // Areas are halved about pixel edges, so centres shift by half a pixel of the finest level.
    const here = { x: (at.x + 0.5) * size - 0.5, y: (at.y + 0.5) * size - 0.5 };
    const one = from[level];
    const other = to[level];
    if (!one || !other) return null;
    const there = step(one, other, here, { x: here.x + off.x * size, y: here.y + off.y * size });
    if (there) {
      off = { x: (there.x - here.x) / size, y: (there.y - here.y) / size };
      found = true;
    } else if (level === 0) return null;
  }
  return found ? { x: at.x + off.x, y: at.y + off.y } : null;
}

/**
 * @param {Pyramid} from @param {Pyramid} to
 * @param {Point[]} points in `from`
 * @param {Point[]} guesses where they may be in `to`
 * @param {number} coarsest level to begin at: each doubles how far a guess may be off
 * @returns {(Point | null)[]} null: gone, or not the same both ways
 */
export function flow(from, to, points, guesses, coarsest) {
  return points.map((point, at) => {
    const guess = guesses[at] ?? point;
    const there = follow(from, to, point, guess, coarsest);
    if (!there) return null;
    const back = follow(to, from, there, point, 0);
    return back && Math.hypot(back.x - point.x, back.y - point.y) < BACK ? there : null;
  });
}
