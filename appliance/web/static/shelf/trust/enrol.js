// A phone becomes one of the site's: by the link that it was shown, or as whoever is signed in on it.

import { Keep } from "../keep/keep.js";
import { canBePhone, newKey } from "../keep/phone.js";

const page = /** @type {HTMLElement} */ (document.querySelector("[data-enrol]"));
const form = /** @type {HTMLFormElement} */ (page.querySelector("form"));
const error = /** @type {HTMLElement} */ (page.querySelector("[data-enrol-error]"));

// The secret stays out of the history, of the server's logs and of what is shared.
const token = location.hash.slice(1);
if (token) history.replaceState(null, "", location.pathname + location.search);

/** @param {string} name */
function show(name) {
  for (const step of page.querySelectorAll("[data-step]")) {
    /** @type {HTMLElement} */ (step).hidden = step.getAttribute("data-step") !== name;
  }
}

/** @param {string} role */
function roleWord(role) {
  const words = /** @type {HTMLTemplateElement} */ (page.querySelector("[data-roles]"));
  return words.content.querySelector(`[data-role="${CSS.escape(role)}"]`)?.textContent ?? role;
}

/** @param {string} text */
function say(text) {
  error.hidden = !text;
  const line = error.querySelector("span");
  if (line) line.textContent = text;
}

/** @param {string} owner @param {string} role @param {string} name */
function askWith(owner, role, name) {
  const who = page.querySelector("[data-enrol-owner]");
  const what = page.querySelector("[data-enrol-role]");
  if (who) who.textContent = owner;
  if (what) what.textContent = role ? roleWord(role) : "";
  /** @type {HTMLElement} */ (page.querySelector("[data-enrol-choose]")).hidden = Boolean(role);
  /** @type {HTMLInputElement} */ (form.elements.namedItem("name")).value = name || owner;
  show("ask");
}

async function invited() {
  const answer = await fetch("/api/v1/shelf/phones/invitations/seen", {
    method: "POST", cache: "no-store", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }),
  });
  if (!answer.ok) return show("spent");
  const { owner, role, name } = await answer.json();
  return askWith(owner, role, name);
}

async function signedIn() {
  const answer = await fetch("/api/v1/shelf/me", { cache: "no-store" });
  if (!answer.ok) return show("nobody");
  const me = await answer.json();
  return me.phone ? show("done") : askWith(me.display_name || me.name, "", "");
}

async function begin() {
  if (!canBePhone()) return show("insecure");
  // A key that is thrown away at once: does this browser have the curve?
  if (!(await newKey().catch(() => null))) return show("old");
  try {
    return await (token ? invited() : signedIn());
  } catch {
    return show("offline");
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void enrol();
});

async function enrol() {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const asked = new FormData(form);
  button.disabled = true;
  say("");
  const keep = await Keep.open();
  try {
    await keep.enrol({ token, name: String(asked.get("name") ?? ""), role: token ? "" : String(asked.get("role") ?? "") });
    show("done");
    location.replace("/shelf");
  } catch (why) {
    say(why instanceof Error ? why.message : String(why));
    button.disabled = false;
  } finally {
    keep.stop();
  }
}

void begin();
