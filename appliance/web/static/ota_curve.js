// The evidence of one gate, frame by frame: against the candidate and for it, with both limits.

/** @typedef {typeof import("uplot")} Plot */
/** @typedef {import("uplot")} Drawn */
/** @typedef {{gate: number, frames: number[], against: number[], good: number[], abort_at: number, promote_at: number}} Points */

const global = /** @type {{uPlot?: Plot}} */ (/** @type {unknown} */ (window));
if (!global.uPlot) {
  await new Promise((loaded) => document.querySelector("#uplot")?.addEventListener("load", loaded));
}
const uPlot = /** @type {Plot} */ (global.uPlot);
const counts = new Intl.NumberFormat(document.documentElement.lang);
/** Evidence below this says nothing that the eye needs. */
const LEAST = 0.05;

class Curve {
  /** @param {HTMLElement} figure */
  constructor(figure) {
    this.figure = figure;
    this.box = /** @type {HTMLElement} */ (figure.querySelector("[data-box]"));
    this.address = figure.dataset.points ?? "";
    /** @type {Points | null} */
    this.points = null;
    /** @type {Drawn | null} */
    this.plot = null;
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.box);
  }

  size() {
    return { width: Math.max(200, this.box.clientWidth), height: Math.max(140, this.box.clientHeight) };
  }

  /** @param {string} name */
  colour(name) {
    const probe = document.createElement("span");
    probe.className = name;
    this.box.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  async load() {
    try {
      const answer = await fetch(this.address);
      if (!answer.ok) throw new Error(String(answer.status));
      this.points = await answer.json();
    } catch {
      this.figure.dataset.state = "stale";
      return;
    }
    delete this.figure.dataset.state;
    this.draw();
  }

  /** @returns {import("uplot").AlignedData} */
  data() {
    const { frames, against, good } = /** @type {Points} */ (this.points);
    const shown = (/** @type {number[]} */ values) => [1, ...values].map((value) => Math.max(LEAST, value));
    return [[0, ...frames], shown(against), shown(good)];
  }

  draw() {
    const data = this.data();
    if (this.plot) this.plot.setData(data);
    else this.plot = this.make(data);
    this.figure.dataset.drawn = String(data[0].length - 1);
  }

  /** @param {import("uplot").AlignedData} data */
  make(data) {
    const ink = this.colour("ota-ink-soft");
    const font = `12px ${getComputedStyle(this.box).fontFamily}`;
    const grid = { stroke: `color-mix(in srgb, ${ink} 22%, transparent)`, width: 1 };
    const axis = { stroke: ink, font, grid, ticks: { ...grid, size: 4 } };
    const line = (/** @type {string} */ name) => ({ stroke: this.colour(name), width: 2, points: { show: false } });
    /** @type {import("uplot").Options} */
    const options = {
      ...this.size(),
      legend: { show: false },
      padding: [10, 12, 0, 0],
      scales: {
        x: { time: false, range: (_, __, most) => [0, Math.max(20, most)] },
        y: { distr: 3, range: (_, __, most) => [LEAST, Math.max(3 * this.top(), most * 1.5)] },
      },
      series: [{}, line("ota-ink-against"), { ...line("ota-ink-good"), dash: [6, 4] }],
      axes: [
        { ...axis, values: (_, splits) => splits.map((value) => counts.format(value)), size: 34 },
        { ...axis, values: (_, splits) => splits.map((value) => label(value)), size: 52 },
      ],
      cursor: { y: false, drag: { x: false, y: false } },
      hooks: { draw: [(plot) => this.limits(plot)] },
    };
    return new uPlot(options, data, this.box);
  }

  top() {
    return Math.max(this.points?.abort_at ?? 100, this.points?.promote_at ?? 20);
  }

  /** Where the gate stops the candidate, and where it lets it go on. @param {Drawn} plot */
  limits(plot) {
    const { ctx, bbox } = plot;
    const draw = (/** @type {number} */ at, /** @type {string} */ name) => {
      const y = plot.valToPos(at, "y", true);
      ctx.save();
      ctx.strokeStyle = this.colour(name);
      ctx.fillStyle = ctx.strokeStyle;
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.font = `${12 * devicePixelRatio}px ${getComputedStyle(this.box).fontFamily}`;
      ctx.textAlign = "right";
      ctx.fillText(counts.format(Math.round(at)), bbox.left + bbox.width - 4 * devicePixelRatio, y - 4 * devicePixelRatio);
      ctx.restore();
    };
    if (!this.points) return;
    draw(this.points.abort_at, "ota-ink-against");
    draw(this.points.promote_at, "ota-ink-good");
  }
}

/** Whole powers of ten only. @param {number | null} value */
function label(value) {
  if (value === null || !Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6)) return "";
  return value < 1 ? String(value) : counts.format(value);
}

/** @type {Curve | null} */
let curve = null;

function look() {
  const figure = document.querySelector("#curve");
  if (!(figure instanceof HTMLElement)) return;
  if (curve?.figure !== figure) curve = new Curve(figure);
  void curve.load();
}

look();
document.body.addEventListener("live-ota", look);
document.body.addEventListener("live-healed", look);
document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("#curve") !== curve?.figure) look();
});

export {};
