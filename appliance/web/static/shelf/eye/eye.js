// The eye of the page: camera, reader in a worker, tracker, and one canvas that shows the picture
// and what stands over it in the same frame (a video element runs ahead of what is drawn beside it).

import { openCamera } from "./camera.js";
import { brightnessOf } from "./decode/grey.js";
import { Follower, MOTION_WIDTH } from "./follow.js";
import { Reading } from "./reading.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./types.js").Draw} Draw */
/** @typedef {import("./types.js").Lookup} Lookup */
/** @typedef {import("./types.js").Sighting} Sighting */
/** @typedef {import("../types.js").Reason} Reason */

/**
 * @typedef {object} Parts
 * @property {HTMLVideoElement} video not shown itself, but in the document: Safari stops one that is not
 * @property {HTMLCanvasElement} canvas shows picture and overlay; its size is set to the video's
 * @property {Lookup} lookup
 * @property {Draw} draw
 * @property {Worker} [worker] runs reader_worker.js; the eye's own if left out
 */

/** Frames and detections a second over the last two seconds. @typedef {{ overlay_fps: number, detections_per_s: number }} Pace */

const PACE_MS = 2000;
/** Passes over the picture after the phone came to rest, before what is unread counts as such. */
const LOOKS_AT_REST = 3;

/** Times within the last two seconds. */
class Beat {
  constructor() {
    /** @type {number[]} */
    this.times = [];
  }

  /** @param {number} at_ms @returns {number} a second */
  add(at_ms) {
    this.times.push(at_ms);
    while (at_ms - (this.times[0] ?? at_ms) > PACE_MS) this.times.shift();
    const span = at_ms - (this.times[0] ?? at_ms);
    return span > 0 ? ((this.times.length - 1) * 1000) / span : 0;
  }
}

export class Eye {
  /** @param {Parts} parts */
  constructor({ video, canvas, lookup, draw, worker }) {
    this.video = video;
    this.canvas = canvas;
    this.draw = draw;
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("this browser has no 2D canvas");
    this.context = context;
    this.small = document.createElement("canvas");
    this.follower = new Follower(lookup);
    this.reading = new Reading(worker, (number, detections) => this.found(number, detections), (error) => this.fail({ code: "reader_failed", params: { error } }));
    /** @type {Camera | null} */
    this.camera = null;
    /** What stands in the frame that is shown now. @type {Sighting[]} */
    this.sightings = [];
    /** Whether the camera has a light. */
    this.torch = false;
    /** @type {Pace} */
    this.pace = { overlay_fps: 0, detections_per_s: 0 };
    this.drawn = new Beat();
    this.detected = new Beat();
    this.number = 0;
    // The video's size that canvas and small picture were made for: a canvas may have it by chance.
    this.width = 0;
    this.height = 0;
    this.run = 0;
    this.looks = 0;
    /** @type {Set<(unread: Sighting[]) => void>} */
    this.still_calls = new Set();
    /** @type {Set<(reason: Reason) => void>} */
    this.fail_calls = new Set();
  }

  /**
   * Opens the camera and begins.
   * @param {string} [device_id]
   * @returns {Promise<void>}
   * @throws {import("./camera.js").CameraError}
   */
  async start(device_id) {
    this.stop();
    this.reading.again();
    this.run += 1;
    const run = this.run;
    const camera = await openCamera(this.video, device_id);
    if (run !== this.run) {
      camera.close();
      return;
    }
    this.camera = camera;
    this.torch = camera.torch;
    camera.onlost((error) => {
      if (run !== this.run) return;
      this.stop();
      this.fail(error.reason);
    });
    this.next(run);
  }

  /** Ends camera and loop; `start` begins anew. */
  stop() {
    this.run += 1;
    this.camera?.close();
    this.camera = null;
    this.torch = false;
    this.follower.forget();
    this.sightings = [];
  }

  /** @param {boolean} on */
  async light(on) {
    await this.camera?.light(on);
  }

  /** Waits for the video's next frame. @param {number} run */
  next(run) {
    const go = (/** @type {number} */ at_ms) => {
      if (run !== this.run) return;
      // One frame that cannot be drawn is told in the console and is not the last.
      this.next(run);
      this.frame(at_ms);
    };
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(go);
    else requestAnimationFrame(go);
  }

