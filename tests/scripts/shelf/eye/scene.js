// A shelf with codes on labels, seen by a moving camera: pictures whose truth is known.
// Brightness only; codes are drawn by area, so that a module may be any number of pixels wide.

/** @typedef {{ data: Uint8Array, width: number, height: number }} Grey */
/** @typedef {{ x: number, y: number }} Point */
/** @typedef {{ text: string, format: string, corners: Point[] }} Truth corners in the plane's pixels */
/** @typedef {{ plane: Grey, scale: number, codes: Truth[] }} Scene the plane is `scale` times as fine as the frames */

const LEFT = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"];
const SIDES = ["LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"];
const right = (/** @type {string} */ left) => [...left].map((bit) => (bit === "1" ? "0" : "1")).join("");
const even = (/** @type {string} */ left) => [...right(left)].reverse().join("");

/** Numbers from 0 to 1 that are the same each time (mulberry32). @param {number} seed */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** @param {string} digits without the check digit */
export function withCheck(digits) {
  const sum = [...digits].reverse().reduce((all, digit, at) => all + Number(digit) * (at % 2 ? 1 : 3), 0);
  return digits + String((10 - (sum % 10)) % 10);
}

/** @param {string} text 13 digits @returns {string} 95 modules, 1 is a bar (GS1 General Specifications 5.2.1) */
export function ean13(text) {
  const first = Number(text[0]);
  const left = [...text.slice(1, 7)].map((digit, at) => {
    const code = LEFT[Number(digit)];
    return SIDES[first][at] === "G" ? even(code) : code;
  });
  return `101${left.join("")}01010${[...text.slice(7)].map((digit) => right(LEFT[Number(digit)])).join("")}101`;
}

/** @param {string} text 8 digits */
export function ean8(text) {
  const code = (/** @type {string} */ digit) => LEFT[Number(digit)];
  return `101${[...text.slice(0, 4)].map(code).join("")}01010${[...text.slice(4)].map((digit) => right(code(digit))).join("")}101`;
}

/** Darkens a rectangle by the share of each pixel that it covers.
 * @param {Float32Array} plane @param {number} width
 * @param {number} left @param {number} top @param {number} right_ @param {number} bottom @param {number} shade
 */
function rectangle(plane, width, left, top, right_, bottom, shade) {
  const height = plane.length / width;
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, Math.ceil(bottom)); y += 1) {
    const tall = Math.min(y + 1, bottom) - Math.max(y, top);
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, Math.ceil(right_)); x += 1) {
      const part = tall * (Math.min(x + 1, right_) - Math.max(x, left));
      const at = y * width + x;
      plane[at] += (shade - plane[at]) * part;
    }
  }
}

/**
 * @typedef {object} Plan
 * @property {number} columns
 * @property {number} rows
 * @property {number} module pixels of the frame
 * @property {number} [tall] of the bars, pixels of the frame
 * @property {number} [seed]
 * @property {number} [width]
 * @property {number} [height]
 * @property {(at: number) => { text: string, format: string, modules: string[] }} [code] rows of modules
 */

/** @param {Plan} plan @returns {Scene} */
export function shelf({ columns, rows, module, tall = 46, seed = 1, width = 1280, height = 720, code }) {
  const scale = 2;
  const wide = width * scale;
  const plane = new Float32Array(wide * height * scale).fill(150);
  const random = dice(seed);
  for (let box = 0; box < 500; box += 1) {
    const x = random() * wide;
    const y = random() * height * scale;
    rectangle(plane, wide, x, y, x + 10 + random() * 120, y + 10 + random() * 60, 50 + random() * 170);
  }
  const made = code ?? ((at) => {
    const text = withCheck(String(690000000000 + seed * 100003 + at * 7919));
    return { text, format: "EAN13", modules: [ean13(text)] };
  });
  /** @type {Truth[]} */
  const codes = [];
  for (let at = 0; at < columns * rows; at += 1) {
    const { text, format, modules } = made(at);
    const size = module * scale;
    const across = modules[0].length * size;
    const down = modules.length > 1 ? modules.length * size : tall * scale;
    const middle_x = ((at % columns) + 0.5) * (wide / columns) + (random() - 0.5) * 4;
    const middle_y = (Math.floor(at / columns) + 0.5) * ((height * scale) / rows) + (random() - 0.5) * 8;
    const left = middle_x - across / 2;
    const top = middle_y - down / 2;
    const quiet = 9 * size;
    rectangle(plane, wide, left - quiet, top - 8, left + across + quiet, top + down + 28, 235);
    modules.forEach((row, line) => {
      const from = top + (line * down) / modules.length;
      [...row].forEach((bit, column) => {
        if (bit === "1") rectangle(plane, wide, left + column * size, from, left + (column + 1) * size, from + down / modules.length, 25);
      });
    });
    for (let digit = 0; digit < 13; digit += 1) {
      const x = left + (digit * across) / 13;
      rectangle(plane, wide, x, top + down + 8, x + 3 + random() * 7, top + down + 20, 60);
    }
    codes.push({ text, format, corners: [{ x: left, y: top }, { x: left + across, y: top }, { x: left + across, y: top + down }, { x: left, y: top + down }] });
  }
  return { plane: { data: Uint8Array.from(plane, (value) => Math.round(value)), width: wide, height: height * scale }, scale, codes };
}

