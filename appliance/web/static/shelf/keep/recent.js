// What was written on this phone since the page was opened, in whatever tab: read back to the person.

/** @typedef {import("./types.js").Entry} Entry */

export class Recent {
  /** @type {Entry[]} */ #said = [];

  /** @param {string} device whose log it is; another's is forgotten @param {readonly Entry[]} entries by number */
  add(device, entries) {
    const own = this.#said.filter((entry) => entry.device === device), last = own.at(-1)?.seq ?? 0;
    this.#said = [...own, ...entries.filter((entry) => entry.kind !== "carried" && entry.seq > last)];
  }

  /** Newest first. @param {number} most @param {number} expected the number that the hub does not have yet */
  newest(most, expected) {
    return this.#said.slice(-most).reverse().map((entry) => ({ entry, sent: entry.seq < expected }));
  }
}
