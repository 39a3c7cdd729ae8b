// Does this phone trust the site now? Only a phone that does can read an answer over TLS.

const PATIENCE_MS = 8_000;

const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-trust-check]"));
const said = /** @type {HTMLElement | null} */ (document.querySelector("[data-trust-said]"));
const go = /** @type {HTMLAnchorElement | null} */ (document.querySelector("[data-trust-go]"));

/** @param {"asking" | "yes" | "no"} state */
function show(state) {
  if (!said || !go || !button) return;
  said.dataset.state = state;
  for (const part of said.querySelectorAll("[data-when]")) {
    /** @type {HTMLElement} */ (part).hidden = part.getAttribute("data-when") !== state;
  }
  said.hidden = false;
  go.hidden = state !== "yes";
  button.disabled = state === "asking";
}

async function ask() {
  const address = button?.dataset.trustCheck ?? "";
  show("asking");
  try {
    const answer = await fetch(`${address}/trust/ok`, {
      cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS),
    });
    show(answer.ok && (await answer.json()).trusted === true ? "yes" : "no");
  } catch {
    show("no");
  }
}

button?.addEventListener("click", () => void ask());
// Whoever comes back from the phone's settings is told without asking.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && said && !said.hidden) void ask();
});
