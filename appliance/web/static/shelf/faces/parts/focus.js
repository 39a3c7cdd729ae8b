// Where the focus was in what is built anew, so that keyboard and screen reader go on from there.

/** @typedef {{ path: number[], says: string }} Held */

/** @param {Element} element what makes it the same button to a person */
const saysOf = (element) => [element.tagName, element.getAttribute("aria-label"), element.textContent].join("|");

/**
 * @param {Element} root @param {Element | null} element that has the focus
 * @returns {Held | null} null: it is not in there
 */
export function heldIn(root, element) {
  if (!element || element === root || !root.contains(element)) return null;
  const path = [];
  for (let at = element; at !== root; at = /** @type {Element} */ (at.parentElement)) {
    path.unshift([...(at.parentElement?.children ?? [])].indexOf(at));
  }
  return { path, says: saysOf(element) };
}

/**
 * What stands there now, if it is the same: another button under the finger would do something else.
 * @param {Element} root @param {Held} held
 * @returns {HTMLElement | null}
 */
export function again(root, { path, says }) {
  /** @type {Element | undefined} */
  let at = root;
  for (const index of path) at = at?.children[index];
  return at && saysOf(at) === says ? /** @type {HTMLElement} */ (at) : null;
}
