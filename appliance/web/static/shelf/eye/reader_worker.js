// The reader in a thread of its own. One frame in, one answer out; frames come by transfer.
// in:  { kind: "frame", number, picture: VideoFrame | ImageBitmap, wanted: Quad[], budget_ms }
// out: { kind: "ready" } | { kind: "found", number, detections, took_ms } | { kind: "failed", number, error }

import { prepareZXingModule } from "/static/vendor/zxing/reader/index.js";
import { Greys } from "./decode/grey.js";
import { Reader } from "./decode/reader.js";

const WASM = "/static/vendor/zxing/zxing_reader.wasm";

const loading = prepareZXingModule({ overrides: { locateFile: () => WASM }, fireImmediately: true });
const reading = loading.then((zxing) => new Reader(zxing));
const greys = new Greys();

/** @param {{ number: number, picture: VideoFrame | ImageBitmap, wanted: import("./types.js").Quad[], budget_ms: number }} job */
async function read({ number, picture, wanted, budget_ms }) {
  try {
    const reader = await reading;
    const from = performance.now();
    const grey = await greys.of(picture);
    const detections = reader.read(grey, wanted, budget_ms);
    postMessage({ kind: "found", number, detections, took_ms: performance.now() - from });
  } catch (error) {
    postMessage({ kind: "failed", number, error: error instanceof Error ? error.message : String(error) });
  } finally {
    picture.close();
  }
}

addEventListener("message", (event) => {
  if (event.data?.kind === "frame") void read(event.data);
});

reading.then(
  () => postMessage({ kind: "ready" }),
  (error) => postMessage({ kind: "failed", number: -1, error: String(error) }),
);
