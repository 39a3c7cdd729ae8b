// How near a date is, by the house's limits (erp_link/domain/expiry.py). Pure.

/** @typedef {import("../types.js").Level} Level */

const DAY_MS = 86_400_000;
/** @type {Level[]} */
export const LEVELS = ["none", "fresh", "warn", "freeze", "pull", "expired"];

/**
 * Whole days from one ISO 8601 date to another.
 * @param {string} from
 * @param {string} to
 */
export const daysBetween = (from, to) => Math.round((Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / DAY_MS);

/**
 * How near the date is, by the house's limits; a limit of 0 leaves its stage out (erp_link/domain/expiry.py).
 * @param {string} expiry
 * @param {string} today
 * @param {{ warn: number, freeze: number, pull: number }} limits
 * @returns {Level}
 */
export function levelOf(expiry, today, limits) {
  const left = expiry ? daysBetween(today, expiry) : Number.NaN;
  if (Number.isNaN(left)) return "none";
  if (left < 0) return "expired";
  if (limits.pull && left <= limits.pull) return "pull";
  if (limits.freeze && left <= limits.freeze) return "freeze";
  return limits.warn && left <= limits.warn ? "warn" : "fresh";
}