  /** One frame: picture, motion, overlay; and the reader, if it waits for one. @param {number} at_ms */
  frame(at_ms) {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width || !height) return;
    if (width !== this.width || height !== this.height) this.resize(width, height);
    // One frame for all three: the video may go on between two looks at it.
    const picture = frameOf(this.video);
    const source = picture ?? this.video;
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.drawImage(source, 0, 0, width, height);
    const grey = this.shrunk(this.canvas);
    this.number += 1;
    const frame = { width, height, at_ms, number: this.number };
    this.sightings = this.follower.frame(grey, frame);
    if (this.reading.free) this.reading.send(picture ?? this.canvas, frame.number, this.follower.wanted());
    else picture?.close();
    this.context.save();
    try {
      this.draw(this.context, this.sightings, frame);
    } finally {
      this.context.restore();
    }
    this.pace.overlay_fps = this.drawn.add(at_ms);
    this.rest();
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    this.width = width;
    this.height = height;
    this.canvas.width = width;
    this.canvas.height = height;
    // A phone held upright gives upright frames: the shape is the video's.
    this.small.width = width >= height ? MOTION_WIDTH : Math.round((MOTION_WIDTH * width) / height);
    this.small.height = Math.round((this.small.width * height) / width);
    this.follower.forget();
  }

  /** @param {CanvasImageSource} source @returns {import("./types.js").Grey} */
  shrunk(source) {
    const { width, height } = this.small;
    const context = this.small.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!context) throw new Error("this browser has no 2D canvas");
    context.imageSmoothingQuality = "medium";
    context.drawImage(source, 0, 0, width, height);
    const data = new Uint8Array(width * height);
    brightnessOf(context.getImageData(0, 0, width, height).data, data);
    return { data, width, height };
  }

  /** @param {number} number @param {import("./types.js").Detection[]} detections */
  found(number, detections) {
    this.follower.detected(number, detections);
    this.pace.detections_per_s = this.detected.add(performance.now());
    if (this.follower.still) this.looks += 1;
  }

  /** Tells once each time the phone came to rest what could not be read. */
  rest() {
    if (!this.follower.still) this.looks = 0;
    if (this.looks !== LOOKS_AT_REST) return;
    this.looks += 1;
    const unread = this.sightings.filter(({ state }) => state === "unread" || state === "rejected");
    if (unread.length) for (const call of this.still_calls) call(unread);
  }

  /** @param {Reason} reason */
  fail(reason) {
    for (const call of this.fail_calls) call(reason);
  }

  /**
   * Called once each time the phone came to rest, with codes in view that are not read.
   * @param {(unread: Sighting[]) => void} call
   * @returns {() => void} ends it
   */
  onstill(call) {
    this.still_calls.add(call);
    return () => this.still_calls.delete(call);
  }

  /**
   * Called when the camera or the reader ended by itself (camera_lost, reader_failed).
   * @param {(reason: Reason) => void} call
   * @returns {() => void} ends it
   */
  onfail(call) {
    this.fail_calls.add(call);
    return () => this.fail_calls.delete(call);
  }

  /**
   * The picture around a code, or the whole frame, as JPEG: for the appliance's reader and photos.
   * @param {import("./types.js").Quad} [quad]
   * @param {number} [quality] 0..1
   * @returns {Promise<{ jpeg: Blob, left: number, top: number, width: number, height: number }>}
   */
  async still(quad, quality = 0.9) {
    const { videoWidth, videoHeight } = this.video;
    if (!this.camera || !videoWidth) throw new Error("the eye is closed");
    const cut = around(quad, videoWidth, videoHeight);
    const canvas = document.createElement("canvas");
    canvas.width = cut.width;
    canvas.height = cut.height;
    canvas.getContext("2d")?.drawImage(this.video, cut.left, cut.top, cut.width, cut.height, 0, 0, cut.width, cut.height);
    const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (!(jpeg instanceof Blob)) throw new Error("this browser makes no JPEG");
    return { jpeg, ...cut };
  }

  /** A still of it goes to the appliance. @param {number} id the sighting's @returns {boolean} whether it can be told again */
  ask(id) {
    return this.follower.ask(id);
  }

  /**
   * A code that the appliance read in a picture that `still` gave; shown as `reader: "appliance"`.
   * @param {number} id the sighting's
   * @param {import("../types.js").Decoded} decoded
   */
  answer(id, decoded) {
    this.follower.answer(id, decoded);
  }
}

/** @param {import("./types.js").Quad | undefined} quad @param {number} width @param {number} height the code with half as much again around it, inside the picture */
export function around(quad, width, height) {
  if (!quad) return { left: 0, top: 0, width, height };
  const xs = quad.map(({ x }) => x);
  const ys = quad.map(({ y }) => y);
  const rim = 0.25 * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
  const left = Math.max(0, Math.floor(Math.min(...xs) - rim));
  const top = Math.max(0, Math.floor(Math.min(...ys) - rim));
  const right = Math.min(width, Math.ceil(Math.max(...xs) + rim));
  const bottom = Math.min(height, Math.ceil(Math.max(...ys) + rim));
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

/** The frame that the video shows, as the camera made it; null where the browser cannot or the frame lies on its side.
 * @param {HTMLVideoElement} video @returns {VideoFrame | null}
 */
function frameOf(video) {
  if (!("VideoFrame" in window)) return null;
  try {
    const frame = new VideoFrame(video);
    const turned = "rotation" in frame && frame.rotation !== 0;
    const same = frame.visibleRect?.width === video.videoWidth && frame.visibleRect?.height === video.videoHeight;
    if (same && !turned) return frame;
    frame.close();
  } catch {
    // Some browsers know the class but not for a video that plays a camera.
  }
  return null;
}
