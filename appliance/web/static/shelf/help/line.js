// The line to the appliance's reader: one WebSocket, one question in flight, opened when something is
// asked and closed when nothing was for a while.

import { answerOf, questionMessage } from "./messages.js";

/** @typedef {import("./messages.js").Answer} Answer */
/** @typedef {import("./messages.js").Refusal} Refusal */

const ANSWER_MS = 20_000;
const IDLE_MS = 60_000;
const OPEN_MS = 5_000;

/** The appliance was not reached, or ended the line: `reason` is what it said, mostly nothing. */
export class LineError extends Error {
  /** @param {string} reason @param {{ sent?: boolean, late?: boolean }} [more] whether the question went out; whether it was waited for in vain */
  constructor(reason, { sent = false, late = false } = {}) {
    super(reason || "unreachable");
    this.reason = reason;
    this.sent = sent;
    this.late = late;
  }
}

export class Line {
  /**
   * @param {string} url
   * @param {(url: string) => WebSocket} [dial]
   */
  constructor(url, dial = (to) => new WebSocket(to)) {
    this.url = url;
    this.dial = dial;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {Promise<unknown>} the question before */
    this.turn = Promise.resolve();
    this.id = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.idle = undefined;
  }

  /**
   * Asks when its turn comes.
   * @param {{ kind: "crop", place: string, quad: number[] }} question
   * @param {Blob} jpeg
   * @returns {Promise<Answer | Refusal>}
   * @throws {LineError}
   */
  ask(question, jpeg) {
    const asked = this.turn.then(() => this.exchange(question, jpeg));
    this.turn = asked.catch(() => {});
    return asked;
  }

  /** Ends the line; a question in flight hears of it. */
  close() {
    clearTimeout(this.idle);
    this.socket?.close();
    this.socket = null;
  }

  /** @param {{ kind: "crop", place: string, quad: number[] }} question @param {Blob} jpeg @returns {Promise<Answer | Refusal>} */
  async exchange(question, jpeg) {
    clearTimeout(this.idle);
    this.id += 1;
    const id = this.id;
    const message = questionMessage({ id, ...question }, new Uint8Array(await jpeg.arrayBuffer()));
    try {
      for (let first = true; ; first = false) {
        const stood = this.socket !== null, socket = await this.open();
        try {
          return await this.heard(socket, id, message);
        } catch (error) {
          // What comes late must not be taken for the next question's answer.
          this.close();
          // A line that stood idle, or fell as it was spoken into, says nothing of the hub: asked anew, once.
          const fell = error instanceof LineError && !error.reason && !error.late && (stood || !error.sent);
          if (!first || !fell) throw error;
        }
      }
    } finally {
      this.idle = setTimeout(() => this.close(), IDLE_MS);
      // Node's tests end when they are done.
      if (typeof this.idle === "object" && "unref" in this.idle) /** @type {any} */ (this.idle).unref();
    }
  }

  /** @returns {Promise<WebSocket>} */
  async open() {
    if (this.socket && this.socket.readyState === 1) return this.socket;
    const socket = this.dial(this.url);
    socket.binaryType = "arraybuffer";
    await new Promise((done, refuse) => {
      const late = setTimeout(() => refuse(new LineError("")), OPEN_MS);
      socket.addEventListener("open", () => { clearTimeout(late); done(undefined); });
      socket.addEventListener("close", (event) => { clearTimeout(late); refuse(new LineError(event.reason)); });
    }).catch((error) => {
      socket.close();
      throw error;
    });
    this.socket = socket;
    return socket;
  }

  /** @param {WebSocket} socket @param {number} id @param {Uint8Array<ArrayBuffer>} message @returns {Promise<Answer | Refusal>} */
  heard(socket, id, message) {
    // A socket that is closed takes what is sent, and tells nobody that it went nowhere.
    if (socket.readyState !== 1) return Promise.reject(new LineError(""));
    return new Promise((done, refuse) => {
      const end = (/** @type {() => void} */ then) => {
        clearTimeout(late);
        socket.removeEventListener("message", onmessage);
        socket.removeEventListener("close", onclose);
        then();
      };
      const onmessage = (/** @type {MessageEvent} */ { data }) => {
        const told = typeof data === "string" ? answerOf(data) : null;
        if (told && (told.id === id || "problem" in told)) end(() => done(told));
      };
      const onclose = (/** @type {CloseEvent} */ event) => end(() => refuse(new LineError(event.reason, { sent: true })));
      const late = setTimeout(() => end(() => refuse(new LineError("", { sent: true, late: true }))), ANSWER_MS);
      socket.addEventListener("message", onmessage);
      socket.addEventListener("close", onclose);
      socket.send(message);
    });
  }
}

/** @returns {string} the address on this hub */
export function readerUrl() {
  const { protocol, host } = location;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}/api/v1/shelf/read`;
}
