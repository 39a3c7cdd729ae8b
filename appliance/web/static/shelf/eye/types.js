// Words of the eye. Pixels are those of the full video frame unless a comment says otherwise;
// the centre of the top left pixel is (0.5, 0.5), so that a point scales by one factor.

// Arrays of pixels are typed so that an index within them needs no proof (noUncheckedIndexedAccess).
/** @typedef {Uint8Array & Record<number, any>} Bytes */
/** @typedef {Float32Array & Record<number, any>} Floats */
/** @typedef {Float64Array & Record<number, any>} Floats64 */
/** @typedef {number[] & Record<number, any>} Numbers */

/** One frame's brightness, row after row. @typedef {{ data: Bytes, width: number, height: number }} Grey */

/** What kind of reading it is, beside what `Decoded` says of it.
 * @typedef {object} Care
 * @property {boolean} unread a code's pattern is there and gave no text that holds (`text` is empty)
 * @property {boolean} upscaled it was read in an enlarged picture, where phantoms with a valid check digit occur
 * @property {number} lines scan lines that agreed on it; 1 for matrix codes
 * @property {boolean} cut its outline was not found, leaves the picture, or was not looked for this time:
 *   it says what stands there, not where
 * @property {boolean} firm each digit's shade fits no other digit (EAN-13, EAN-8, UPC-A)
 */
/** @typedef {import("../types.js").Decoded & Care} Detection */

/** Row by row, to be applied to (x, y, 1). @typedef {Floats64} Homography */

/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("../types.js").Quad} Quad */
/** @typedef {import("../types.js").Known} Known */
/** @typedef {import("../types.js").Lookup} Lookup */
/** @typedef {import("../types.js").Sighting} Sighting */

/** The frame that is being drawn. @typedef {{ width: number, height: number, at_ms: number, number: number }} Frame */

/**
 * Called for each video frame after the picture was drawn, in the same callback.
 * @callback Draw
 * @param {CanvasRenderingContext2D} context in pixels of the frame
 * @param {Sighting[]} sightings
 * @param {Frame} frame
 */

export {};
