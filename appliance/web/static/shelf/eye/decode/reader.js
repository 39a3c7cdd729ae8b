// Codes out of one frame. Pure beside the decoder's memory: the WebAssembly module comes in as an
// argument, so that the page's worker, Node's tests and the bench run the very same code.

import { together } from "../geometry.js";
import { barsIn } from "./bars.js";
import { readByShade, secondOpinion } from "./ean.js";
import { COPIES, straightened } from "./strip.js";
import { outline, outlineIn } from "./outline.js";

/** @typedef {import("../types.js").Detection} Detection */
/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Quad} Quad */
/** What zxing-wasm's `prepareZXingModule({ fireImmediately: true })` gives. @typedef {any} Zxing */
/** What its module's `readBarcodesFromPixmap` finds. @typedef {{ isValid: boolean, text: string, bytes: Uint8Array, format: string, symbology: string, symbologyIdentifier: string, lineCount: number, error: string, position: Record<"topLeft" | "topRight" | "bottomRight" | "bottomLeft", { x: number, y: number }> }} Found */

const LINEAR = "EANUPC,Code128,ITF,DataBar";
const MATRIX = "QRCode,DataMatrix";
const BASE = {
  tryHarder: true,
  tryRotate: false,
  tryInvert: false,
  tryDownscale: false,
  tryDenoise: false,
  binarizer: 0, // LocalAverage
  isPure: false,
  downscaleFactor: 3,
  downscaleThreshold: 500,
  minLineCount: 2,
  maxNumberOfSymbols: 255,
  validateOptionalChecksum: true,
  returnErrors: false,
  eanAddOnSymbol: 0, // Ignore
  textMode: 0, // Plain: FNC1 comes as GS
  characterSet: 0,
  tryCode39ExtendedMode: true,
};
/** Symbology identifiers (ISO/IEC 15424) that promise GS1 element strings. */
const ELEMENT_STRINGS = new Map([["]C1", "GS1-128"], ["]d2", "GS1DataMatrix"], ["]Q3", "GS1QRCode"]]);
/** By what share of its misfit each digit must beat all others, to be firm; and to overrule what was read. */
const FIRM = 0.15;
const OVERRULES = 0.3;
/** A code that stands where it was known gets its outline every so many passes: the tracker keeps it in place. */
const OUTLINE_EACH = 3;
/** Matrix codes are looked for in each second pass. */
const MATRIX_EACH = 2;
/** The passes between see each second row, once something is known: a code is dozens of rows high. */
const SPARSE = 2;
/** A text that was firm so many passes ago is taken at its word where it stood. */
const TRUSTED_FOR = 30;
const MATRIX_CODES = new Set(["QRCode", "DataMatrix"]);
/** Rows over one another: their bars have no common end. */
const STACKED = new Set(["DataBarStk", "DataBarStkOmni", "DataBarExpStk"]);

/** Every `each`th row of a picture, from the row `first` on. @typedef {{ each: number, first: number }} Rows */
const ALL = { each: 1, first: 0 };

/** @param {Found} found @param {Rows} rows that were seen @returns {Quad} */
function quadOf({ position: { topLeft, topRight, bottomRight, bottomLeft } }, { each, first }) {
  const centred = (/** @type {{ x: number, y: number }} */ { x, y }) => ({ x: x + 0.5, y: y * each + first + 0.5 });
  return [centred(topLeft), centred(topRight), centred(bottomRight), centred(bottomLeft)];
}

export class Reader {
  /** @param {Zxing} zxing @param {() => number} [clock] milliseconds */
  constructor(zxing, clock = () => performance.now()) {
    this.zxing = zxing;
    this.clock = clock;
    this.passes = 0;
    this.room = 0;
    this.at = 0;
    /** In which pass each text was last firm. @type {Map<string, number>} */
    this.firm = new Map();
  }

  /**
   * One pass. Text is plain with FNC1 as GS (0x1D); `format` is the decoder's canonical name
   * ("EAN13", "UPCA", "Code128", "DataBarExp", "QRCode", "DataMatrix", "ITF14"), and "GS1-128",
   * "GS1DataMatrix", "GS1QRCode" where the symbol itself says that it holds element strings.
   * @param {Grey} picture full frame
   * @param {Quad[]} wanted where a code was or should be; those not read are tried enlarged
   * @param {number} budget_ms time that enlarging may take in all
   * @returns {Detection[]} quads cover the whole code, not the scanned lines alone
   */
  read(picture, wanted = [], budget_ms = 30) {
    this.passes += 1;
    const matrix = this.passes % MATRIX_EACH === 1;
    // What stands in too few of these rows is tried enlarged below, and has all its rows in the next pass.
    const rows = matrix || !wanted.length ? ALL : { each: SPARSE, first: (this.passes >> 1) % SPARSE };
    const found = this.decode(picture, { ...BASE, formats: matrix ? `${LINEAR},${MATRIX}` : LINEAR }, rows);
    /** @type {Detection[]} */
    const detections = [];
    for (const [turn, one] of found.entries()) {
      const detection = this.detection(picture, one, quadOf(one, rows), { upscaled: false, wanted, turn });
      if (detection) detections.push(detection);
    }
    const until = this.clock() + budget_ms;
    const places = this.unread(picture, detections, wanted);
    // Where time runs out, others come first in the next pass.
    const turn = places.length ? this.passes % places.length : 0;
    for (const quad of [...places.slice(turn), ...places.slice(0, turn)]) {
      const read = this.clock() < until ? this.harder(picture, quad) : [];
      if (read.length) detections.push(...read);
      else detections.push({ text: "", format: "", quad, unread: true, upscaled: false, lines: 0, cut: false, firm: false });
    }
    return detections;
  }

