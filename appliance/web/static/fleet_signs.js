// What is drawn on the map. A sign comes from the same sprite as the list's, so there is one drawing
// of each; colours come from the page's own.

/** @typedef {{path: Path2D, filled: boolean, rule: CanvasFillRule, dash: number[]}} Stroke */

const COLOURS = {
  stopped: "--hold-ink", lost: "--review-ink", silent: "--review-ink", warned: "--review-ink", low: "--review-ink",
  working: "--info-ink", idle: "--accept-ink", other: "--ink-soft",
  ink: "--ink", soft: "--ink-soft", line: "--line", strong: "--line-strong", surface: "--surface",
};

/** The paths of the sprite's `agv-` symbols. @returns {Promise<Map<string, Stroke[]>>} */
export async function signs() {
  const answer = await fetch("/static/icons.svg");
  const sprite = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
  const found = new Map();
  for (const symbol of sprite.querySelectorAll("symbol[id^='agv-']")) {
    const strokes = [...symbol.querySelectorAll("path")].map((path) => ({
      path: new Path2D(path.getAttribute("d") ?? ""),
      filled: path.getAttribute("fill") === "currentColor",
      rule: /** @type {CanvasFillRule} */ (path.getAttribute("fill-rule") ?? "nonzero"),
      dash: (path.getAttribute("stroke-dasharray") ?? "").split(" ").filter(Boolean).map(Number),
    }));
    found.set(symbol.id.slice(4), strokes);
  }
  return found;
}

/** The colours of the page's theme, as the canvas takes them. @param {Element} beside @returns {Record<string, string>} */
export function colours(beside) {
  const probe = document.createElement("span");
  beside.after(probe);
  /** @type {Record<string, string>} */
  const found = {};
  for (const [name, token] of Object.entries(COLOURS)) {
    probe.style.color = `var(${token})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

/** In a box of 24 by 24. @param {CanvasRenderingContext2D} pen @param {Stroke[]} [strokes] */
export function paintSign(pen, strokes = []) {
  pen.lineWidth = 2.4;
  for (const stroke of strokes) {
    pen.setLineDash(stroke.dash);
    if (stroke.filled) pen.fill(stroke.path, stroke.rule);
    else pen.stroke(stroke.path);
  }
  pen.setLineDash([]);
}

/** Where words stand already, so that none is written over another. */
export class Boxes {
  constructor() {
    /** @type {[number, number, number, number][]} */
    this.taken = [];
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h @returns {boolean} whether there was room */
  take(x, y, w, h) {
    if (this.taken.some(([a, b, c, d]) => x < a + c && a < x + w && y < b + d && b < y + h)) return false;
    this.taken.push([x, y, w, h]);
    return true;
  }
}
