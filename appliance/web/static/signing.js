// Signing a usage decision: what is signed is compared with what the page shows before it is signed.

import { canSign, keep, keyOf, newKey, sign } from "./keystore.js";
import { on, post, tell } from "./signed_form.js";
import { t } from "./words.js";

/** @param {HTMLFormElement} form @param {boolean} ready @param {string} [label] */
function show(form, ready, label = "") {
  for (const part of document.querySelectorAll("[data-when]")) {
    if (part instanceof HTMLElement) part.hidden = part.dataset.when !== (ready ? "key" : "no-key");
  }
  const named = document.querySelector("[data-key-label]");
  if (named) named.textContent = label;
  const button = form.querySelector("button[data-sign-button]");
  if (button instanceof HTMLButtonElement) button.disabled = !ready;
}

/**
 * Why the statement is not what the page shows; empty where it is.
 * @param {Record<string, any>} said
 * @param {HTMLFormElement} form
 * @param {string} keyId
 */
function differs(said, form, keyId) {
  const asked = new FormData(form);
  const part = asked.get("part") === "part";
  const cartons = part ? asked.getAll("cartons").map(String).sort() : [];
  const quantity = part ? Number(asked.get("quantity") || 0) : 0;
  /** @type {string[]} */
  const seen = JSON.parse(form.dataset.holds ?? "[]");
  const newer = said.holds.filter((/** @type {string} */ hold) => !seen.includes(hold));
  if (newer.length) return t("sign.new_holds", { holds: newer.join(", ") });
  const same =
    said.ticket === form.dataset.ticket && said.signer === form.dataset.person && said.key === keyId &&
    said.decision === asked.get("decision") && said.reason === String(asked.get("reason")).trim().replaceAll("\r\n", "\n") &&
    said.quantity === quantity && JSON.stringify(said.cartons) === JSON.stringify(cartons);
  return same ? "" : t("sign.differs");
}

/** @param {HTMLFormElement} form */
async function decide(form) {
  const key = await keyOf(form.dataset.person ?? "");
  if (!key) throw new Error(t("sign.no_key"));
  const body = new FormData(form);
  body.set("key", key.keyId);
  const told = await post(`${form.dataset.address}/statement`, body);
  const why = differs(JSON.parse(told.statement), form, key.keyId);
  if (why) throw new Error(why);
  const signed = new FormData();
  signed.set("csrf_token", String(body.get("csrf_token")));
  signed.set("statement", told.statement);
  signed.set("signature", await sign(key.privateKey, told.purpose_hex, told.statement));
  const done = await post(`${form.dataset.address}/signed`, signed);
  location.assign(done.next);
}

/** @param {HTMLFormElement} form */
async function enrol(form) {
  const person = form.dataset.person ?? "";
  const made = await newKey(person, form.dataset.proof ?? "");
  const body = new FormData(form);
  body.set("public_key", made.publicKey);
  body.set("proof", made.proof);
  const told = await post("/signing-keys", body);
  await keep({ person, keyId: told.key_id, privateKey: made.privateKey });
  location.reload();
}

async function start() {
  const enrolling = document.querySelector("form[data-enrol]");
  const deciding = document.querySelector("form[data-sign]");
  if (!canSign()) {
    document.body.dataset.signing = "cannot";
    tell("#sign-told", [t("sign.cannot")]);
    return;
  }
  if (enrolling instanceof HTMLFormElement) on(enrolling, "#enrol-told", enrol);
  if (deciding instanceof HTMLFormElement) on(deciding, "#sign-told", decide);
  const one = deciding ?? enrolling;
  if (!(one instanceof HTMLFormElement)) {
    document.body.dataset.signing = "nothing";
    return;
  }
  const key = await keyOf(one.dataset.person ?? "");
  /** @type {Record<string, string>} */
  const good = JSON.parse(one.dataset.keys ?? "{}");
  const label = key ? good[key.keyId] : undefined;
  show(one, label !== undefined, label);
  for (const row of document.querySelectorAll("[data-key-id]")) {
    if (key && row.getAttribute("data-key-id") === key.keyId) row.classList.add("key-here");
  }
  document.body.dataset.signing = label === undefined ? "no-key" : "key";
}

void start();
