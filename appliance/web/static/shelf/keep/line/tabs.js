// Several tabs over one store: who may write, and how the others hear of it.

/**
 * Alone among all tabs of this site. Without Web Locks the store's own comparison of the head decides.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
export const alone = async (name, act) => (navigator.locks ? navigator.locks.request(`tallyman-shelf-${name}`, act) : act());

/**
 * As `alone`, but not at all while another tab is at it.
 * @param {string} name
 * @param {() => Promise<void>} act
 * @returns {Promise<boolean>} whether it was done here
 */
export async function aloneOrNot(name, act) {
  const here = async (/** @type {unknown} */ lock) => {
    if (lock) await act();
    return lock !== null;
  };
  return navigator.locks ? navigator.locks.request(`tallyman-shelf-${name}`, { ifAvailable: true }, here) : here(true);
}

/** @typedef {"log" | "all"} News the log went on; or whatever else has changed */

const GATHERED_MS = 250;

/** Tells the other tabs that something changed, and hears them: what comes within a moment is heard once. */
export class Tabs {
  /** @type {News} */ #news = "log";
  #timer = 0;

  /** @param {string} name of the store @param {(news: News) => void} heard */
  constructor(name, heard) {
    this.heard = heard;
    this.channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(name) : null;
    if (this.channel) this.channel.onmessage = (event) => this.#gather(event.data);
  }

  /** @param {News} news */
  tell(news) {
    this.channel?.postMessage(news);
  }

  /** @param {News} news */
  #gather(news) {
    if (news === "all") this.#news = news;
    this.#timer ||= window.setTimeout(() => {
      const said = this.#news;
      this.#timer = 0;
      this.#news = "log";
      this.heard(said);
    }, GATHERED_MS);
  }

  close() {
    window.clearTimeout(this.#timer);
    this.channel?.close();
  }
}
