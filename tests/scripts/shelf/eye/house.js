// What the eye's stories share: the decoder, a stock list, and detections without a picture.

import { readFile } from "node:fs/promises";
import { prepareZXingModule } from "/static/vendor/zxing/reader/index.js";
import { Reader } from "/static/shelf/eye/decode/reader.js";

const WASM = new URL("../../../../appliance/web/static/vendor/zxing/zxing_reader.wasm", import.meta.url);

/** @type {Promise<any> | undefined} */
let loading;

/** A reader as the page's worker has it; time does not pass for it. */
export async function reader() {
  loading ??= readFile(WASM).then((wasmBinary) => prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true }));
  return new Reader(await loading, () => 0);
}

/** @param {string[]} listed @returns {import("../../../../appliance/web/static/shelf/types.js").Lookup} */
export function stock(listed) {
  const texts = new Set(listed);
  return (text) => (texts.has(text) ? { gtin: text.padStart(14, "0"), units: 1, lot: "", expiry: "" } : null);
}

/** A label's code of 150 x 50 pixels about a point. @param {number} x @param {number} y */
export function place(x, y) {
  return [{ x: x - 75, y: y - 25 }, { x: x + 75, y: y - 25 }, { x: x + 75, y: y + 25 }, { x: x - 75, y: y + 25 }];
}

/** @param {string} text @param {number} x @param {number} y @param {object} [more] */
export function seen(text, x, y, more = {}) {
  return { text, format: "EAN13", quad: place(x, y), unread: false, upscaled: false, lines: 30, cut: false, firm: true, ...more };
}

/** @param {number} x @param {number} y */
export function unread(x, y) {
  return seen("", x, y, { format: "", unread: true, lines: 0, firm: false });
}
