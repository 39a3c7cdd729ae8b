// One live line for the whole page: opens it, notices within three seconds that it is broken,
// opens it again after the last event it saw, and tells the page by DOM events on the body:
// `live-<topic>` for each event, `live-healed` when the line is back.

const SILENCE_MS = 2600;
const RETRY_MS = 1000;
const TOPICS = ["carton", "camera", "hold", "ticket", "transport", "session", "health", "product", "lesson", "order", "alarm", "readings", "fleet", "ota"];

/** @typedef {"live" | "away" | "broken"} LineState */

export class Line {
  /**
   * @param {string} address the stream's path, perhaps with `?topics=`
   * @param {(state: LineState, since: number) => void} tell called when the state changes and every second
   */
  constructor(address, tell) {
    this.address = address;
    this.tell = tell;
    /** @type {EventSource | null} */
    this.source = null;
    this.last = "";
    this.heard = Date.now();
    this.opened = Date.now();
    /** @type {LineState} */
    this.state = "live";
    this.wasBroken = false;
    this.open();
    window.setInterval(() => this.watch(), 500);
    window.addEventListener("pagehide", () => this.source?.close());
    window.addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
  }

  open() {
    this.source?.close();
    const url = new URL(this.address, location.href);
    if (this.last) url.searchParams.set("after", this.last);
    this.opened = Date.now();
    const source = new EventSource(url);
    this.source = source;
    source.addEventListener("beat", () => this.hear("live"));
    source.addEventListener("away", () => this.hear("away"));
    for (const topic of TOPICS) {
      source.addEventListener(topic, (event) => {
        this.last = event.lastEventId || this.last;
        this.hear("live");
        document.body.dispatchEvent(new CustomEvent(`live-${topic}`, { detail: JSON.parse(event.data) }));
      });
    }
  }

  /** @param {LineState} state */
  hear(state) {
    this.heard = Date.now();
    const healed = this.wasBroken && state === "live";
    this.set(state);
    if (healed) {
      this.wasBroken = false;
      document.body.dispatchEvent(new CustomEvent("live-healed"));
    }
  }

  watch() {
    const silent = Date.now() - this.heard;
    if (silent < SILENCE_MS) {
      this.tell(this.state, silent);
      return;
    }
    this.wasBroken = true;
    this.set("broken");
    if (Date.now() - this.opened > Math.max(RETRY_MS, SILENCE_MS)) this.open();
  }

  /** @param {LineState} state */
  set(state) {
    this.state = state;
    this.tell(state, Date.now() - this.heard);
  }
}
