// Pages of updates: a form that somebody has opened is not taken away by what comes in live.

const OPEN = ".ota-ask[open]";
let missed = false;

/** @param {Element} except stays open */
function closeOthers(except) {
  for (const each of document.querySelectorAll(OPEN)) {
    if (each instanceof HTMLDetailsElement && !each.contains(except)) each.open = false;
  }
}

document.addEventListener("htmx:before:request", (event) => {
  const asks = event.target instanceof Element ? event.target : null;
  if (asks?.getAttribute("hx-trigger")?.includes("live-ota") && asks.querySelector(OPEN)) {
    event.preventDefault();
    missed = true;
  }
});
// `toggle` does not bubble.
document.addEventListener("toggle", () => {
  if (!missed || document.querySelector(OPEN)) return;
  missed = false;
  document.body.dispatchEvent(new CustomEvent("live-ota"));
}, true);
document.addEventListener("click", (event) => {
  if (event.target instanceof Element) closeOthers(event.target);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  const open = document.querySelector(OPEN);
  if (!(open instanceof HTMLDetailsElement)) return;
  open.open = false;
  open.querySelector("summary")?.focus();
});

export {};
