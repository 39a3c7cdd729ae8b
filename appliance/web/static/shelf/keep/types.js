// The words of what a phone keeps, as JSDoc types. The log's are contracts/device_log.py.

/** @typedef {{ supplier: string, gtin: string, lot: string }} BatchKey */
/** @typedef {string | number | null | boolean | Json[] | { [name: string]: Json }} Json integers only, no fractions */
/**
 * The kinds of contracts/device_log.py, with their bodies as docs/guides/offline-logs.md says.
 * @typedef {"carried" | "counted" | "adjusted" | "moved" | "received" | "shipped" | "held" | "released" | "observed" | "flagged" | "ticket_opened"} Kind
 */
/** @typedef {{ [name: string]: any }} Body */
/** @typedef {{ device: string, seq: number, at_us: number, by: string, kind: string, body: Body, previous: string, hash: string, signature: string }} Entry */
/** @typedef {{ device: string, seq: number, hash: string, carried?: number }} Head where a log ends; `carried`: the position of the core that it last names */

/**
 * Who this phone is. The private key cannot be taken out of the browser.
 * `until_us`: until when it may be used without having heard from the hub, by the phone's clock.
 * @typedef {object} Phone
 * @property {string} device its name in the log
 * @property {string} person who holds it, as the log's `by`
 * @property {string} label what people call it
 * @property {string[]} roles
 * @property {string} public_key 32 bytes, hex
 * @property {CryptoKey} key
 * @property {number} until_us
 */

/** @typedef {"none" | "fresh" | "warn" | "freeze" | "pull" | "expired"} Level none: no date; green, yellow, orange, red, red */
/** Where the hub's clock is, and until when it lets the phone go on; kept in `meta`. */
/**
 * @typedef {object} Contact
 * @property {number} expected the number of this phone's log that the hub does not have yet
 * @property {number} heard_us when it was last heard, by its own clock
 * @property {number} skew_us to be added to the phone's clock
 * @property {number} latest_us the latest moment that was ever seen, by the hub's clock: it never goes back
 * @property {boolean} retired the log does not hold together, or the hub knows another: it takes no more
 * @property {boolean} revoked the hub said so; what was written is handed over, then all is wiped
 * @property {number} fresh_us when the hub last called the list of that ETag unchanged, by its clock
 * @property {string} fresh_etag
 */
/** @typedef {import("../types.js").Batch & { gtin: string, level: Level, days: number | null, free: number, held: number, inspection: number }} BatchView */
/**
 * A product as it stands now: what the snapshot says, and what this phone did since.
 * @typedef {object} ProductView
 * @property {string} gtin
 * @property {string} name
 * @property {string} unit
 * @property {string} sku
 * @property {import("../types.js").ProductCode[]} codes
 * @property {import("../types.js").Supplier[]} suppliers
 * @property {import("../types.js").LastPrice | null} price
 * @property {{ quantity: number, reason: import("../types.js").Reason } | null} reorder
 * @property {string[]} places
 * @property {BatchView[]} batches nearest expiry first
 * @property {import("../types.js").Hold[]} holds those that cover some of it
 * @property {import("../types.js").Ticket[]} tickets
 * @property {number} free
 * @property {number} held
 * @property {number} inspection
 * @property {number} total
 * @property {Level} level the worst of batches that have stock
 * @property {number | null} days to the nearest expiry among them
 * @property {string} expiry that date, empty where there is none
 * @property {number} pending own entries about it that the hub's list does not contain yet
 */
/** @typedef {{ product: ProductView, batch: BatchView, cell: import("../types.js").Cell }} Standing a batch in a place */

/**
 * Something that a person must know about what they wrote. `code` has the words `reason.<code>`.
 * @typedef {{ id: string, at_us: number, code: string, params: Record<string, string | number>, seq: number, seen: boolean }} Trouble
 */

/**
 * How the phone stands with the hub; shown at all times.
 * @typedef {object} State
 * @property {boolean} enrolled
 * @property {boolean} locked offline for longer than allowed: nothing is shown until the hub was heard
 * @property {"online" | "offline" | "sending" | "signed_out"} line
 * @property {number} unsent entries that the hub has not acknowledged
 * @property {number} photos pictures that it has not
 * @property {number} refused pictures that it did not take: kept aside
 * @property {number} version of the snapshot, 0: none
 * @property {number} at_us when it was taken, by the hub's clock
 * @property {number} age_us
 * @property {string} today the site's date, ISO 8601
 * @property {Trouble[]} troubles
 * @property {"fine" | "low" | "full"} storage
 * @property {boolean} durable the browser promised not to clear it
 * @property {boolean} tampered the log does not hold together
 * @property {boolean} behind the phone's clock was turned back: expiry goes by the latest time that was seen
 * @property {boolean} update a newer page is ready: reload when it suits
 */

export {};
