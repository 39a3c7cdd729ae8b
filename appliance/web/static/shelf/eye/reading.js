// The line to the reader's worker: one frame in flight, and a new worker where one hangs or dies.

/** @typedef {import("./types.js").Detection} Detection */
/** @typedef {import("./types.js").Quad} Quad */

// Begins reader_worker.js below the scope of the service worker, which has it without the network (page.py).
const WORKER = "/shelf/reader_worker.js";
const HANGS_MS = 8000;
const BUDGET_MS = 30;
const DEATHS = 3;

export class Reading {
  /**
   * @param {Worker | undefined} worker
   * @param {(number: number, detections: Detection[]) => void} found
   * @param {(error: string) => void} failed told when it cannot go on
   */
  constructor(worker, found, failed) {
    this.found = found;
    this.failed = failed;
    this.deaths = 0;
    /** Whether it waits for a frame. */
    this.free = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.watch = undefined;
    this.worker = this.hired(worker ?? new Worker(WORKER, { type: "module" }));
  }

  /** @param {Worker} worker */
  hired(worker) {
    worker.addEventListener("message", ({ data }) => this.heard(data));
    worker.addEventListener("error", (event) => this.died(event.message));
    this.free = true;
    return worker;
  }

  /** The camera is opened anew: after it gave up, it is tried again. */
  again() {
    if (this.deaths < DEATHS) return;
    this.deaths = 0;
    this.worker = this.hired(new Worker(WORKER, { type: "module" }));
  }

  /** @param {{ kind: string, number: number, detections: Detection[], error: string }} told */
  heard({ kind, number, detections, error }) {
    if (kind === "ready") return;
    clearTimeout(this.watch);
    this.free = true;
    if (kind === "found") {
      this.deaths = 0;
      this.found(number, detections);
    } else if (kind === "failed") this.died(error);
  }

  /** @param {string} error */
  died(error) {
    clearTimeout(this.watch);
    this.worker.terminate();
    this.deaths += 1;
    this.free = false;
    if (this.deaths < DEATHS) this.worker = this.hired(new Worker(WORKER, { type: "module" }));
    else this.failed(error);
  }

  /**
   * @param {VideoFrame | HTMLCanvasElement} picture a frame is given away
   * @param {number} number
   * @param {Quad[]} wanted
   */
  send(picture, number, wanted) {
    this.free = false;
    this.watch = setTimeout(() => this.died("it did not answer"), HANGS_MS);
    const post = (/** @type {VideoFrame | ImageBitmap} */ frame) => this.worker.postMessage({ kind: "frame", number, picture: frame, wanted, budget_ms: BUDGET_MS }, [frame]);
    if (picture instanceof HTMLCanvasElement) createImageBitmap(picture).then(post, (error) => this.died(String(error)));
    else post(picture);
  }
}
