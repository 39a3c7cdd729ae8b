// A reader for phones that are too slow to read for themselves: whole frames go to the appliance, ten
// a second at most, and its codes come back as this phone's own worker would tell them. It stands in
// the place of the eye's worker (`new Eye({ worker: distantReader(...) })`); tracking stays in the phone.

import { Line, readerUrl } from "./line.js";
import { quadOf } from "./messages.js";

/** @typedef {import("./messages.js").Answer} Answer */
/** @typedef {import("../eye/types.js").Detection} Detection */

const LEAST_APART_MS = 100;
const QUALITY = 0.8;

/** @param {Answer} told @returns {Detection[]} as a worker tells them */
export function detectionsOf(told) {
  const read = told.codes.flatMap((code) => {
    const quad = quadOf(code.quad);
    if (!quad) return [];
    // Two lines agreed on a linear code there; enlarged ones are told for listed products alone.
    return [{ text: code.text, format: code.format, quad, unread: false, upscaled: code.how === "enlarged", lines: 2, cut: false, firm: false }];
  });
  const unread = told.unread.flatMap((numbers) => {
    const quad = quadOf(numbers);
    return quad ? [{ text: "", format: "", quad, unread: true, upscaled: false, lines: 0, cut: false, firm: false }] : [];
  });
  return [...read, ...unread];
}

class DistantReader extends EventTarget {
  /** @param {{ place: () => string, line: Pick<Line, "ask" | "close"> }} parts */
  constructor({ place, line }) {
    super();
    this.place = place;
    this.line = line;
    this.last = -LEAST_APART_MS;
  }

  /** @param {{ kind: string, number: number, picture: VideoFrame | ImageBitmap }} job */
  postMessage({ kind, number, picture }) {
    if (kind === "frame") void this.read(number, picture);
  }

  terminate() {
    this.line.close();
  }

  /** @param {number} number @param {VideoFrame | ImageBitmap} picture */
  async read(number, picture) {
    const from = performance.now();
    try {
      const jpeg = await jpegOf(picture);
      const wait = LEAST_APART_MS - (performance.now() - this.last);
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      this.last = performance.now();
      const told = await this.line.ask({ kind: "frame", place: this.place(), quad: [] }, jpeg);
      const detections = "problem" in told ? [] : detectionsOf(told);
      this.say({ kind: "found", number, detections, took_ms: performance.now() - from });
    } catch {
      // Out of reach for now: the eye goes on with what it has, and the next frame asks again.
      this.say({ kind: "found", number, detections: [], took_ms: performance.now() - from });
    }
  }

  /** @param {object} data */
  say(data) {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

/** @param {VideoFrame | ImageBitmap} picture is closed @returns {Promise<Blob>} */
async function jpegOf(picture) {
  const width = "displayWidth" in picture ? picture.displayWidth : picture.width;
  const height = "displayHeight" in picture ? picture.displayHeight : picture.height;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.drawImage(picture, 0, 0);
  picture.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}

/**
 * @param {{ place: () => string, line?: Pick<Line, "ask" | "close"> }} parts
 * @returns {Worker} to be given to the eye
 */
export function distantReader({ place, line = new Line(readerUrl()) }) {
  return /** @type {Worker} */ (/** @type {unknown} */ (new DistantReader({ place, line })));
}
