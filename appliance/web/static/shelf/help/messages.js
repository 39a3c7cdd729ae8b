// What phone and appliance say on /api/v1/shelf/read (docs/reference/shelf-reader.md). Pure.

/** @typedef {import("../types.js").Quad} Quad */
/** @typedef {{ state: string, text: string, format: string, gtin: string, product: string, units: number, lot: string, expiry: string, how: string, confidence: number, quad: number[] }} AnsweredCode */
/** @typedef {{ gtin: string, text: string, share: number }} Maybe */
/** @typedef {{ code: string, detail: string, mend: string, retry_ms: number }} Problem */
/** @typedef {{ id: number, codes: AnsweredCode[], unread: number[][], candidates: Maybe[], elapsed_ms: number }} Answer */
/** @typedef {{ id: number, problem: Problem }} Refusal */

/**
 * A question as one binary message: 4 bytes big-endian length of the header, the header, the JPEG.
 * @param {{ id: number, kind: "crop", place: string, quad: number[] }} question
 * @param {Uint8Array} jpeg
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function questionMessage(question, jpeg) {
  const header = new TextEncoder().encode(JSON.stringify(question));
  const message = new Uint8Array(4 + header.length + jpeg.length);
  new DataView(message.buffer).setUint32(0, header.length);
  message.set(header, 4);
  message.set(jpeg, 4 + header.length);
  return message;
}

/**
 * @param {string} text of a message
 * @returns {Answer | Refusal | null} null for what is neither
 */
export function answerOf(text) {
  /** @type {any} */
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof told?.id !== "number") return null;
  if (typeof told.problem?.code === "string") return told;
  return Array.isArray(told.codes) && Array.isArray(told.candidates) ? told : null;
}

/** @param {Quad} quad @param {number} left @param {number} top @returns {number[]} x and y of each corner, in a crop that begins there */
export function flat(quad, left = 0, top = 0) {
  return quad.flatMap(({ x, y }) => [x - left, y - top]);
}

/**
 * The one product that an answer tells as sure; null where it tells none, or more than one.
 * @param {Answer} answer
 * @returns {AnsweredCode | null}
 */
export function sureOf(answer) {
  const sure = answer.codes.filter(({ state, text }) => state === "confirmed" && text !== "");
  return sure.length === 1 ? (sure[0] ?? null) : null;
}

/** @param {string} text of a candidate @returns {string} its format */
export function formatOf(text) {
  return text.length === 8 ? "EAN8" : "EAN13";
}
