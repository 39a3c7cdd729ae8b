// How push to talk looks and is operated: its button, its live region, its question and offers.

/**
 * @typedef {import("../faces/words.js").Words} Words
 * @typedef {{ text: string, run: () => unknown }} Offer
 */

const SVG = "http://www.w3.org/2000/svg";
const SHOWN_MS = 8_000;
const TAGS = { en: "en", zh: "zh-CN" };

export class TalkFace {
  /**
   * @param {HTMLElement} bar
   * @param {Words} words
   * @param {{ press: () => void, letGo: () => void, away: () => void }} hand
   */
  constructor(bar, words, hand) {
    this.bar = bar;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.fading = undefined;
    this.words = words;
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "talk-button";
    this.button.append(icon("shelf-mic"));
    this.status = line("talk-status");
    this.question = line("talk-question");
    this.choices = document.createElement("div");
    this.choices.className = "talk-choices";
    const bubble = document.createElement("div");
    bubble.className = "talk-bubble";
    bubble.append(this.question, this.choices, this.status);
    bar.classList.add("talk");
    bar.replaceChildren(bubble, this.button);
    this.#operate(hand);
    this.button.setAttribute("aria-label", words.t("shelf.voice.talk"));
    this.tell("");
  }

  /** The microphone is being opened. */
  wait() {
    this.#state("wait", this.words.t("shelf.voice.opening"));
  }

  listen() {
    this.#state("listen", this.words.t("shelf.voice.listening"));
  }

  think() {
    this.#state("think", this.words.t("shelf.voice.thinking"));
  }

  /** What came of it; a question that is open stays so. @param {string} text */
  tell(text) {
    this.#state("rest", text);
    clearTimeout(this.fading);
    this.fading = setTimeout(() => (this.status.textContent = ""), SHOWN_MS);
  }

  /** @param {string} text @param {() => unknown} yes @param {() => unknown} no */
  ask(text, yes, no) {
    this.offer(text, [
      { text: this.words.t("shelf.voice.yes"), run: yes },
      { text: this.words.t("shelf.voice.no"), run: no },
    ]);
  }

  /** No question and no offer is open any more. */
  clear() {
    this.question.textContent = "";
    this.choices.replaceChildren();
  }

  /** @param {string} text @param {Offer[]} offers */
  offer(text, offers) {
    this.#state("rest", "");
    this.question.textContent = text;
    this.choices.replaceChildren(
      ...offers.map(({ text: word, run }) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "talk-choice";
        button.textContent = word;
        button.addEventListener("click", () => {
          // The button goes away with its question: the keyboard stays where talking goes on.
          this.button.focus();
          void run();
        });
        return button;
      }),
    );
  }

  /** @param {"rest" | "wait" | "listen" | "think"} state @param {string} text */
  #state(state, text) {
    clearTimeout(this.fading);
    this.bar.dataset.talk = state;
    this.status.textContent = text;
    this.button.setAttribute("aria-pressed", String(state === "listen"));
  }

  /** @param {{ press: () => void, letGo: () => void, away: () => void }} hand */
  #operate({ press, letGo, away }) {
    let down = false;
    // Nobody listens to a page that is not seen.
    document.addEventListener("visibilitychange", () => document.hidden && away());
    const begin = () => {
      if (!down) press();
      down = true;
    };
    const end = () => {
      if (down) letGo();
      down = false;
    };
    this.button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.button.setPointerCapture(event.pointerId);
      begin();
    });
    for (const name of ["pointerup", "pointercancel", "blur"]) this.button.addEventListener(name, end);
    this.button.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      begin();
    });
    this.button.addEventListener("keyup", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      end();
    });
    // A long press opens no menu, and a screen reader's click is a tap that had no pointer.
    this.button.addEventListener("contextmenu", (event) => event.preventDefault());
    this.button.addEventListener("click", (event) => {
      if (event.detail !== 0) return;
      begin();
      end();
    });
  }
}

/** A line that a screen reader says when it changes. @param {string} name */
function line(name) {
  const made = document.createElement("p");
  made.className = name;
  made.setAttribute("role", "status");
  return made;
}

/** @param {string} name */
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Says it where the phone has a voice; what was being said ends.
 * @param {string} text
 * @param {"en" | "zh"} language
 */
export function speak(text, language) {
  hush();
  if (!("speechSynthesis" in globalThis) || text === "") return;
  const said = new SpeechSynthesisUtterance(text);
  said.lang = TAGS[language];
  speechSynthesis.speak(said);
}

/** Ends what is being said: the microphone would hear it. */
export function hush() {
  if ("speechSynthesis" in globalThis) speechSynthesis.cancel();
}
