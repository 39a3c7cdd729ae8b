// Sound as the hub takes it: 16 kHz, one channel, 16 bits, in a WAV file. Pure.

export const RATE = 16_000;
const HEADER = 44;
/** Half the length of the filter, in samples of the slower rate. */
const LOBES = 8;

/**
 * To 16 kHz by a windowed sinc: what lies above 8 kHz is gone before it can fold back.
 * @param {Float32Array} sound -1 to 1
 * @param {number} rate samples a second
 * @returns {Float32Array}
 */
export function resampled(sound, rate) {
  if (rate === RATE) return sound;
  const step = rate / RATE;
  const slower = Math.max(1, step);
  const half = LOBES * slower;
  const made = new Float32Array(Math.floor(sound.length / step));
  for (let i = 0; i < made.length; i += 1) {
    const middle = i * step;
    let sum = 0;
    let weight = 0;
    for (let at = Math.max(0, Math.ceil(middle - half)); at <= Math.min(sound.length - 1, middle + half); at += 1) {
      const share = kernel((at - middle) / slower);
      sum += share * (sound[at] ?? 0);
      weight += share;
    }
    made[i] = weight === 0 ? 0 : sum / weight;
  }
  return made;
}

/** A sinc under a Hann window of LOBES to each side. @param {number} x */
function kernel(x) {
  if (x === 0) return 1;
  const turn = Math.PI * x;
  return (Math.sin(turn) / turn) * (0.5 + 0.5 * Math.cos(turn / LOBES));
}

/**
 * A RIFF WAVE file (IBM and Microsoft 1991) of PCM samples at 16 kHz.
 * @param {Float32Array} sound -1 to 1, at 16 kHz
 * @returns {ArrayBuffer}
 */
export function wavOf(sound) {
  const bytes = new ArrayBuffer(HEADER + 2 * sound.length);
  const view = new DataView(bytes);
  const letters = (/** @type {number} */ at, /** @type {string} */ text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  letters(0, "RIFF");
  view.setUint32(4, bytes.byteLength - 8, true);
  letters(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  letters(36, "data");
  view.setUint32(40, 2 * sound.length, true);
  sound.forEach((value, i) => view.setInt16(HEADER + 2 * i, Math.round(Math.max(-1, Math.min(1, value)) * 32_767), true));
  return bytes;
}

/**
 * @param {Float32Array[]} blocks
 * @returns {Float32Array}
 */
export function joined(blocks) {
  const whole = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}
