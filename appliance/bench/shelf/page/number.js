// A film's frame number out of its picture: appliance/bench/shelf/film/number.py says how it is written.

const SQUARE = 8, SQUARES = 20, MIDDLE = 128;

/**
 * The number of the picture on a canvas, null where something covers both corners.
 * @param {CanvasRenderingContext2D} context
 * @param {number} width of the picture in pixels
 * @param {number} height
 * @returns {number | null}
 */
export function numberIn(context, width, height) {
  const length = SQUARE * SQUARES;
  return numberOf(context.getImageData(0, SQUARE / 2, length, 1).data)
    ?? numberOf(context.getImageData(width - length, height - SQUARE / 2, length, 1).data);
}

/** @param {Uint8ClampedArray} row one line of a strip, RGBA */
function numberOf(row) {
  let word = 0;
  for (let at = SQUARE / 2; at < SQUARE * SQUARES; at += SQUARE) word = word * 2 + ((row[at * 4 + 1] ?? 0) > MIDDLE ? 1 : 0);
  const number = word >> 4;
  const check = (number ^ (number >> 4) ^ (number >> 8) ^ (number >> 12) ^ 0b1010) & 0b1111;
  return check === (word & 0b1111) ? number : null;
}