  /** Places with bars, and places that were asked for, in which nothing was read.
   * @param {Grey} picture @param {Detection[]} detections @param {Quad[]} wanted
   */
  unread(picture, detections, wanted) {
    const bars = barsIn(picture, detections.map(({ quad }) => quad)).filter((quad) => !detections.some((one) => together(one.quad, quad)));
    const asked = wanted.filter((quad) => !detections.some((one) => together(one.quad, quad)) && !bars.some((other) => together(other, quad)));
    return [...bars, ...asked];
  }

  /** Enlarged, and where that gives nothing by the shade of the digits. @param {Grey} picture @param {Quad} quad @returns {Detection[]} */
  harder(picture, quad) {
    const read = this.enlarged(picture, quad);
    if (read.length) return read;
    const whole = outlineIn(picture, quad);
    const found = whole && !whole.cut ? readByShade(picture, whole.quad) : null;
    if (!found || found.margin < FIRM) return [];
    return [{ text: found.text, format: "EAN13", quad: found.quad, unread: false, upscaled: true, lines: 0, cut: false, firm: true }];
  }

  /** @param {Grey} picture @param {Quad} quad @returns {Detection[]} */
  enlarged(picture, quad) {
    const { strip, back } = straightened(picture, quad);
    // More lines than copies of one band: two bands said the same.
    const found = this.decode(strip, { ...BASE, formats: LINEAR, minLineCount: COPIES + 1 });
    const detections = [];
    for (const one of found) {
      const { topLeft, topRight } = one.position;
      /** @type {Quad} */
      const place = [back(topLeft.x, 0), back(topRight.x, 0), back(topRight.x, strip.height), back(topLeft.x, strip.height)];
      const detection = this.detection(picture, one, place, { upscaled: true, wanted: [], turn: 0 });
      if (detection) detections.push(detection);
    }
    return detections;
  }

  /**
   * @param {Grey} picture @param {Found} found @param {Quad} scanned
   * @param {{ upscaled: boolean, wanted: Quad[], turn: number }} how
   * @returns {Detection | null}
   */
  detection(picture, found, scanned, { upscaled, wanted, turn }) {
    if (!found.isValid || !found.text) return null;
    const format = ELEMENT_STRINGS.get(found.symbologyIdentifier) ?? found.format;
    const stands = { text: found.text, format, upscaled, unread: false, lines: found.lineCount, bytes: found.bytes, firm: false, cut: true, quad: scanned };
    if (MATRIX_CODES.has(found.symbology)) return { ...stands, lines: 1, cut: false };
    if (STACKED.has(found.format)) return { ...stands, cut: false };
    const lately = this.passes - (this.firm.get(found.text) ?? -Infinity) <= TRUSTED_FOR;
    if (lately && (this.passes + turn) % OUTLINE_EACH && wanted.some((quad) => together(quad, scanned))) return { ...stands, firm: true };
    const whole = outline(picture, scanned);
    if (!whole) return stands;
    return this.judged(picture, { ...stands, ...whole });
  }

  /** What a second look at each digit says of it. @param {Grey} picture @param {Detection} one @returns {Detection} */
  judged(picture, one) {
    const opinion = one.cut ? null : secondOpinion(picture, one.quad, one.format, one.text);
    if (!opinion) return one;
    if (opinion.text === one.text && opinion.margin >= FIRM) {
      this.firm.set(one.text, this.passes);
      return { ...one, firm: true };
    }
    return opinion.text && opinion.margin >= OVERRULES ? { ...one, text: opinion.text } : one;
  }

  /** @param {Grey} grey @param {object} options @param {Rows} rows @returns {Found[]} places count the rows that were seen */
  decode({ data, width, height }, options, { each, first } = ALL) {
    if (data.length > this.room) {
      if (this.at) this.zxing._free(this.at);
      this.at = this.zxing._malloc(data.length);
      if (!this.at) throw new Error(`no memory for a picture of ${width} x ${height}`);
      this.room = data.length;
    }
    const seen = Math.ceil((height - first) / each);
    if (each === 1) this.zxing.HEAPU8.set(data, this.at);
    else for (let row = 0; row < seen; row += 1) this.zxing.HEAPU8.set(data.subarray((row * each + first) * width, (row * each + first + 1) * width), this.at + row * width);
    const vector = this.zxing.readBarcodesFromPixmap(this.at, width, seen, options);
    const found = [];
    for (let at = 0; at < vector.size(); at += 1) found.push(vector.get(at));
    vector.delete();
    return found;
  }
}
