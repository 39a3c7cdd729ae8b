// The site's time on a phone whose own clock may be wrong or be turned back. Pure.

/** @typedef {import("../types.js").Contact} Contact */

const TOLERATED_US = 60_000_000;

/** Less than this is how coarse the clocks are, not sleep. */
const NOISE_MS = 50;

/**
 * A clock that never stands still and never goes back while the page is open. The browser's steady clock stops
 * while a phone sleeps; the phone's date goes on, and may be turned back. So the steady one counts, and what the
 * date gained on it is sleep: added, never taken off again.
 * @param {() => number} date milliseconds since 1970 by the phone's date
 * @param {() => number} steady milliseconds, never less than before
 * @returns {() => number} microseconds since 1970
 */
export function steadyClock(date, steady) {
  // What the date says as the page opens is where it begins: the steady one may have begun before a sleep.
  let apart = date() - steady(), slept = apart;
  return () => {
    const now = steady(), gained = date() - now - apart;
    if (Math.abs(gained) > NOISE_MS) {
      apart += gained;
      slept += Math.max(0, gained);
    }
    return Math.round((now + slept) * 1000);
  };
}

/** @type {Contact} */
export const NEVER = { expected: 1, heard_us: 0, skew_us: 0, latest_us: 0, revoked: false, retired: false, fresh_us: 0, fresh_etag: "" };

/**
 * What time it is at the site: the phone's clock, corrected by what the hub last said, and never before
 * the latest moment that was seen. `behind`: the phone's clock was turned back.
 * @param {number} phone_us microseconds since 1970 by the phone's clock
 * @param {Contact} contact
 * @returns {{ at_us: number, behind: boolean }}
 */
export function siteTime(phone_us, contact) {
  const at = phone_us + contact.skew_us;
  return { at_us: Math.max(at, contact.latest_us), behind: at < contact.latest_us - TOLERATED_US };
}

/**
 * The day in a zone, ISO 8601: by it goods expire.
 * @param {string} zone IANA name
 * @param {number} at_us
 */
export function dayIn(zone, at_us) {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit" };
  // The Canadian way of writing a date is ISO 8601's.
  return new Intl.DateTimeFormat("en-CA", { .../** @type {Intl.DateTimeFormatOptions} */ (parts), timeZone: zone }).format(at_us / 1000);
}
