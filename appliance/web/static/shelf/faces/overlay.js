// Draws what the page knows over each code: a frame around the code and a tag beside it.

import { drawIcon } from "./icons.js";
import { boxOf, layTags } from "./layout.js";
import { METRICS, rowAt, tagsOf } from "./tags.js";

/** @import { Quad, Sighting, SightingState } from "../types.js" */
/** @import { Laid } from "./layout.js" */
/** @import { Box, Mark, Placed, View } from "./types.js" */
/** @import { Measure, Row, Tag } from "./tags.js" */

const { LETTER, ROW, ICON, EDGE } = METRICS;
const FONT = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif';
const CLEAR = 5;

/** How the frame around a code is dashed, in CSS pixels. @type {Record<SightingState, number[]>} */
const DASHES = { confirmed: [], seen: [5, 4], off_list: [10, 3, 3, 3], unread: [2, 4], rejected: [8, 4] };

/** @type {Map<string, { fed: string, tags: Tag[] }>} */
const made = new Map();
/** @type {Map<string, number>} */
const widths = new Map();

/**
 * @param {CanvasRenderingContext2D} context of the canvas that holds the frame, in its pixels
 * @param {readonly Sighting[]} sightings
 * @param {View} view
 * @param {Laid} before what the last call gave
 * @returns {Laid} where tags stand; `left` had no room
 */
export function draw(context, sightings, view, before) {
  const { marks, scale, visible } = view, unit = scale * view.text;
  const measure = measurer(context);
  const shown = sightings.filter((each) => marks.has(each.id));
  const inView = shown.filter((each) => centreIn(each.quad, visible));
  const wanting = inView.flatMap((each) => {
    const mark = /** @type {Mark} */ (marks.get(each.id));
    if (!mark.lines.length) return [];
    const rank = (view.chosen === each.id ? -2 : view.first.has(each.id) ? -1 : 0) + mark.rank * 4;
    const sizes = tagsFor(each.id, mark, measure).map((tag) => ({ width: tag.width * unit, height: tag.height * unit }));
    return [{ id: each.id, code: boxOf(each.quad, CLEAR * scale), rank, sizes }];
  });
  const codes = [...sightings.map((each) => boxOf(each.quad, CLEAR * scale)), ...view.blocked];
  const laid = layTags(wanting, codes, visible, before, 4 * scale);
  for (const each of shown) outline(context, each, /** @type {Mark} */ (marks.get(each.id)), view);
  for (const each of shown) {
    const placed = laid.placed.get(each.id), mark = /** @type {Mark} */ (marks.get(each.id));
    const tag = placed && tagsFor(each.id, mark, measure)[placed.level];
    if (placed && tag) drawTag(context, each.quad, placed, tag, mark, view);
  }
  return laid;
}

/**
 * What a person touched: a tag's row, or a code.
 * @param {{ x: number, y: number }} point in pixels of the frame
 * @param {readonly Sighting[]} sightings @param {Laid} laid @param {View} view
 * @returns {{ sighting: Sighting, row: Row | null } | null}
 */
export function touched(point, sightings, laid, view) {
  const unit = view.scale * view.text, reach = 12 * view.scale;
  for (const sighting of sightings) {
    const placed = laid.placed.get(sighting.id);
    if (!placed || !within(point, placed.box, 4 * view.scale)) continue;
    const tag = made.get(String(sighting.id))?.tags[placed.level];
    return { sighting, row: tag ? rowAt(tag, (point.y - placed.box.y) / unit) : null };
  }
  const near = sightings
    .filter((each) => within(point, boxOf(each.quad, 0), reach))
    .sort((a, b) => distance(point, a.quad) - distance(point, b.quad))[0];
  return near ? { sighting: near, row: null } : null;
}

/** @param {CanvasRenderingContext2D} context @returns {Measure} */
const measurer = (context) => (text, strong) => {
  const key = `${strong ? "b" : "n"}${text}`, kept = widths.get(key);
  if (kept !== undefined) return kept;
  if (widths.size > 4000) widths.clear();
  // Measured large and scaled down, so that no rounding to whole pixels creeps in.
  context.font = `${strong ? 650 : 450} ${LETTER * 4}px ${FONT}`;
  const width = context.measureText(text).width / 4;
  widths.set(key, width);
  return width;
};

/** @param {number} id @param {Mark} mark @param {Measure} measure */
function tagsFor(id, mark, measure) {
  const key = String(id), fed = `${mark.tone}|${mark.icon}|${mark.short}|${mark.lines.map((line) => line.text + line.tone + line.icon).join("|")}`;
  const kept = made.get(key);
  if (kept?.fed === fed) return kept.tags;
  if (made.size > 500) made.clear();
  const tags = tagsOf(mark, measure);
  made.set(key, { fed, tags });
  return tags;
}

