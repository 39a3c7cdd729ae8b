// The theme's colours as the canvas takes them.

/** @import { Palette, Tone } from "../types.js" */

/** @type {Tone[]} */
const TONES = ["fine", "month", "week", "gone", "accept", "review", "hold", "info", "off_list", "waiting", "plain"];

/** Resolves the custom properties of the page; asked again when the theme changes. @returns {Palette} */
export function paletteOf() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (/** @type {string} */ name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const tones = Object.fromEntries(TONES.map((tone) => [tone, {
    ink: tone === "plain" ? colour("--line-strong") : colour(`--${tone}-ink`), sight: colour(`--sight-${tone}`),
  }]));
  const palette = { ...tones, ground: colour("--surface"), text: colour("--ink"), soft: colour("--ink-soft"), line: colour("--line-strong") };
  probe.remove();
  return /** @type {Palette} */ (palette);
}
