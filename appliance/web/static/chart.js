// One chart of one series: the envelope of least and most with the mean, and readings as they come.

/** @typedef {typeof import("uplot")} Plot */
/** @typedef {import("uplot")} Drawn */
/** @typedef {{level: string, step_us: number, from_us: number, to_us: number, at_us: number[],
 *   least: number[], most: number[], mean: number[], count: number[]}} Envelope */
/** @typedef {{from: number, to: number}} Range seconds since 1970 */
/** @typedef {{at: number, kind: string, name: string}} Limit one side of a fence */

const global = /** @type {{uPlot?: Plot}} */ (/** @type {unknown} */ (window));
if (!global.uPlot) {
  await new Promise((loaded) => document.querySelector("#uplot")?.addEventListener("load", loaded));
}
const uPlot = /** @type {Plot} */ (global.uPlot);
const language = document.documentElement.lang;
const numbers = new Intl.NumberFormat(language, { maximumSignificantDigits: 5 });
const rounded = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
const counts = new Intl.NumberFormat(language);
const MOST_LIVE = 20_000;
const DAY_S = 86_400;

/** @param {Intl.DateTimeFormatOptions} options */
const clock = (options) => new Intl.DateTimeFormat(language, { hourCycle: "h23", ...options });
const days = clock({ month: "short", day: "numeric" });
const minutes = clock({ hour: "2-digit", minute: "2-digit" });
const seconds = clock({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const exact = clock({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** @param {number} us */
function duration(us) {
  const s = us / 1e6;
  if (s < 1) return `${numbers.format(s * 1000)} ms`;
  if (s < 120) return `${numbers.format(s)} s`;
  if (s < 7200) return `${numbers.format(s / 60)} min`;
  return `${numbers.format(s / 3600)} h`;
}

/** @param {Element} figure @param {string} name */
const part = (figure, name) => /** @type {HTMLElement} */ (figure.querySelector(name));

export class Chart {
  /**
   * @param {HTMLElement} figure
   * @param {{zoom: (range: Range) => void, wider: () => void,
   *   words: (key: string, values?: Record<string, string>) => string}} page
   */
  constructor(figure, page) {
    this.figure = figure;
    this.page = page;
    this.box = part(figure, "[data-box]");
    this.wait = part(figure, "[data-wait]");
    this.quantity = figure.dataset.quantity ?? "";
    this.channel = figure.dataset.channel ?? "";
    this.unit = figure.dataset.unit ?? "";
    this.newest = Number(figure.dataset.newest ?? 0);
    /** @type {Limit[]} */
    this.limits = JSON.parse(figure.dataset.limits ?? "[]");
    this.step = 1;
    /** @type {Range} */
    this.range = { from: 0, to: 1 };
    /** @type {number[][]} at in seconds, least, most, mean, count */
    this.rows = [[], [], [], [], []];
    /** @type {[number, number][]} readings as they came: microseconds, value */
    this.live = [];
    this.asked = 0;
    this.dirty = false;
    /** @type {Drawn | null} made with its first data: an empty one would be drawn for nothing */
    this.plot = null;
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.box);
  }

  size() {
    return { width: Math.max(200, this.box.clientWidth), height: Math.max(120, this.box.clientHeight) };
  }

  /** @param {import("uplot").AlignedData} data */
  make(data) {
    const style = getComputedStyle(this.box);
    const soft = getComputedStyle(part(this.figure, ".chart-at")).color;
    const font = `12px ${style.fontFamily}`;
    const grid = { stroke: `color-mix(in srgb, ${soft} 22%, transparent)`, width: 1 };
    const axis = { stroke: soft, font, grid, ticks: { ...grid, size: 4 } };
    const stepped = this.figure.dataset.stepped === "yes" ? { paths: uPlot.paths.stepped?.({ align: 1 }) } : {};
    /** @type {import("uplot").Options} */
    const options = {
      ...this.size(),
      ms: 1e-3,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      scales: { x: { range: () => [this.range.from, this.range.to] }, y: { range: (_, low, high) => rangeOf(low, high, this.limits) } },
      series: [
        {},
        { stroke: "transparent", points: { show: false }, spanGaps: false },
        { stroke: "transparent", points: { show: false }, spanGaps: false },
        { stroke: style.color, width: 1.5, points: { size: 4, fill: style.color }, spanGaps: false, ...stepped },
      ],
      bands: [{ series: [2, 1], fill: `color-mix(in srgb, ${style.color} 20%, transparent)` }],
      axes: [
        { ...axis, values: (_, splits, __, ___, step) => timeLabels(splits, step), space: 70, size: 42 },
        { ...axis, values: (_, splits) => splits.map((value) => numbers.format(value)), size: 62 },
      ],
      cursor: {
        y: false,
        sync: { key: "sensor" },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => { this.page.wider(); return null; } },
      },
      hooks: {
        setCursor: [(plot) => this.read(plot)],
        setSelect: [(plot) => this.select(plot)],
        draw: [(plot) => this.fences(plot), () => performance.mark("chart-drawn")],
      },
    };
    return new uPlot(options, data, this.box);
  }

  /** Where somebody signed that it is too much. @param {Drawn} plot */
  fences(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = getComputedStyle(this.figure).getPropertyValue("--hold-ink");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([8 * devicePixelRatio, 6 * devicePixelRatio]);
    let drawn = 0;
    for (const { at } of this.limits) {
      const y = plot.valToPos(at, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      drawn += 1;
    }
    ctx.restore();
    this.figure.dataset.fences = String(drawn);
  }

  /** Colours of another theme. */
  redraw() {
    this.plot?.destroy();
    this.plot = null;
    this.draw();
  }

  /**
   * @param {Range} range
   * @param {string} [question] the address to ask, where the server wrote it already
   */
  async load(range, question) {
    const turn = ++this.asked;
    const points = Math.max(200, Math.min(2000, Math.round(this.box.clientWidth)));
    const query = new URLSearchParams({
      device: this.figure.dataset.device ?? "", quantity: this.quantity, channel: this.channel,
      from_us: String(Math.round(range.from * 1e6)), to_us: String(Math.round(range.to * 1e6)), points: String(points),
    });
    const csv = part(this.figure, "[data-csv]");
    csv.setAttribute("href", `/sensors/data/export.csv?${query}`);
    /** @type {Envelope} */
    let envelope;
    const first = question ? this.figure.querySelector("[data-first]") : null;
    try {
      if (first) {
        // It came with the page. An answer is good once.
        envelope = JSON.parse(first.textContent ?? "");
        first.remove();
        this.put(envelope);
        this.range = range;
        this.draw();
        return;
      }
      const answer = await fetch(question ?? `/sensors/data/history?${query}`);
      if (!answer.ok) throw new Error(String(answer.status));
      envelope = await answer.json();
    } catch {
      if (turn === this.asked) this.say("stale", this.page.words("sensor.failed"));
      return;
    }
    if (turn !== this.asked) return;
    this.put(envelope);
    this.range = range;
    this.draw();
  }

  /** @param {Envelope} envelope */
  put(envelope) {
    const last = envelope.at_us.at(-1) ?? 0;
    this.step = envelope.step_us;
    const half = this.step > 1 ? this.step / 2 : 0;
    this.rows = [envelope.at_us.map((at) => (at + half) / 1e6), envelope.least, envelope.most, envelope.mean, envelope.count];
    // Readings that came live and are in no file yet stay at the end.
    const behind = last + this.step - 1;
    for (const [at, value] of this.live) if (at > behind) this.add(at, value);
  }

  /**
   * Readings that just came, in the order in which they came.
   * @param {number[]} at_us
   * @param {number[]} values
   */
  take(at_us, values) {
    at_us.forEach((at, n) => {
      const value = values[n];
      if (at <= this.newest || value === undefined) return;
      this.newest = at;
      this.live.push([at, value]);
      this.add(at, value);
    });
    if (this.live.length > MOST_LIVE) this.live.splice(0, this.live.length - MOST_LIVE);
    const value = values.at(-1);
    if (value !== undefined) this.now(value);
    this.dirty = true;
  }

  /** @param {number} at_us @param {number} value */
  add(at_us, value) {
    const [at, least, most, mean, count] = /** @type {[number[], number[], number[], number[], number[]]} */ (this.rows);
    const place = this.step === 1 ? at_us / 1e6 : (Math.floor(at_us / this.step) * this.step + this.step / 2) / 1e6;
    const last = at.length - 1;
    const held = count[last];
    if (this.step > 1 && at[last] === place && held !== undefined) {
      least[last] = Math.min(/** @type {number} */ (least[last]), value);
      most[last] = Math.max(/** @type {number} */ (most[last]), value);
      mean[last] = (/** @type {number} */ (mean[last]) * held + value) / (held + 1);
      count[last] = held + 1;
      return;
    }
    at.push(place); least.push(value); most.push(value); mean.push(value); count.push(1);
    if (at.length > MOST_LIVE) for (const row of this.rows) row.splice(0, row.length - MOST_LIVE);
  }

  /** @param {number} value */
  now(value) {
    part(this.figure, "[data-now]").textContent = numbers.format(value);
    const line = part(this.figure, ".chart-now");
    line.dataset.at = new Date(this.newest / 1000).toISOString();
    line.classList.remove("stale");
    part(this.figure, "[data-age-text]").textContent = "";
  }

  draw() {
    this.dirty = false;
    const [at, least, most, mean, count] = /** @type {[number[], number[], number[], number[], number[]]} */ (this.rows);
    const first = lowest(at, this.range.from - this.step / 1e6);
    const end = lowest(at, this.range.to);
    const shown = [at, least, most, mean, count].map((row) => row.slice(first, end));
    const data = /** @type {any} */ (withGaps(/** @type {any} */ (shown), this.step));
    if (this.plot) this.plot.setData(data);
    else this.plot = this.make(data);
    this.sums(/** @type {any} */ (shown));
    this.say("drawn", end > first ? "" : this.page.words("sensor.empty_range"));
  }

  /** @param {[number[], number[], number[], number[], number[]]} shown */
  sums([at, least, most, mean, count]) {
    const all = count.reduce((sum, n) => sum + n, 0);
    const total = mean.reduce((sum, value, n) => sum + value * /** @type {number} */ (count[n]), 0);
    const sums = {
      least: all ? `${numbers.format(least.reduce((a, b) => Math.min(a, b)))} ${this.unit}` : "–",
      most: all ? `${numbers.format(most.reduce((a, b) => Math.max(a, b)))} ${this.unit}` : "–",
      mean: all ? `${rounded.format(total / all)} ${this.unit}` : "–",
      count: counts.format(all),
    };
    for (const [name, text] of Object.entries(sums)) part(this.figure, `[data-sum=${name}]`).textContent = text;
    part(this.figure, "[data-point]").textContent =
      this.step === 1 ? this.page.words("sensor.point.raw") : this.page.words("sensor.point.step", { step: duration(this.step) });
    if (at.length > 2) part(this.figure, ".chart-now").dataset.maxAge = String(Math.max(60, 10 * usual(at)));
  }

  /** @param {"drawn" | "stale"} state @param {string} text */
  say(state, text) {
    this.figure.dataset.state = state;
    this.wait.hidden = text === "";
    this.wait.textContent = text;
  }

  /** @param {Drawn} plot */
  read(plot) {
    const n = plot.cursor.idx ?? -1;
    const [at, least, most, mean] = plot.data;
    const middle = mean?.[n];
    const place = part(this.figure, "[data-readout]");
    if (middle === null || middle === undefined) { place.textContent = "\u00a0"; return; }
    const time = exact.format(new Date(/** @type {number} */ (at[n]) * 1000));
    place.textContent = this.page.words(this.step === 1 ? "sensor.at" : "sensor.at_step", {
      time, unit: this.unit, mean: numbers.format(middle),
      least: numbers.format(/** @type {number} */ (least?.[n])), most: numbers.format(/** @type {number} */ (most?.[n])),
    });
  }

  /** @param {Drawn} plot */
  select(plot) {
    const { left, width } = plot.select;
    if (width < 8) return;
    const range = { from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") };
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.page.zoom(range);
  }
}

/** First index whose value is not below `wanted`. @param {number[]} sorted @param {number} wanted */
function lowest(sorted, wanted) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (sorted[middle]) < wanted) low = middle + 1; else high = middle;
  }
  return low;
}

/** The middle distance of points, seconds. @param {number[]} at */
function usual(at) {
  const steps = at.slice(1).map((value, n) => value - /** @type {number} */ (at[n])).sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 0;
}

/**
 * A line that breaks where nothing was measured for five times as long as usual.
 * @param {[number[], number[], number[], number[], number[]]} rows
 * @param {number} step
 */
function withGaps([at, least, most, mean], step) {
  const limit = Math.max(5 * usual(at), (3 * step) / 1e6);
  /** @type {(number | null)[][]} */
  const made = [[], [], [], []];
  at.forEach((x, n) => {
    const before = at[n - 1];
    if (before !== undefined && x - before > limit) {
      made[0]?.push((x + before) / 2);
      for (const row of made.slice(1)) row.push(null);
    }
    [x, least[n], most[n], mean[n]].forEach((value, row) => made[row]?.push(value ?? null));
  });
  return made;
}

/**
 * What is shown: all that was measured, and limits that are not far from it; one at the other end of the
 * world would make a line of every curve.
 * @param {number | null} low @param {number | null} high @param {Limit[]} limits @returns {[number, number]}
 */
function rangeOf(low, high, limits) {
  if (low === null || high === null) return [0, 1];
  const near = Math.max(2 * (high - low), Math.abs(high));
  const [least, most] = [low - near, high + near];
  const shown = limits.map((each) => each.at).filter((at) => at > least && at < most);
  low = Math.min(low, ...shown);
  high = Math.max(high, ...shown);
  const room = (high - low) * 0.08 || Math.max(Math.abs(high) * 0.02, 0.5);
  return [low - room, high + room];
}

/** @param {number[]} splits seconds @param {number} step seconds between them */
function timeLabels(splits, step) {
  let day = "";
  return splits.map((at) => {
    const time = new Date(at * 1000);
    const date = days.format(time);
    if (step >= DAY_S) return date;
    const text = (step < 60 ? seconds : minutes).format(time);
    if (date === day) return text;
    day = date;
    return `${text}\n${date}`;
  });
}

