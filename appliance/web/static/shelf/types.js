// The shared words of the page at the shelf, as JSDoc types. The stock's are contracts/shelf.py.

/** @typedef {{ code: string, params: Record<string, string | number> }} Reason */
/** @typedef {{ amount: number, currency: string, digits: number }} Money */
/** @typedef {{ price: Money, on: string, source: string }} LastPrice */
/** @typedef {{ id: string, name: string, contact: string, phone: string, email: string }} Supplier */
/** @typedef {{ gtin: string, units: number }} ProductCode */
/** @typedef {{ location: string, free: number, held: number, inspection: number, reserved?: number }} Cell reserved: of the free ones, promised to orders */
/** @typedef {{ supplier: string, lot: string, expiry: string, cells: Cell[], holds: string[] }} Batch */
/**
 * @typedef {object} Product
 * @property {string} gtin 14 digits
 * @property {string} name
 * @property {string} unit
 * @property {string} sku
 * @property {ProductCode[]} codes
 * @property {string[]} suppliers
 * @property {LastPrice | null} price
 * @property {{ quantity: number, reason: Reason } | null} reorder
 * @property {string[]} places
 * @property {Batch[]} batches
 * @property {{ warn: number, freeze: number, pull: number } | null} [limits] its own; otherwise the snapshot's
 */
/** @typedef {{ id: string, kind: string, note: string, at_us: number, ticket: string, reason?: Reason | null }} Hold */
/** @typedef {{ id: string, kind: string, title: string, state: string, gtins: string[], locations: string[], reason?: Reason | null }} Ticket */
/**
 * @typedef {object} Snapshot
 * @property {number} version
 * @property {number} at_us
 * @property {string} today
 * @property {string} zone
 * @property {string} site
 * @property {{ warn: number, freeze: number, pull: number }} limits
 * @property {Product[]} products
 * @property {Supplier[]} suppliers
 * @property {Hold[]} holds
 * @property {Ticket[]} tickets
 * @property {string[]} locations
 * @property {number} base
 * @property {string[]} gone
 * @property {string[]} roles
 * @property {Record<string, number>} seen of each device's log, the last entry that is in this
 * @property {Record<string, string>} words
 */

/** @typedef {{ gtin: string, quantity: number, location: string, supplier: string, lot: string }} FindLine */
/**
 * `GET /api/v1/shelf/find`: what somebody should go and find.
 * @typedef {{ id: string, kind: "order" | "recount" | "recall", title: string, lines: FindLine[], due: string }} FindList
 */
/** @typedef {{ at_us: number, what: string, by: string, reason: Reason, supplier: string, lot: string, reference: string }} ShelfEvent */
/**
 * `GET /api/v1/shelf/history/{gtin}`, newest first.
 * @typedef {{ gtin: string, events: ShelfEvent[], more: boolean }} ProductHistory
 */

/** @typedef {{ x: number, y: number }} Point in pixels of the video frame, y downwards */
/** @typedef {[Point, Point, Point, Point]} Quad top left, top right, bottom right, bottom left as the code is read */

/**
 * What the decoder found in one frame, before anything is believed.
 * @typedef {{ text: string, format: string, quad: Quad, bytes?: Uint8Array }} Decoded
 */

/**
 * What a code says: keys are GS1 application identifiers' meanings.
 * @typedef {{ gtin: string, lot: string, expiry: string, serial: string, sscc: string, quantity: number | null, location: string, kind: "ean" | "gs1" | "digital-link" | "sscc" | "text" }} CodeData
 */

/**
 * What is known of a code: its product in the stock list, how many units carry it, and what else it says.
 * @typedef {{ gtin: string, units: number, lot: string, expiry: string }} Known
 */

/**
 * Whether a code stands for something here. Null: it is on no list.
 * @callback Lookup
 * @param {string} text
 * @param {string} format
 * @returns {Known | null}
 */

/**
 * One code as the overlay shows it in this frame.
 * `seen`: found, not yet believed. `confirmed`: believed, on the list. `off_list`: believed, on no list.
 * `unread`: a code is there and gave no text. `rejected`: it was read, and contradicts itself.
 * @typedef {"seen" | "confirmed" | "off_list" | "unread" | "rejected"} SightingState
 */
/**
 * @typedef {object} Sighting
 * @property {number} id stays with the code for as long as it is followed
 * @property {SightingState} state
 * @property {string} text empty while unread
 * @property {string} format
 * @property {Known | null} known
 * @property {Quad} quad where it stands in this very frame
 * @property {number} age_ms since a detection last agreed
 * @property {"phone" | "appliance"} reader who read it
 */

export {};
