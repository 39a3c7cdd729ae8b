// Where tags stand: never over a code, never over each other, and still while the codes are. Pure.

/** @import { Box, Placed, Wanting } from "./types.js" */

/** @typedef {{ placed: Map<number, Placed>, left: number[] }} Laid `left`: ids that had no room */

/** @type {Laid} */
export const NOTHING_LAID = { placed: new Map(), left: [] };

// Below, above, right, left of the code; along that side its middle, its beginning, its end; near, then farther.
const SIDES = 4, ALIGNS = 3, REACHES = 3;
export const SLOTS = SIDES * ALIGNS * REACHES;
const NEAR = SIDES * ALIGNS;

/**
 * Places tags beside their codes: who stood somewhere stays there, then everybody gets the smallest
 * tag, then tags grow to the fullest level that has room, by rank. Somebody who comes anew and finds
 * no room has all the others step back to the smallest once.
 * @param {readonly Wanting[]} wanting
 * @param {readonly Box[]} codes what no tag may cover, also codes that want no tag
 * @param {Box} visible no tag leaves it
 * @param {Laid} before where they stood in the last frame
 * @param {number} gap between a code and its tag, pixels of the frame
 * @returns {Laid}
 */
export function layTags(wanting, codes, visible, before, gap) {
  const order = [...wanting].sort((a, b) => a.rank - b.rank || Number(before.placed.has(b.id)) - Number(before.placed.has(a.id)) || a.id - b.id);
  const kept = lay(order, codes, visible, before.placed, gap, true);
  const known = new Set(before.left);
  const fresh = kept.left.length > 0 && kept.left.some((id) => !known.has(id));
  return fresh ? lay(order, codes, visible, before.placed, gap, false) : kept;
}

/**
 * @param {readonly Wanting[]} order @param {readonly Box[]} codes @param {Box} visible
 * @param {ReadonlyMap<number, Placed>} before @param {number} gap @param {boolean} keep also the level
 * @returns {Laid}
 */
function lay(order, codes, visible, before, gap, keep) {
  /** @type {Map<number, Placed>} */
  const placed = new Map();
  const room = new Room(codes, visible, placed);
  if (keep) {
    for (const one of order) {
      const was = before.get(one.id), size = was && one.sizes[was.level];
      const box = size && slotBox(one.code, size, was.slot, gap, visible);
      if (box && room.has(box, one.id)) placed.set(one.id, { id: one.id, box, level: was.level, slot: was.slot });
    }
  }
  const left = [];
  for (const one of order) {
    if (placed.has(one.id)) continue;
    const found = place(one, one.sizes.length - 1, room, before.get(one.id)?.slot, gap, 0);
    if (found) placed.set(one.id, found);
    else left.push(one.id);
  }
  // Step by step, so that nobody says all while another says nothing.
  const most = Math.max(0, ...order.map((one) => one.sizes.length - 1));
  for (let level = most - 1; level >= 0; level -= 1) for (const one of order) grow(one, level, placed, room, gap);
  return { placed, left };
}

/** @param {Wanting} one @param {number} level @param {Map<number, Placed>} placed @param {Room} room @param {number} gap */
function grow(one, level, placed, room, gap) {
  const has = placed.get(one.id);
  if (!has || has.level <= level) return;
  // More room than it takes, so that it does not shrink again with the next tremble of the hand.
  const found = place(one, level, room, has.slot, gap, gap, NEAR);
  if (found) placed.set(one.id, found);
}

/**
 * @param {Wanting} one @param {number} level @param {Room} room @param {number | undefined} first slot to try first
 * @param {number} gap @param {number} spare @param {number} [slots] how many to try
 * @returns {Placed | null}
 */
