import assert from "node:assert/strict";
import { test } from "node:test";

import { again, heldIn } from "/static/shelf/faces/parts/focus.js";

/** An element without a browser. */
function element(tagName, textContent, children = []) {
  const made = {
    tagName, textContent, children, parentElement: null, getAttribute: () => null,
    contains: (other) => other === made || children.some((child) => child.contains(other)),
  };
  for (const child of children) child.parentElement = made;
  return made;
}
const row = (...words) => element("DIV", words.join(""), words.map((word) => element("BUTTON", word)));

test("a sheet that is built anew has the focus where it was, and on no other button", () => {
  const before = element("DIALOG", "", [row("7", "8", "9"), row("Cancel", "Book")]);
  const book = before.children[1].children[1], held = heldIn(before, book);
  const after = element("DIALOG", "", [row("7", "8", "9"), row("Cancel", "Book")]);
  assert.equal(again(after, held), after.children[1].children[1]);
  assert.equal(again(element("DIALOG", "", [row("7"), row("Cancel", "Freeze")]), held), null);
  assert.equal(again(element("DIALOG", "", [row("7")]), held), null);
  assert.equal(heldIn(before, element("BUTTON", "outside")), null);
  assert.equal(heldIn(before, before), null);
});
