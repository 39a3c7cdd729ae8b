// Copies the front-end packages that the pages use into static/vendor. Run by `npm run build`.
import { copyFile, mkdir } from "node:fs/promises";

const root = new URL("../../", import.meta.url);
const target = new URL("./static/vendor/", import.meta.url);
const files = [
  ["node_modules/htmx.org/dist/htmx.min.js", "htmx.min.js"],
  ["node_modules/htmx.org/LICENSE", "htmx.LICENSE"],
  ["node_modules/uplot/dist/uPlot.iife.min.js", "uPlot.iife.min.js"],
  ["node_modules/uplot/dist/uPlot.min.css", "uPlot.min.css"],
  ["node_modules/uplot/LICENSE", "uPlot.LICENSE"],
];

await mkdir(target, { recursive: true });
for (const [source, name] of files) await copyFile(new URL(source, root), new URL(name, target));
