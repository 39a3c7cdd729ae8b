// What an entry of the phone's own log does to the stock that it shows, until the hub's list contains it. Pure.
// As the core books (erp_link/service/merge/cells.py): taken from what is free, then held, then in inspection;
// added to inspection. A release shows only once the hub has agreed: nothing seems free that may not leave (I1).

/** @typedef {import("../../types.js").Product} Product */
/** @typedef {import("../../types.js").Batch} Batch */
/** @typedef {import("../../types.js").Cell} Cell */
/** @typedef {import("../types.js").Entry} Entry */
/** @typedef {import("../types.js").BatchKey} BatchKey */
/**
 * @typedef {object} Draft
 * @property {Map<string, import("../../types.js").Hold>} holds
 * @property {Map<string, import("../../types.js").Ticket>} tickets
 * @property {() => Iterable<string>} gtins
 * @property {(gtin: string) => Product | undefined} peek
 * @property {(gtin: string) => Product} product a copy that may be changed
 */

/** The id of the hold that an entry adds (contracts/device_log.py). @param {string} hash */
export const holdIdOf = (hash) => `H-${hash.slice(0, 16)}`;

/**
 * @param {Draft} draft
 * @param {Entry} entry
 */
export function effect(draft, entry) {
  const body = entry.body;
  switch (entry.kind) {
    case "counted":
      return change(cellOf(draft, body.batch, body.location), body.counted - body.expected);
    case "adjusted":
      return change(cellOf(draft, body.batch, body.location), body.change);
    case "moved":
      change(cellOf(draft, body.batch, body.source), -body.quantity);
      return change(cellOf(draft, body.batch, body.target), body.quantity);
    case "received":
      dated(batchOf(draft, body.batch), body.expiry);
      return change(cellOf(draft, body.batch, body.location), body.quantity);
    case "observed":
      return dated(batchOf(draft, body.batch), body.expiry);
    case "held":
      return hold(draft, entry);
    case "flagged":
    case "ticket_opened":
      return ticket(draft, entry);
  }
}

/** @param {Draft} draft @param {BatchKey} key @returns {Batch} */
function batchOf(draft, key) {
  const { batches } = draft.product(key.gtin);
  const known = batches.find((batch) => batch.supplier === key.supplier && batch.lot === key.lot);
  if (known) return known;
  /** @type {Batch} */
  const made = { supplier: key.supplier, lot: key.lot, expiry: "", cells: [], holds: [] };
  batches.push(made);
  return made;
}

/** @param {Draft} draft @param {BatchKey} key @param {string} location */
function cellOf(draft, key, location) {
  const batch = batchOf(draft, key), known = batch.cells.find((cell) => cell.location === location);
  if (known) return known;
  const made = { location, free: 0, held: 0, inspection: 0 };
  batch.cells.push(made);
  return made;
}

/** @param {Cell} cell @param {number} units */
function change(cell, units) {
  if (units >= 0) {
    cell.inspection += units;
    return;
  }
  let left = -units;
  for (const name of /** @type {const} */ (["free", "held", "inspection"])) {
    const taken = Math.min(left, cell[name]);
    cell[name] -= taken;
    left -= taken;
  }
}

/** Of two dates the earlier counts. @param {Batch} batch @param {string} expiry */
function dated(batch, expiry) {
  if (expiry && (!batch.expiry || expiry < batch.expiry)) batch.expiry = expiry;
}

/** @param {Draft} draft @param {Entry} entry */
function hold(draft, entry) {
  const { kind, note, batch, location, supplier } = entry.body, id = holdIdOf(entry.hash);
  draft.holds.set(id, { id, kind, note: note ?? "", at_us: entry.at_us, ticket: "" });
  // Cartons that the books cannot tell apart: the whole batch.
  if (batch) return freeze(batchOf(draft, batch), id, () => true);
  for (const gtin of [...draft.gtins()]) {
    const covers = (/** @type {Batch} */ each) =>
      kind === "supplier" ? each.supplier === supplier : kind === "location" && each.cells.some((cell) => cell.location === location);
    if (!draft.peek(gtin)?.batches.some(covers)) continue;
    for (const each of draft.product(gtin).batches.filter(covers)) {
      freeze(each, id, (cell) => kind === "supplier" || cell.location === location);
    }
  }
}

/** @param {Batch} batch @param {string} id @param {(cell: Cell) => boolean} covers */
function freeze(batch, id, covers) {
  if (!batch.holds.includes(id)) batch.holds.push(id);
  for (const cell of batch.cells.filter(covers)) {
    cell.held += cell.free;
    cell.free = 0;
  }
}

/** @param {Draft} draft @param {Entry} entry */
function ticket(draft, entry) {
  const { note, flag, gtin, batch, location } = entry.body, of = batch?.gtin || gtin || "";
  const id = `${entry.kind === "flagged" ? "FL" : "QC"}-${entry.hash.slice(0, 16)}`;
  if (of) draft.product(of);
  draft.tickets.set(id, {
    id, kind: entry.kind, title: note || flag || "", state: "open", gtins: of ? [of] : [], locations: location ? [location] : [],
  });
}
