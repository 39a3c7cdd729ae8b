// The page's own reader and follower over a film, in Node: what would stand over each frame.
//
//   node follow.js < FILM > SIGHTINGS
//
// In: one line of JSON, { width, height, fps, late, known: GTIN[] }, then grey frames, one byte a
// pixel. Out: one line of JSON a frame, [id, state, text, gtin, x0, y0, ... x3, y3] of each sighting.
// `late`: a detection arrives so many frames after its frame, and the next begins then: the pace of
// a phone in virtual time. Nothing here depends on how fast the machine is.

import { readFile } from "node:fs/promises";
import { prepareZXingModule } from "zxing-wasm/reader";
import { Reader } from "../../../web/static/shelf/eye/decode/reader.js";
import { Follower, MOTION_WIDTH } from "../../../web/static/shelf/eye/follow.js";
import { readCode } from "../../../web/static/shelf/codes/gs1.js";

const wasm = await readFile(new URL("../../../web/static/vendor/zxing/zxing_reader.wasm", import.meta.url));
const zxing = await prepareZXingModule({ overrides: { wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) }, fireImmediately: true });

/** Bytes of standard input in the pieces that are asked for. */
class Input {
  #chunks = /** @type {Buffer[]} */ ([]);
  #held = 0;
  #stream = process.stdin[Symbol.asyncIterator]();

  /** @param {(have: number) => boolean} enough @returns {Promise<boolean>} */
  async #fill(enough) {
    while (!enough(this.#held)) {
      const { value, done } = await this.#stream.next();
      if (done) return false;
      this.#chunks.push(value);
      this.#held += value.length;
    }
    return true;
  }

  /** @param {number} size @returns {Promise<Buffer | null>} null at the end */
  async take(size) {
    if (!(await this.#fill((have) => have >= size))) return null;
    const all = this.#chunks.length === 1 ? /** @type {Buffer} */ (this.#chunks[0]) : Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(size)];
    this.#held -= size;
    return all.subarray(0, size);
  }

  /** @returns {Promise<string>} */
  async line() {
    let text = "";
    for (;;) {
      const byte = await this.take(1);
      if (!byte || byte[0] === 10) return text;
      text += byte.toString("latin1");
    }
  }
}

/** The mean of each square: what a canvas gives that draws the frame small. @param {Uint8Array} data @param {number} width @param {number} height */
function small(data, width, height) {
  const step = width / MOTION_WIDTH, rows = Math.round(height / step), made = new Uint8Array(MOTION_WIDTH * rows);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < MOTION_WIDTH; x += 1) {
      let sum = 0;
      for (let v = y * step; v < (y + 1) * step; v += 1) for (let u = x * step; u < (x + 1) * step; u += 1) sum += data[v * width + u] ?? 0;
      made[y * MOTION_WIDTH + x] = sum / (step * step) + 0.5;
    }
  }
  return { data: made, width: MOTION_WIDTH, height: rows };
}

const input = new Input();
const { width, height, fps, late, known } = JSON.parse(await input.line());
const listed = new Set(known);
const follower = new Follower((text, format) => {
  const { gtin, lot, expiry } = readCode(text, format);
  return listed.has(gtin) ? { gtin, units: 1, lot, expiry } : null;
});
const reader = new Reader(zxing);
/** @type {{ number: number, found: any[] } | null} */
let reading = null;

for (let number = 0; ; number += 1) {
  const data = await input.take(width * height);
  if (!data) break;
  if (reading && number >= reading.number + late) {
    follower.detected(reading.number, reading.found);
    reading = null;
  }
  const frame = { width, height, at_ms: (number * 1000) / fps, number };
  const sightings = follower.frame(small(data, width, height), frame);
  if (!reading) {
    reading = { number, found: reader.read({ data, width, height }, follower.wanted(), Infinity) };
  }
  const told = sightings.map(({ id, state, text, known: of, quad }) => [id, state, text, of?.gtin ?? "", ...quad.flatMap(({ x, y }) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100])]);
  if (!process.stdout.write(`${JSON.stringify(told)}\n`)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}
