// Haptics and sound, each only where wished.

/** @import { Wishes } from "./wishes.js" */

/** @type {Record<"tick" | "done" | "refused", { shake: number[], notes: number[] }>} */
const SIGNALS = {
  tick: { shake: [12], notes: [1760] },
  done: { shake: [20, 40, 20], notes: [1320, 1760] },
  refused: { shake: [60, 40, 60], notes: [330, 262] },
};

/** @type {AudioContext | null} */
let audio = null;

/** @param {Wishes} wishes @param {"tick" | "done" | "refused"} sign */
export function feel(wishes, sign) {
  const { shake, notes } = SIGNALS[sign];
  if (wishes.haptics && typeof navigator.vibrate === "function") navigator.vibrate(shake);
  if (wishes.sound) play(notes);
}

/** @param {number[]} notes Hz */
function play(notes) {
  audio ??= new AudioContext();
  const context = audio;
  if (context.state === "suspended") context.resume().catch(() => {});
  notes.forEach((note, index) => {
    const tone = context.createOscillator(), loud = context.createGain(), at = context.currentTime + index * 0.09;
    tone.frequency.value = note;
    loud.gain.setValueAtTime(0.12, at);
    loud.gain.exponentialRampToValueAtTime(0.001, at + 0.08);
    tone.connect(loud).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.09);
  });
}
