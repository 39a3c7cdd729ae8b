// Forms whose answer is told in the page: what a signature needs of them.

import { t } from "./words.js";

/** @param {string} place @param {string[]} sentences */
export function tell(place, sentences) {
  const box = document.querySelector(place);
  if (!(box instanceof HTMLElement)) return;
  box.replaceChildren(...sentences.filter(Boolean).map((sentence) => {
    const line = document.createElement("p");
    line.textContent = sentence;
    return line;
  }));
  box.hidden = sentences.length === 0;
  if (sentences.length) box.scrollIntoView({ block: "nearest" });
}

/**
 * @param {string} address
 * @param {FormData} body
 * @returns {Promise<Record<string, any>>} the answer; raises Error with what to tell the person
 */
export async function post(address, body) {
  const answer = await fetch(address, { method: "POST", body, headers: { accept: "application/json" } });
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  const sentence = told.code === "stale_signature" ? t("sign.stale") : "";
  throw new Error([sentence, told.detail, told.mend].filter(Boolean).join(" · "));
}

/** @param {HTMLFormElement} form @param {string} place @param {(form: HTMLFormElement) => Promise<void>} act */
export function on(form, place, act) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button:not([type=button])");
    if (button instanceof HTMLButtonElement) button.disabled = true;
    tell(place, []);
    act(form).catch((error) => {
      tell(place, [error instanceof TypeError ? t("sign.not_sent") : String(error.message ?? error)]);
      if (button instanceof HTMLButtonElement) button.disabled = false;
    });
  });
}
