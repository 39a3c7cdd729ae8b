// How the phone stands with the hub, as the page shows it at all times. Pure.

import { siteTime } from "./clock.js";

/** @typedef {import("../types.js").Contact} Contact */
/** @typedef {import("../types.js").Entry} Entry */
/** @typedef {import("../types.js").State} State */

/** Before anything was read. @type {State} */
export const NOTHING_YET = {
  enrolled: false, locked: false, line: "offline", unsent: 0, photos: 0, refused: 0, version: 0, at_us: 0, age_us: 0, today: "",
  troubles: [], storage: "fine", durable: false, tampered: false, update: false, behind: false,
};

/**
 * What follows from the log, the list and the clock.
 * @param {number} phone_us by the phone's clock
 * @param {Contact} contact
 * @param {readonly Entry[]} entries
 * @param {import("./list.js").List | null} list
 */
export function standingOf(phone_us, contact, entries, list) {
  const { at_us, behind } = siteTime(phone_us, contact), told = list?.snapshot;
  // What the hub called unchanged is as old as that word.
  const same = told && contact.fresh_etag === list.etag ? contact.fresh_us : 0;
  const told_us = Math.max(told?.at_us ?? 0, same);
  return {
    unsent: entries.filter((entry) => entry.seq >= contact.expected).length,
    version: told?.version ?? 0,
    at_us: told_us,
    age_us: told ? Math.max(0, at_us - told_us) : 0,
    behind,
  };
}
