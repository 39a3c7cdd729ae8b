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
  // Its modules refer to each other by "../share.js", so the folders stay as they are.
  ["node_modules/zxing-wasm/dist/es/reader/index.js", "zxing/reader/index.js"],
  ["node_modules/zxing-wasm/dist/es/share.js", "zxing/share.js"],
  ["node_modules/zxing-wasm/dist/reader/zxing_reader.wasm", "zxing/zxing_reader.wasm"],
  ["node_modules/zxing-wasm/LICENSE", "zxing/LICENSE"],
  ["node_modules/idb/build/index.js", "idb.js"],
  ["node_modules/idb/LICENSE", "idb.LICENSE"],
];

for (const [source, name] of files) {
  const place = new URL(name, target);
  await mkdir(new URL(".", place), { recursive: true });
  await copyFile(new URL(source, root), place);
}
