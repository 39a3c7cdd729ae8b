// When to talk with the hub: at once after an entry, on return of the line or of the page, every so often, and
// later after each failure. One tab does it for all. There is no background sync on iOS: the page itself must.

import { contact } from "./line/exchange.js";
import { HubError } from "./line/hub.js";
import { aloneOrNot } from "./line/tabs.js";
import { waitMs } from "./pure/waiting.js";

/** @typedef {import("./keep.js").Keep} Keep */

export class Sync {
  #timer = 0;
  #failures = 0;
  /** @type {Promise<void> | null} */ #work = null;
  #again = false;
  #started = false;

  /** @param {Keep} keep */
  constructor(keep) {
    this.keep = keep;
    this.heard = () => {
      if (document.visibilityState !== "visible") return;
      // How old the list is by now stands there at once, not only when the hub has answered or was given up.
      void this.keep.tick();
      void this.now();
    };
  }

  start() {
    this.#started = true;
    addEventListener("online", this.heard);
    document.addEventListener("visibilitychange", this.heard);
    void this.now();
  }

  stop() {
    this.#started = false;
    removeEventListener("online", this.heard);
    document.removeEventListener("visibilitychange", this.heard);
    clearTimeout(this.#timer);
  }

  /** An entry was written: send it, unless the line is known to be down. */
  soon() {
    if (this.#started && this.keep.state.line !== "offline") void this.now();
  }

  /** Flush, fetch, hear. Never throws: what went wrong stands in `keep.state`. Asked again meanwhile, it goes on. */
  now() {
    this.#again = this.#work !== null;
    this.#work ??= this.#all().finally(() => (this.#work = null));
    return this.#work;
  }

  async #all() {
    clearTimeout(this.#timer);
    do {
      this.#again = false;
      if (!(await aloneOrNot("sync", () => this.#once()))) this.keep.tell({ line: navigator.onLine ? "online" : "offline" });
    } while (this.#again);
    if (this.#started) this.#timer = window.setTimeout(() => void this.now(), waitMs(this.#failures, Math.random()));
  }

  async #once() {
    try {
      await contact(this.keep);
      this.#failures = 0;
      this.keep.tell({ line: "online" });
    } catch (error) {
      this.#failures += 1;
      const signedOut = error instanceof HubError && error.status === 401;
      this.keep.tell({ line: signedOut ? "signed_out" : "offline" });
      // An answer cut off on its way, a full disk: told in the console, and tried again like the rest.
      if (!(error instanceof HubError)) console.error(error);
    }
  }
}
