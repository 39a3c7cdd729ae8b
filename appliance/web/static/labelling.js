// The queue of doubtful lines from the keyboard: what is pressed is sent in order, and stands on the
// card when the hub has it on disk. Without this module every card is a plain form.

import { t } from "./words.js";

/** @typedef {{ key: string, said: string, text: string }} Told */

/** @param {HTMLElement} list */
function labelling(list) {
  const cards = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".crop")]);
  const trouble = /** @type {HTMLElement | null} */ (document.querySelector("[data-trouble]"));
  const next = /** @type {HTMLElement | null} */ (document.querySelector("[data-next]"));
  /** @type {Promise<unknown>} */
  let line = Promise.resolve();

  /** @param {HTMLElement} card */
  const open = (card) => !card.dataset.said && !card.hasAttribute("data-sending");

  /** @param {string} text */
  function say(text) {
    if (!trouble) return;
    trouble.hidden = !text;
    const words = trouble.querySelector("p");
    if (words) words.textContent = text;
  }

  /** @param {HTMLElement | null | undefined} card */
  function take(card) {
    if (!card) return;
    for (const each of cards()) each.tabIndex = each === card ? 0 : -1;
    card.focus();
    card.scrollIntoView({ block: "nearest" });
  }

  /** The next card without an answer, or the way on. @param {HTMLElement} from */
  function goOn(from) {
    const all = cards();
    const at = all.indexOf(from);
    const free = [...all.slice(at + 1), ...all.slice(0, at)].find(open);
    if (free) take(free);
    else next?.focus();
  }

  /** @param {string} key */
  const cardOf = (key) => cards().find((card) => card.dataset.line === key);

  /** @param {Told} told */
  function show(told) {
    const card = cardOf(told.key);
    if (!card) return;
    card.dataset.said = told.said;
    card.removeAttribute("data-sending");
    card.removeAttribute("data-failed");
    const text = card.querySelector("[data-text]");
    if (text && text.textContent !== told.text) text.textContent = told.text;
    const state = card.querySelector("[data-state]");
    if (state) state.textContent = told.said ? t(`labelling.said.${told.said}`) : "";
  }

  /** @param {{ waiting: number, answered: number }} told */
  function count(told) {
    const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-counts]"));
    if (!place) return;
    place.textContent = (place.dataset.sentence ?? "")
      .replace("{waiting}", String(told.waiting))
      .replace("{answered}", String(told.answered));
  }

  /**
   * @param {string} address
   * @param {URLSearchParams} body
   * @param {HTMLElement[]} waiting
   */
  function send(address, body, waiting) {
    const token = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-undo] [name=csrf_token]"));
    body.set("csrf_token", token?.value ?? "");
    for (const card of waiting) card.setAttribute("data-sending", "");
    // One after the other: an undo must not overtake what it takes back.
    line = line.then(async () => {
      try {
        const answer = await fetch(address, { method: "POST", body, headers: { accept: "application/json" } });
        const told = await answer.json();
        if (!answer.ok) throw new Error([told.detail, told.mend].filter(Boolean).join(". "));
        say("");
        for (const each of told.lines) show(each);
        count(told);
        return told;
      } catch (error) {
        for (const card of waiting) {
          card.removeAttribute("data-sending");
          card.setAttribute("data-failed", "");
        }
        say(error instanceof TypeError ? t("labelling.not_sent") : String(error instanceof Error ? error.message : error));
        return null;
      }
    });
    return line;
  }

  /** @param {HTMLElement[]} answered @param {string} said @param {string} [text] */
  function answer(answered, said, text = "") {
    const last = answered.at(-1);
    if (!last) return;
    const body = new URLSearchParams({ said, text });
    for (const card of answered) body.append("key", card.dataset.line ?? "");
    send("/labelling", body, answered);
    goOn(last);
  }

  async function undo() {
    const told = /** @type {{ lines: Told[] } | null} */ (await send("/labelling/undo", new URLSearchParams(), []));
    const back = told?.lines.map((each) => cardOf(each.key)).find(Boolean);
    if (back) take(back);
    else if (told?.lines.length) location.reload();
    else if (told) say(t("labelling.nothing_to_undo"));
  }

  /** @param {HTMLElement} card */
  function edit(card) {
    const input = card.querySelector("input[name=text]");
    if (!(input instanceof HTMLInputElement)) return;
    input.focus();
    input.select();
  }

  /** @param {HTMLElement} card @param {string} key */
  function move(card, key) {
    const all = cards();
    const at = all.indexOf(card);
    const top = all[0]?.offsetTop;
    const columns = Math.max(1, all.filter((each) => each.offsetTop === top).length);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key] ?? 0;
    take(all[Math.min(all.length - 1, Math.max(0, at + step))]);
  }

  /** @param {KeyboardEvent} event @param {HTMLElement} card */
  function onCard(event, card) {
    switch (event.key) {
      case "Enter":
        if (event.shiftKey) answer(cards().filter(open), "right");
        else answer([card], "right");
        break;
      case "x":
      case "X":
      case "Delete":
        answer([card], "unreadable");
        break;
      case "e":
      case "E":
      case "F2":
        edit(card);
        break;
      case "ArrowRight":
      case "ArrowLeft":
      case "ArrowDown":
      case "ArrowUp":
        move(card, event.key);
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const card = /** @type {HTMLElement | null} */ (target.closest(".crop"));
    if (!card) return;
    if (target === card) onCard(event, card);
    else if (event.key === "Escape") {
      event.preventDefault();
      take(card);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input, textarea, select")) return;
    if (event.key === "z" || event.key === "Z" || event.key === "Backspace") {
      event.preventDefault();
      undo();
    }
  });

  list.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const card = /** @type {HTMLElement | null} */ (form.closest(".crop"));
    if (!card) return;
    event.preventDefault();
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    const text = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=text]"));
    // Enter in the text field means the text, whichever button a browser takes for the first.
    const typed = document.activeElement === text;
    answer([card], typed ? "text" : (button?.value ?? "right"), text?.value ?? "");
  });

  document.querySelector("[data-undo]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    undo();
  });

  take(cards().find(open) ?? cards()[0]);
}

const list = document.querySelector("[data-labelling]");
if (list instanceof HTMLElement) labelling(list);
