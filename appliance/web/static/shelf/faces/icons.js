// The signs of verdicts and expiry for the canvas, in the shapes that icons.svg has, on a grid of 24.

/** @type {Record<string, { line?: string, fill?: string, width?: number }>} */
const SHAPES = {
  "shelf-expiry": { line: "M4 5h16v16H4ZM4 10h16M8 2.5V7M16 2.5V7M12 13v3.2l2.5 1.5" },
  accept: { line: "M22 12A10 10 0 1 1 2 12A10 10 0 1 1 22 12M7 12.5l3.5 3.5L17 8.5" },
  review: { line: "M12 1.6 22.4 12 12 22.4 1.6 12ZM9.4 9.8a2.6 2.6 0 1 1 3.7 2.3c-.8.4-1.1.9-1.1 1.8M12 16.6v.2" },
  hold: {
    line: "M7.5 1.5h9l6 6v9l-6 6h-9l-6-6v-9Z",
    fill: "M8.3 13V8.7a.9.9 0 0 1 1.8 0V7.3a.9.9 0 0 1 1.8 0v-.4a.9.9 0 0 1 1.8 0v1a.9.9 0 0 1 1.8 0v6.2c0 2.5-1.5 4-3.7 4-1.8 0-2.8-.8-3.7-2.5l-1.7-3a.9.9 0 0 1 1.5-1Z",
  },
  info: { line: "M2 2h20v20H2ZM12 11v6.5M12 7.2v.3" },
  off_list: { line: "M3 7.5 12 2.5l9 5v9l-9 5-9-5ZM8.5 9.5l7 6m0-6-7 6" },
  waiting: { line: "M6 12h.01M12 12h.01M18 12h.01", width: 3.4 },
  "shelf-month": { line: "M12 2.5 22 20.5H2ZM12 9v6M12 17.4v.4" },
  "shelf-week": { line: "M6 2.5h12M6 21.5h12M7.5 2.5c0 5.5 4.5 6 4.5 9.5s-4.5 4-4.5 9.5M16.5 2.5c0 5.5-4.5 6-4.5 9.5s4.5 4 4.5 9.5" },
  "shelf-gone": { line: "M12 2 22 12 12 22 2 12ZM8.8 8.8l6.4 6.4m0-6.4-6.4 6.4" },
  "shelf-place_wrong": { line: "M3 20.5h18M6 20.5V10h7v10.5M11 5.5h9M16 1.5l4 4-4 4" },
  "shelf-place": { line: "M12 22c4.7-5.3 7-9.3 7-12.3A7 7 0 0 0 5 9.7C5 12.7 7.3 16.7 12 22ZM14.6 9.7a2.6 2.6 0 1 1-5.2 0 2.6 2.6 0 0 1 5.2 0" },
  "shelf-reorder": { line: "M4 12a8 8 0 0 1 13.7-5.7L20 8.5M20 4v4.5h-4.5M20 12a8 8 0 0 1-13.7 5.7L4 15.5M4 20v-4.5h4.5" },
  "shelf-price": { line: "M3 12.5V4h8.5L21 13.5 13.5 21ZM8.5 8.5h.01" },
  "shelf-phone": { line: "M6.5 3h3L11 7.5 8.8 9.1a12 12 0 0 0 6.1 6.1L17 13l4.5 1.5v3a3 3 0 0 1-3 3C10.3 20.5 4 13.7 3.5 6a3 3 0 0 1 3-3Z" },
  "shelf-find": { line: "M17 10.5a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0M15.5 15.5 21 21M7.5 10.5l2.2 2.3 4-4.3" },
  "nav-stock": { line: "M3 7.5 12 3l9 4.5v9L12 21l-9-4.5ZM3 7.5l9 4.5 9-4.5M12 12v9" },
  "nav-tickets": { line: "M5 3h14v18l-3.5-2-3.5 2-3.5-2L5 21ZM8.5 8h7M8.5 12h7" },
};

/** @type {Map<string, { line: Path2D | null, fill: Path2D | null, width: number }>} */
const paths = new Map();

/** @param {string} name */
export const hasIcon = (name) => name in SHAPES;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} name @param {number} x @param {number} y its top left corner @param {number} size
 * @param {string} colour
 */
export function drawIcon(context, name, x, y, size, colour) {
  const shape = SHAPES[name];
  if (!shape) return;
  let path = paths.get(name);
  if (!path) {
    path = { line: shape.line ? new Path2D(shape.line) : null, fill: shape.fill ? new Path2D(shape.fill) : null, width: shape.width ?? 2.2 };
    paths.set(name, path);
  }
  context.save();
  context.translate(x, y);
  context.scale(size / 24, size / 24);
  context.lineWidth = path.width;
  context.lineCap = "round";
  context.strokeStyle = colour;
  context.fillStyle = colour;
  if (path.line) context.stroke(path.line);
  if (path.fill) context.fill(path.fill);
  context.restore();
}
