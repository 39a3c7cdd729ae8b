// The fence editor: limits dragged in the trial's chart, and the signature that puts a fence in force.

import { canSign, keyOf, sign } from "./keystore.js";
import { on, post, tell } from "./signed_form.js";
import { t } from "./words.js";

const editor = document.querySelector("form[data-fence-form]");

/** @param {string} name */
const field = (name) => {
  const found = editor?.querySelector(`[name="${name}"]`);
  return found instanceof HTMLInputElement || found instanceof HTMLSelectElement ? found : null;
};

/** What belongs to the chosen quantity and scope is shown, the rest is not. */
function fit() {
  const quantity = field("quantity");
  if (quantity instanceof HTMLSelectElement) {
    const unit = quantity.selectedOptions[0]?.dataset.unit ?? "";
    for (const place of document.querySelectorAll("[data-unit-of-fence]")) place.textContent = unit;
  }
  const kind = field("scope_kind")?.value;
  for (const part of document.querySelectorAll("[data-scope-name]")) {
    if (part instanceof HTMLElement) part.hidden = kind === "site";
  }
  field("scope_name")?.setAttribute("list", `names-${kind}`);
}

/** Another trial with what stands in the form now. */
function again() {
  document.querySelector("#try")?.dispatchEvent(new CustomEvent("again"));
}

/** @param {PointerEvent} event */
function drag(event) {
  const limit = event.target instanceof Element ? event.target.closest("[data-limit]") : null;
  const chart = limit?.closest("svg");
  if (!(limit instanceof SVGGElement) || !chart || limit.dataset.limit === undefined) return;
  const input = field(limit.dataset.limit);
  if (!(input instanceof HTMLInputElement)) return;
  event.preventDefault();
  limit.setPointerCapture(event.pointerId);
  const box = chart.getBoundingClientRect();
  const low = Number(chart.dataset.low), high = Number(chart.dataset.high);
  const digits = Math.max(0, Math.ceil(-Math.log10((high - low) / 200)));
  const height = chart.viewBox.baseVal.height;
  /** @param {PointerEvent} moved */
  const move = (moved) => {
    const share = Math.min(1, Math.max(0, (moved.clientY - box.top) / box.height));
    input.value = String(Number((high - share * (high - low)).toFixed(digits)));
    const y = ((high - Number(input.value)) / (high - low)) * height;
    limit.setAttribute("transform", `translate(0 ${y})`);
  };
  limit.addEventListener("pointermove", move);
  limit.addEventListener("lostpointercapture", () => {
    limit.removeEventListener("pointermove", move);
    again();
  }, { once: true });
}

/** @param {string} text */
async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {HTMLFormElement} form */
async function putInForce(form) {
  const key = await keyOf(form.dataset.person ?? "");
  if (!key) throw new Error(t("sign.no_key"));
  const body = new FormData(form);
  body.set("key", key.keyId);
  const told = await post(`${form.dataset.address}/statement`, body);
  const said = JSON.parse(told.statement);
  const same =
    said.fence === form.dataset.fence && said.state === body.get("state") && said.key === key.keyId &&
    said.signer === form.dataset.person && said.reason === String(body.get("reason")).trim() &&
    String(said.version) === form.dataset.version && said.sha256 === (await sha256(form.dataset.text ?? ""));
  if (!same) throw new Error(t("fence.differs"));
  const signed = new FormData();
  signed.set("csrf_token", String(body.get("csrf_token")));
  signed.set("statement", told.statement);
  signed.set("signature", await sign(key.privateKey, told.purpose_hex, told.statement));
  const done = await post(`${form.dataset.address}/signed`, signed);
  location.assign(done.next);
}

async function start() {
  fit();
  editor?.addEventListener("change", fit);
  document.addEventListener("pointerdown", drag);
  const forms = [...document.querySelectorAll("form[data-fence-sign]")].filter((one) => one instanceof HTMLFormElement);
  if (!forms.length) return;
  if (!canSign()) {
    tell("#sign-told", [t("sign.cannot")]);
    return;
  }
  for (const form of forms) {
    on(form, "#sign-told", putInForce);
    const key = await keyOf(form.dataset.person ?? "");
    /** @type {Record<string, string>} */
    const good = JSON.parse(form.dataset.keys ?? "{}");
    const label = key ? good[key.keyId] : undefined;
    for (const part of form.querySelectorAll("[data-when]")) {
      if (part instanceof HTMLElement) part.hidden = part.dataset.when !== (label === undefined ? "no-key" : "key");
    }
    const named = form.querySelector("[data-key-label]");
    if (named) named.textContent = label ?? "";
    const button = form.querySelector("button");
    if (button) button.disabled = label === undefined;
  }
  document.body.dataset.signing = "ready";
}

void start();