function place(one, level, room, first, gap, spare, slots = SLOTS) {
  const size = one.sizes[level];
  if (!size) return null;
  for (let turn = first === undefined || first >= slots ? 0 : -1; turn < slots; turn += 1) {
    const slot = turn === -1 ? /** @type {number} */ (first) : turn;
    const box = slotBox(one.code, size, slot, gap, room.visible);
    if (box && room.has(box, one.id, spare) && (slot < NEAR || room.leads(one.code, box))) return { id: one.id, box, level, slot };
  }
  return null;
}

class Room {
  /** @param {readonly Box[]} codes @param {Box} visible @param {Map<number, Placed>} placed */
  constructor(codes, visible, placed) {
    this.codes = codes;
    this.visible = visible;
    this.placed = placed;
  }

  /** @param {Box} box @param {number} id whose own tag is no obstacle @param {number} [spare] to other tags */
  has(box, id, spare = 0) {
    for (const code of this.codes) if (overlap(box, code, 0)) return false;
    for (const other of this.placed.values()) if (other.id !== id && overlap(box, other.box, spare)) return false;
    return true;
  }

  /** Whether the line from a code to its tag crosses no other code. @param {Box} code @param {Box} box */
  leads(code, box) {
    const line = strip(code, box), own = (/** @type {Box} */ each) => each.x === code.x && each.y === code.y && each.width === code.width;
    return !this.codes.some((each) => !own(each) && overlap(line, each, 0));
  }
}

/** The strip from a code's middle to the tag that stands apart from it. @param {Box} code @param {Box} box @returns {Box} */
function strip(code, box) {
  const x = Math.min(Math.max(code.x + code.width / 2, box.x), box.x + box.width);
  const y = Math.min(Math.max(code.y + code.height / 2, box.y), box.y + box.height);
  const to = { x: Math.min(Math.max(x, code.x), code.x + code.width), y: Math.min(Math.max(y, code.y), code.y + code.height) };
  return { x: Math.min(x, to.x), y: Math.min(y, to.y), width: Math.abs(x - to.x), height: Math.abs(y - to.y) };
}

/** @param {Box} a @param {Box} b @param {number} spare */
export const overlap = (a, b, spare) =>
  a.x < b.x + b.width + spare && b.x < a.x + a.width + spare && a.y < b.y + b.height + spare && b.y < a.y + a.height + spare;

/**
 * Where a tag of a size stands in a slot; it is moved along its side to stay visible, null where that does not do.
 * @param {Box} code @param {{ width: number, height: number }} size @param {number} slot @param {number} gap @param {Box} visible
 * @returns {Box | null}
 */
export function slotBox(code, { width, height }, slot, gap, visible) {
  if (width > visible.width || height > visible.height) return null;
  const reach = Math.floor(slot / (SIDES * ALIGNS)), side = slot % SIDES, align = Math.floor(slot / SIDES) % ALIGNS;
  const upright = side < 2, away = gap + reach * (upright ? height + gap : width / 2 + gap);
  const along = (/** @type {number} */ from, /** @type {number} */ length, /** @type {number} */ own) =>
    align === 0 ? from + (length - own) / 2 : align === 1 ? from : from + length - own;
  let x = upright ? along(code.x, code.width, width) : side === 2 ? code.x + code.width + away : code.x - away - width;
  let y = upright ? (side === 0 ? code.y + code.height + away : code.y - away - height) : along(code.y, code.height, height);
  if (upright) x = clamp(x, visible.x, visible.x + visible.width - width);
  else y = clamp(y, visible.y, visible.y + visible.height - height);
  const inside = x >= visible.x && y >= visible.y && x + width <= visible.x + visible.width && y + height <= visible.y + visible.height;
  return inside ? { x, y, width, height } : null;
}

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * The upright box around a code, and `pad` around that.
 * @param {import("../types.js").Quad} quad @param {number} pad
 * @returns {Box}
 */
export function boxOf(quad, pad) {
  const xs = quad.map((point) => point.x), ys = quad.map((point) => point.y);
  const x = Math.min(...xs) - pad, y = Math.min(...ys) - pad;
  return { x, y, width: Math.max(...xs) + pad - x, height: Math.max(...ys) + pad - y };
}
