// How long to wait before the hub is asked again. Pure.

const REGULAR_MS = 30_000;
const FIRST_MS = 2_000;
const LONGEST_MS = 60_000;

/**
 * How long after so many failures in a row; up to half as long again, so that a floor of phones does not come back
 * as one.
 * @param {number} failures
 * @param {number} chance 0 to 1
 */
export const waitMs = (failures, chance) =>
  Math.round((failures ? Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) : REGULAR_MS) * (1 + chance / 2));
