// What the faces of the page at the shelf say to each other, as JSDoc types.

/** @import { Sighting } from "../types.js" */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box in pixels of the frame */

/**
 * A colour that is reserved for what it says (pages.md), and its icon's name in the sprite.
 * `plain` says nothing.
 * @typedef {"fine" | "month" | "week" | "gone" | "accept" | "review" | "hold" | "info" | "off_list" | "waiting" | "plain"} Tone
 */

/** @typedef {{ text: string, tone: Tone, icon: string, strong?: boolean, call?: string }} Line one line of a tag; `icon` may be empty; `call` is a number to dial when it is tapped */

/**
 * What a mode says of one code.
 * @typedef {object} Mark
 * @property {Tone} tone of the frame around the code
 * @property {string} icon
 * @property {string} word what the colour says, in words: never the colour alone
 * @property {Line[]} lines the most important first; a small tag shows the first two
 * @property {string} short a few characters for the smallest tag
 * @property {boolean} dim others are lit, this one steps back
 * @property {number} rank laid out in this order, 0 first
 */

/**
 * A mark with the size of its tag at each level of detail, fullest first.
 * @typedef {{ id: number, code: Box, rank: number, sizes: { width: number, height: number }[] }} Wanting
 */
/** @typedef {{ id: number, box: Box, level: number, slot: number }} Placed `level` counts from 0, the fullest */

/**
 * Where and how the overlay is drawn.
 * @typedef {object} View
 * @property {Map<number, Mark>} marks by the sighting's id
 * @property {Box} visible the part of the frame that the person sees
 * @property {number} scale pixels of the frame to one CSS pixel
 * @property {number} text how large letters are, 1 the usual
 * @property {Palette} palette
 * @property {number | null} chosen the sighting that a card is open for
 * @property {ReadonlySet<number>} first ids that get room before others of their rank: the pager's turn
 * @property {readonly Box[]} blocked parts of the frame that buttons cover
 */

/** @typedef {Record<Tone, { ink: string, sight: string }> & { ground: string, text: string, soft: string, line: string }} Palette `sight` is seen over any picture */

/**
 * A change that a person is asked to confirm before it becomes an entry of the log.
 * @typedef {object} Proposal
 * @property {string} kind a key of contracts/device_log.KINDS
 * @property {Record<string, any>} body
 * @property {string} says the change in one sentence
 * @property {{ kind: string, body: Record<string, any> } | null} undo the counter-entry, null where there is none
 */

/**
 * A button of the one-hand bar.
 * @typedef {object} Action
 * @property {string} name
 * @property {string} word
 * @property {string} icon
 * @property {() => void} run
 * @property {boolean} [disabled]
 * @property {boolean} [pressed]
 * @property {boolean} [main]
 */

/** @typedef {{ title: string, detail: string, tone: Tone, actions: Action[] }} Bar what stands above the modes */

/**
 * What a mode may ask of the page.
 * @typedef {object} Host
 * @property {import("./words.js").Words} words
 * @property {Stock | null} stock
 * @property {string} place where the person stands, empty where nobody said
 * @property {readonly string[]} roles
 * @property {(gtin: string, sighting?: Sighting) => void} open a product's card
 * @property {(proposals: Proposal[], asking?: Asking) => Promise<boolean>} propose asks, then writes; true when it stands in the log
 * @property {() => void} changed draw the bar anew
 * @property {(name: string, values?: Record<string, any>) => Promise<any>} ask opens one of the sheets, null where it was closed
 * @property {(text: string, tone?: Tone) => void} say a short message, also to a screen reader
 * @property {(sign: "tick" | "done" | "refused") => void} feel haptics and sound, where wished
 * @property {(id: number) => readonly { gtin: string }[]} maybe what an unread code may be, as the appliance says
 */
/** @typedef {{ title?: string, yes?: string, sure?: boolean, photos?: Blob[], done?: string }} Asking `sure`: it was confirmed in the sheet before */

/**
 * The stock as the faces read it: keep/stock.js.
 * @typedef {import("../keep/stock.js").Stock} Stock
 */

/**
 * One way of looking at a shelf.
 * @typedef {object} Mode
 * @property {string} name
 * @property {(sightings: readonly Sighting[], stock: Stock) => Map<number, Mark>} marks asked for each frame
 * @property {(sighting: Sighting) => void} ontap
 * @property {() => Bar} bar
 * @property {(sightings: readonly Sighting[]) => void} [see] once for each frame, before `marks`
 * @property {() => void} [leave]
 */

export {};
