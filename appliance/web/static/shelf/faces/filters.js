// Which goods a list or the light of the look mode is about. Pure.

/** @import { Standing, ProductView, Level } from "../keep/types.js" */
/** @import { Stock } from "../keep/stock.js" */
/** @typedef {"all" | "expiring" | "expired" | "held" | "misplaced" | "reorder" | "tickets"} Filter */

/** @type {Filter[]} */
export const FILTERS = ["all", "expiring", "expired", "held", "misplaced", "reorder", "tickets"];

/** @type {ReadonlySet<Level>} */
const NEAR = new Set(/** @type {Level[]} */ (["warn", "freeze", "pull", "expired"]));

/**
 * @param {Stock} stock @param {Standing} standing @param {Filter} filter
 * @param {number | null} [within] days at most until expiry, for `expiring`; null: the site's limits
 */
export function fits(stock, { product, batch, cell }, filter, within = null) {
  switch (filter) {
    case "expiring":
      return within === null ? NEAR.has(batch.level) : batch.days !== null && batch.days <= within;
    case "expired":
      return batch.level === "expired";
    case "held":
      return cell.held > 0 || batch.holds.length > 0;
    case "misplaced":
      return stock.misplaced(product.gtin, cell.location);
    default:
      return productFits(product, filter);
  }
}

/** @param {ProductView} product @param {Filter} filter */
function productFits(product, filter) {
  if (filter === "reorder") return product.reorder !== null;
  return filter === "tickets" ? product.tickets.length > 0 : true;
}

/**
 * What stands in a place and fits: nearest expiry first where it is about that, otherwise by place and name.
 * @param {Stock} stock @param {string} place or the beginning of several; empty: the whole house
 * @param {Filter} filter @param {number | null} [within]
 * @returns {Standing[]}
 */
export function listed(stock, place, filter, within = null) {
  const found = stock.at(place).filter((standing) => fits(stock, standing, filter, within));
  const walk = new Map(stock.locations.map((each, index) => [each, index]));
  const step = (/** @type {Standing} */ each) => walk.get(each.cell.location) ?? walk.size;
  const name = (/** @type {Standing} */ a, /** @type {Standing} */ b) => (a.product.name < b.product.name ? -1 : Number(a.product.name > b.product.name));
  const days = (/** @type {Standing} */ each) => each.batch.days ?? Number.MAX_SAFE_INTEGER;
  const timed = filter === "expiring" || filter === "expired";
  return found.sort((a, b) => (timed ? days(a) - days(b) : 0) || step(a) - step(b) || name(a, b));
}