/** @param {number[]} h nine numbers @param {Point} point */
export function through(h, { x, y }) {
  const w = h[6] * x + h[7] * y + h[8];
  return { x: (h[0] * x + h[1] * y + h[2]) / w, y: (h[3] * x + h[4] * y + h[5]) / w };
}

/** @param {number[]} m */
export function inverse(m) {
  const [a, b, c, d, e, f, g, h, i] = m;
  const one = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d];
  const whole = a * one[0] + b * one[3] + c * one[6];
  return one.map((value) => value / whole);
}

/**
 * A hand's view: rotation and zoom about the middle, shift, a little perspective.
 * @param {Scene} scene
 * @param {{ dx?: number, dy?: number, turn?: number, zoom?: number, tilt_x?: number, tilt_y?: number }} pose shifts in pixels, turn in radians, tilts as share of depth over half the picture
 * @returns {number[]} plane's pixels to frame's pixels
 */
export function view(scene, { dx = 0, dy = 0, turn = 0, zoom = 1, tilt_x = 0, tilt_y = 0 }) {
  const cx = scene.plane.width / 2;
  const cy = scene.plane.height / 2;
  const s = zoom / scene.scale;
  const c = Math.cos(turn) * s;
  const n = Math.sin(turn) * s;
  const p = tilt_x / cx;
  const q = tilt_y / cy;
  const ox = cx / scene.scale + dx;
  const oy = cy / scene.scale + dy;
  // [R|o] after moving the middle to the origin, divided by 1 + p x + q y
  const w = 1 - p * cx - q * cy;
  return [
    c + ox * p, -n + ox * q, -c * cx + n * cy + ox * w,
    n + oy * p, c + oy * q, -n * cx - c * cy + oy * w,
    p, q, w,
  ];
}

/**
 * What the camera takes: four samples a pixel, then noise.
 * @param {Scene} scene @param {number[]} h @param {{ noise?: number, seed?: number, width?: number, height?: number, blur?: Point }} [how] blur: the way moved while the shutter was open
 * @returns {Grey}
 */
export function take(scene, h, { noise = 2, seed = 1, width = 1280, height = 720, blur } = {}) {
  const back = inverse(h);
  const { data, width: wide, height: high } = scene.plane;
  const out = new Uint8Array(width * height);
  const random = dice(seed);
  const steps = blur ? 5 : 1;
  const spots = [[-0.25, -0.25], [0.25, -0.25], [-0.25, 0.25], [0.25, 0.25]];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let sum = 0;
      for (let step = 0; step < steps; step += 1) {
        const part = blur ? step / (steps - 1) - 0.5 : 0;
        for (const [sx, sy] of spots) {
          const px = x + 0.5 + sx - (blur ? blur.x * part : 0);
          const py = y + 0.5 + sy - (blur ? blur.y * part : 0);
          const w = back[6] * px + back[7] * py + back[8];
          const u = (back[0] * px + back[1] * py + back[2]) / w - 0.5;
          const v = (back[3] * px + back[4] * py + back[5]) / w - 0.5;
          const u0 = Math.floor(u);
          const v0 = Math.floor(v);
          if (u0 < 0 || v0 < 0 || u0 >= wide - 1 || v0 >= high - 1) {
            sum += 128;
            continue;
          }
          const a = u - u0;
          const b = v - v0;
          const at = v0 * wide + u0;
          sum += (data[at] * (1 - a) + data[at + 1] * a) * (1 - b) + (data[at + wide] * (1 - a) + data[at + wide + 1] * a) * b;
        }
      }
      const grain = noise ? (random() + random() + random() - 1.5) * 2 * noise : 0;
      out[y * width + x] = Math.max(0, Math.min(255, Math.round(sum / (steps * spots.length) + grain)));
    }
  }
  return { data: out, width, height };
}

/** @param {Grey} grey @param {number} to width @returns {Grey} by area, as a canvas does it */
export function shrink(grey, to = 320) {
  const factor = grey.width / to;
  const height = Math.round(grey.height / factor);
  const out = new Uint8Array(to * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < to; x += 1) {
      let sum = 0;
      for (let j = 0; j < factor; j += 1) for (let i = 0; i < factor; i += 1) sum += grey.data[(y * factor + j) * grey.width + x * factor + i];
      out[y * to + x] = Math.round(sum / (factor * factor));
    }
  }
  return { data: out, width: to, height };
}