/** @param {CanvasRenderingContext2D} context @param {Sighting} sighting @param {Mark} mark @param {View} view */
function outline(context, sighting, mark, view) {
  const { scale, palette } = view, chosen = view.chosen === sighting.id;
  context.save();
  context.globalAlpha = mark.dim ? 0.45 : 1;
  context.lineJoin = "round";
  trace(context, sighting.quad, sighting.state === "unread");
  // Dark below, so that the colour is seen over any goods.
  context.lineWidth = (chosen ? 8 : 5.5) * scale;
  context.strokeStyle = "oklch(0.15 0.01 255 / 0.75)";
  context.stroke();
  context.setLineDash(DASHES[sighting.state].map((length) => length * scale));
  context.lineWidth = (chosen ? 5 : 3) * scale;
  context.strokeStyle = palette[mark.tone].sight;
  context.stroke();
  context.restore();
}

/** The code's edge; only its corners where it was not read. @param {CanvasRenderingContext2D} context @param {Quad} quad @param {boolean} corners */
function trace(context, quad, corners) {
  context.beginPath();
  quad.forEach((point, index) => {
    const next = quad[(index + 1) % 4] ?? point, last = quad[(index + 3) % 4] ?? point;
    if (corners) {
      const from = towards(point, last, 0.25), to = towards(point, next, 0.25);
      context.moveTo(from.x, from.y);
      context.lineTo(point.x, point.y);
      context.lineTo(to.x, to.y);
    } else if (index) context.lineTo(point.x, point.y);
    else context.moveTo(point.x, point.y);
  });
  if (!corners) context.closePath();
}

/** @param {CanvasRenderingContext2D} context @param {Quad} quad @param {Placed} placed @param {Tag} tag @param {Mark} mark @param {View} view */
function drawTag(context, quad, { box }, tag, mark, view) {
  const { palette } = view, unit = view.scale * view.text;
  context.save();
  // Stepped back, and still read: what is frozen says so.
  context.globalAlpha = mark.dim ? 0.8 : 1;
  leader(context, quad, box, palette[mark.tone].sight, view.scale);
  context.translate(box.x, box.y);
  context.scale(unit, unit);
  context.beginPath();
  context.roundRect(0, 0, tag.width, tag.height, 4);
  context.fillStyle = palette.ground;
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = palette.line;
  context.stroke();
  context.save();
  context.clip();
  context.fillStyle = palette[mark.tone].ink;
  context.fillRect(0, 0, EDGE, tag.height);
  context.restore();
  tag.rows.forEach((row, index) => drawRow(context, row, tag.pad + EDGE, Math.max(0, tag.pad - 2) + index * ROW, view));
  tag.signs.forEach((sign, index) => {
    drawIcon(context, sign.icon, tag.width - tag.pad - ICON - index * (ICON + 3), Math.max(2, tag.pad), ICON, palette[sign.tone].ink);
  });
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Row} row @param {number} x @param {number} y @param {View} view */
function drawRow(context, row, x, y, { palette }) {
  const colour = row.tone === "plain" ? (row.strong ? palette.text : palette.soft) : palette[row.tone].ink;
  if (row.icon) drawIcon(context, row.icon, x, y + 2, ICON, colour);
  context.font = `${row.strong ? 650 : 450} ${LETTER}px ${FONT}`;
  context.textBaseline = "middle";
  context.fillStyle = colour;
  context.fillText(row.text, x + (row.icon ? ICON + 5 : 0), y + ROW / 2 + 0.5);
}

/** From a tag that stands apart to its code. @param {CanvasRenderingContext2D} context @param {Quad} quad @param {Box} box @param {string} colour @param {number} scale */
function leader(context, quad, box, colour, scale) {
  const code = boxOf(quad, 0), middle = { x: code.x + code.width / 2, y: code.y + code.height / 2 };
  const from = { x: clamp(middle.x, box.x, box.x + box.width), y: clamp(middle.y, box.y, box.y + box.height) };
  const to = { x: clamp(from.x, code.x, code.x + code.width), y: clamp(from.y, code.y, code.y + code.height) };
  if (Math.hypot(to.x - from.x, to.y - from.y) < 14 * scale) return;
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.lineWidth = 2 * scale;
  context.strokeStyle = colour;
  context.stroke();
}

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b @param {number} part */
const towards = (a, b, part) => ({ x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part });

/** @param {{ x: number, y: number }} point @param {Box} box @param {number} reach */
const within = (point, box, reach) =>
  point.x >= box.x - reach && point.x <= box.x + box.width + reach && point.y >= box.y - reach && point.y <= box.y + box.height + reach;

/** @param {Quad} quad */
const centre = (quad) => ({ x: quad.reduce((sum, each) => sum + each.x, 0) / 4, y: quad.reduce((sum, each) => sum + each.y, 0) / 4 });

/** @param {Quad} quad @param {Box} box */
const centreIn = (quad, box) => within(centre(quad), box, 0);

/** @param {{ x: number, y: number }} point @param {Quad} quad */
const distance = (point, quad) => Math.hypot(centre(quad).x - point.x, centre(quad).y - point.y);
