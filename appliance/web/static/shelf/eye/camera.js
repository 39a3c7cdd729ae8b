// The phone's camera. Errors are told as reasons that a person can act on.

/** @typedef {import("../types.js").Reason} Reason */
/**
 * @typedef {object} Camera
 * @property {MediaStream} stream
 * @property {boolean} torch whether it has a light
 * @property {(on: boolean) => Promise<void>} light
 * @property {(call: (error: CameraError) => void) => void} onlost the system took it away
 * @property {() => void} close
 */

/** Where a page tells how to come by a secure connection. */
const TRUST = "/trust";

/**
 * `reason.code`: camera_plain_http, camera_none, camera_refused, camera_in_use, camera_lost,
 * camera_failed.
 */
export class CameraError extends Error {
  /** @param {Reason} reason */
  constructor(reason) {
    super(reason.code);
    this.name = "CameraError";
    this.reason = reason;
  }
}

/** What getUserMedia's errors mean to a person (Media Capture and Streams, 10.2.1).
 * @param {unknown} error @returns {CameraError}
 */
export function told(error) {
  const name = error instanceof Error ? error.name : "";
  const codes = /** @type {Record<string, string>} */ ({
    NotFoundError: "camera_none",
    OverconstrainedError: "camera_none",
    NotAllowedError: "camera_refused",
    SecurityError: "camera_refused",
    NotReadableError: "camera_in_use",
    AbortError: "camera_in_use",
  });
  const code = codes[name];
  if (code) return new CameraError({ code, params: {} });
  return new CameraError({ code: "camera_failed", params: { error: error instanceof Error ? error.message : String(error) } });
}

/** @param {string | undefined} device_id @returns {MediaTrackConstraints} */
function wishes(device_id) {
  // As the camera gives it: a browser that cuts upright frames to the wished shape shows half of the shelf.
  const whole = /** @type {MediaTrackConstraints} */ ({ resizeMode: { ideal: "none" } });
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...whole };
  return device_id ? { ...size, deviceId: { exact: device_id } } : { ...size, facingMode: { ideal: "environment" } };
}

/**
 * The rear camera at 1280x720 playing in `video`.
 * @param {HTMLVideoElement} video
 * @param {string} [device_id] of `enumerateDevices`, where a person chose another camera
 * @returns {Promise<Camera>}
 * @throws {CameraError}
 */
export async function openCamera(video, device_id) {
  if (!window.isSecureContext) throw new CameraError({ code: "camera_plain_http", params: { how: TRUST } });
  if (!navigator.mediaDevices?.getUserMedia) throw new CameraError({ code: "camera_none", params: {} });
  /** @type {MediaStream} */
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: wishes(device_id) });
  } catch (error) {
    throw told(error);
  }
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    // A stream that came later keeps the video.
    if (video.srcObject === stream) video.srcObject = null;
  };
  try {
    // iOS plays inline, and without a tap, only what is muted and says so.
    video.muted = true;
    video.playsInline = true;
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    close();
    throw told(error);
  }
  return opened(stream, close);
}

/** @param {MediaStream} stream @param {() => void} close @returns {Camera} */
function opened(stream, close) {
  const [track] = stream.getVideoTracks();
  /** @type {MediaTrackCapabilities & { torch?: boolean, focusMode?: string[] }} */
  const can = track?.getCapabilities?.() ?? {};
  const apply = (/** @type {object} */ wish) => track?.applyConstraints(/** @type {MediaTrackConstraints} */ ({ advanced: [wish] }));
  // A phone that can, keeps focusing by itself; one that refuses stays as it was.
  if (can.focusMode?.includes("continuous")) apply({ focusMode: "continuous" })?.catch(() => undefined);
  return {
    stream,
    torch: can.torch === true,
    async light(on) {
      if (can.torch) await apply({ torch: on });
    },
    onlost(call) {
      track?.addEventListener("ended", () => call(new CameraError({ code: "camera_lost", params: {} })));
    },
    close,
  };
}
