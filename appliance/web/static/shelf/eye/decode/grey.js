// A camera frame's brightness. Where the browser hands out the frame as the camera made it, its
// first plane is just that and is copied; otherwise it is drawn and converted.

/** @typedef {import("../types.js").Bytes} Bytes */
/** @typedef {import("../types.js").Grey} Grey */

const PLANAR = new Set(["I420", "I420A", "I422", "I444", "NV12"]);

/** RGBA to brightness (ITU-R BT.601). @param {Record<number, any>} rgba @param {Bytes} out */
export function brightnessOf(rgba, out) {
  for (let at = 0, from = 0; at < out.length; at += 1, from += 4) {
    out[at] = (77 * rgba[from] + 150 * rgba[from + 1] + 29 * rgba[from + 2] + 128) >> 8;
  }
}

/** Rows of `stride` bytes to rows of `width`. @param {Bytes} data @param {number} offset @param {number} stride @param {number} width @param {number} height @returns {Bytes} */
export function packed(data, offset, stride, width, height) {
  if (stride === width) return data.subarray(offset, offset + width * height);
  const out = new Uint8Array(width * height);
  for (let row = 0; row < height; row += 1) out.set(data.subarray(offset + row * stride, offset + row * stride + width), row * width);
  return out;
}

export class Greys {
  constructor() {
    this.bytes = new Uint8Array(0);
    /** @type {OffscreenCanvas | null} */
    this.canvas = null;
  }

  /** @param {VideoFrame | ImageBitmap} picture @returns {Promise<Grey>} valid until the next call */
  async of(picture) {
    const planar = "copyTo" in picture && picture.format && PLANAR.has(picture.format) ? await this.plane(picture) : null;
    return planar ?? this.drawn(picture);
  }

  /** @param {VideoFrame} frame @returns {Promise<Grey | null>} null where the browser does not give its planes */
  async plane(frame) {
    try {
      const size = frame.allocationSize();
      if (this.bytes.length < size) this.bytes = new Uint8Array(size);
      const [first] = await frame.copyTo(this.bytes);
      const rect = frame.visibleRect;
      if (!first || !rect) return null;
      return { data: packed(this.bytes, first.offset, first.stride, rect.width, rect.height), width: rect.width, height: rect.height };
    } catch {
      return null;
    }
  }

  /** @param {VideoFrame | ImageBitmap} picture @returns {Grey} */
  drawn(picture) {
    const width = "displayWidth" in picture ? picture.displayWidth : picture.width;
    const height = "displayHeight" in picture ? picture.displayHeight : picture.height;
    if (this.canvas?.width !== width || this.canvas.height !== height) this.canvas = new OffscreenCanvas(width, height);
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("this browser draws nothing outside the page");
    context.drawImage(picture, 0, 0, width, height);
    if (this.bytes.length < width * height) this.bytes = new Uint8Array(width * height);
    const data = this.bytes.subarray(0, width * height);
    brightnessOf(context.getImageData(0, 0, width, height).data, data);
    return { data, width, height };
  }
}
