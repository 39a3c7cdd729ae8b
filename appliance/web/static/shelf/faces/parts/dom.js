// Building elements without markup: text is always text.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {{ class?: string, text?: string, on?: Record<string, (event: any) => void>, [name: string]: any }} Props names are attributes, but `class`, `text` and `on`; false and null leave one out */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, call] of Object.entries(value)) element.addEventListener(event, /** @type {EventListener} */ (call));
    else if (name === "text") element.textContent = String(value);
    else if (name === "class") element.className = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

let sprite = "/static/icons.svg";

/** Takes the sprite into the document: what is drawn later, also offline, asks for no file. */
export async function takeSprite() {
  try {
    const text = await (await fetch(sprite)).text();
    const drawn = document.adoptNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement);
    drawn.setAttribute("class", "sprite");
    drawn.setAttribute("aria-hidden", "true");
    document.body.append(drawn);
    sprite = "";
  } catch {
    // Icons are then asked for one by one.
  }
}

/** @param {string} name in the sprite @param {string} [more] classes */
export function icon(name, more = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${more}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {string} word @param {() => void} run
 * @param {{ icon?: string, class?: string, pressed?: boolean, disabled?: boolean, name?: string }} [more]
 */
export const button = (word, run, more = {}) => h("button", {
  type: "button", class: `button ${more.class ?? ""}`.trim(), disabled: more.disabled, "data-do": more.name,
  ...(more.pressed !== undefined && { "aria-pressed": String(more.pressed) }), on: { click: run },
}, more.icon && icon(more.icon), h("span", { text: word }));

/**
 * A field whose text counts once it is written: what an input method still composes is neither searched for nor
 * taken, and the Enter that chooses its characters submits nothing.
 * @param {Props} props @param {(text: string) => void} written @param {() => void} [entered] Enter was pressed
 */
export function textField(props, written, entered) {
  const field = h("input", { type: "text", autocomplete: "off", ...props, on: {
    input: (/** @type {InputEvent} */ event) => { if (!event.isComposing) written(field.value); },
    // Browsers differ in whether an input event follows.
    compositionend: () => written(field.value),
    keydown: (/** @type {KeyboardEvent} */ event) => {
      // Safari ends the composition before the key that ended it: 229 says that it was the input method's.
      if (event.key !== "Enter" || event.isComposing || event.keyCode === 229 || !entered) return;
      event.preventDefault();
      entered();
    },
  } });
  return field;
}

/** A sign with its word: the colour is never alone. @param {string} tone @param {string} sign @param {string} word */
export const badge = (tone, sign, word) => h("span", { class: `badge tone-${tone}` }, sign && icon(sign), h("span", { text: word }));

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the shell has no #${id}`);
  return found;
}
