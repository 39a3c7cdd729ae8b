// Push to talk: hold the button (or Space, or Enter), speak, let go; or tap, speak, tap. What was
// understood is told, a change is asked first, and only then handed to the page.

import { VoiceError } from "./hearing/errors.js";
import { changes } from "./intents.js";
import { inWords } from "./say.js";
import { hush, speak, TalkFace } from "./talk_face.js";

/**
 * @typedef {import("./intents.js").Context} Context
 * @typedef {import("./intents.js").Intent} Intent
 * @typedef {import("./intents.js").Parse} Parse
 * @typedef {import("./recogniser.js").Listening} Listening
 * @typedef {Pick<TalkFace, "wait" | "listen" | "think" | "tell" | "ask" | "offer" | "clear">} Face
 */

/**
 * @typedef {object} TalkOptions
 * @property {HTMLElement} bar an empty element; Talk fills it, and hides it where there is no voice
 * @property {import("../faces/words.js").Words} words
 * @property {import("./recogniser.js").Recogniser | null} recogniser recogniserFor(await voiceSetting(hub, localStorage), hub)
 * @property {import("./parser.js").Parser} parser new Parser(await loadGrammar())
 * @property {() => Context} context
 * @property {(intent: Intent) => string | Promise<string>} onintent does it; a change was confirmed
 * before. What it returns is shown and, where wished, spoken; may be empty
 * @property {(intent: Intent) => string | null} [describe] what the question before a change says; left
 * out or null: Talk's own words. The same intent is then done
 * @property {() => boolean} [aloud] whether answers are spoken too
 * @property {number} [mostMs] so long the microphone stays open
 * @property {Storage} [kept] where a yes to the browser's maker is remembered
 */

const MOST_MS = 10_000;
/** A shorter press is a tap: the microphone then stays open until the next. */
const TAP_MS = 350;
const CONSENT = "shelf.voice.vendor";

export class Talk {
  #listening = /** @type {Listening | null} */ (null);
  #opening = false;
  #tapped = false;
  #pressed = 0;
  /** What a yes does. @type {(() => Promise<void>) | null} */
  #question = null;

  /**
   * @param {TalkOptions} options
   * @param {(hand: { press: () => Promise<void>, letGo: () => Promise<void>, away: () => void }) => Face} [faceOf]
   * @param {() => number} [now] milliseconds
   */
  constructor(options, faceOf = (hand) => new TalkFace(options.bar, options.words, hand), now = () => performance.now()) {
    this.options = options;
    this.now = now;
    this.face = faceOf({ press: () => this.#press(), letGo: () => this.#letGo(), away: () => this.stop() });
    options.bar.hidden = options.recogniser === null || !options.recogniser.speaks(options.words.language);
  }

  /** Whether the microphone is open. */
  get listening() {
    return this.#listening !== null;
  }

  /** Whether Talk itself waits for a yes or no. */
  get asking() {
    return this.#question !== null;
  }

  /**
   * As if it had been heard: typed text, tests, a second recogniser. The first text that is
   * understood counts.
   * @param {string | string[]} texts best first
   * @returns {Promise<void>} fulfilled once it was done, refused, or asked
   */
  async heard(texts) {
    const said = [texts].flat().filter((text) => text.trim() !== "");
    if (said.length === 0) return this.#tell(this.options.words.t("shelf.voice.silence"));
    const context = this.#context();
    const parses = said.map((text) => this.options.parser.parse(text, this.options.words.language, context));
    const best = parses.find(({ kind }) => kind !== "unknown") ?? /** @type {Parse} */ (parses[0]);
    await this.#answer(best, context);
  }

  /** Closes microphone and question, for instance when the page is hidden. */
  stop() {
    this.#listening?.drop();
    this.#listening = null;
    this.#opening = false;
    this.#close();
    this.face.tell("");
  }

  #close() {
    this.#question = null;
    this.face.clear();
  }

  /** @returns {Context} */
  #context() {
    const context = this.options.context();
    return { ...context, asking: context.asking || this.asking };
  }

  /** @param {Parse} parse @param {Context} context */
  async #answer(parse, context) {
    const { t } = this.options.words;
    if (parse.kind === "intent") return this.#understood(parse.intent, context);
    // What was not understood is no answer: a question stays open.
    if (parse.kind === "unknown" && this.asking) return this.#tell(t("shelf.voice.unknown", { heard: parse.heard }));
    this.#close();
    if (parse.kind === "unchosen") return this.#tell(t("shelf.voice.choose_first", { what: this.#says(parse.intent, context) }));
    const key = parse.kind === "ambiguous" ? "shelf.voice.which" : "shelf.voice.unknown";
    this.face.offer(t(key, { heard: parse.heard }), this.#offers(parse.offers, context));
  }

  /** @param {Intent} said @param {Context} context */
  async #understood(said, context) {
    // What is asked about is what is done, whatever comes into view before the yes.
    const intent = "gtin" in said && !said.gtin ? { ...said, gtin: context.selected } : said;
    const question = this.#question;
    this.#close();
    if (question && intent.name === "yes") return question();
    if (question && (intent.name === "no" || intent.name === "cancel")) return this.#tell(this.options.words.t("shelf.voice.not_done"));
    if (intent.name === "help") return this.#help(context);
    if (!changes(intent)) return this.#do(intent, context);
    const asks = this.options.describe?.(intent) ?? this.#says(intent, context);
    return this.#ask(this.options.words.t("shelf.voice.sure", { what: asks }), () => this.#do(intent, context));
  }

  /** @param {string} text @param {() => Promise<void>} yes */
  #ask(text, yes) {
    this.#question = yes;
    const answered = (/** @type {() => unknown} */ run) => () => {
      this.#close();
      return run();
    };
    this.face.ask(text, answered(yes), answered(() => this.#tell(this.options.words.t("shelf.voice.not_done"))));
    if (this.options.aloud?.()) speak(text, this.options.words.language);
  }

  /** @param {Intent} intent @param {Context} context */
  async #do(intent, context) {
    const answer = await this.options.onintent(intent);
    this.#tell(answer || this.#says(intent, context), intent.name === "read");
  }

  /** @param {Context} context */
  #help(context) {
    const { t } = this.options.words;
    const gtin = context.selected || (context.products[0]?.gtin ?? "");
    /** @type {Intent[]} */
    const examples = [
      { name: "show", filter: "expiring", place: context.places[0] ?? "", within: null },
      ...(gtin ? [/** @type {Intent} */ ({ name: "find", gtin })] : []),
      { name: "mode", mode: "count" },
      { name: "next" },
    ];
    this.face.offer(t("shelf.voice.examples"), this.#offers(examples, context));
  }

  /** @param {Intent[]} intents @param {Context} context */
  #offers(intents, context) {
    return intents.map((intent) => ({ text: this.#says(intent, context), run: () => this.#understood(intent, context) }));
  }

  /** @param {Intent} intent @param {Context} context */
  #says(intent, context) {
    return inWords(intent, this.options.words, context);
  }

  /** @param {string} text @param {boolean} [always] */
  #tell(text, always = false) {
    this.face.tell(text);
    if (always || this.options.aloud?.()) speak(text, this.options.words.language);
  }

  async #press() {
    if (this.#listening) return this.#finish();
    const { recogniser, words } = this.options;
    if (this.#opening || recogniser === null) return;
    this.#opening = true;
    this.#pressed = this.now();
    this.#tapped = false;
    if ((await recogniser.audio(words.language)) === "vendor" && this.#consent() === null) return this.#askConsent();
    await this.#open(recogniser);
  }

  /** @param {import("./recogniser.js").Recogniser} recogniser */
  async #open(recogniser) {
    hush();
    this.face.wait();
    try {
      const listening = await recogniser.listen(this.options.words.language, this.options.mostMs ?? MOST_MS);
      if (!this.#opening) return listening.drop();
      this.#opening = false;
      this.#listening = listening;
      this.face.listen();
      void listening.ended.then(() => (this.#listening === listening ? this.#finish() : undefined));
    } catch (why) {
      this.#opening = false;
      this.#fail(why);
    }
  }

  async #letGo() {
    if (this.now() - this.#pressed < TAP_MS) {
      this.#tapped = true;
      return;
    }
    if (this.#tapped) return;
    if (this.#listening) return this.#finish();
    // Let go before the microphone was open (the browser asked for it): nothing was heard yet.
    if (this.#opening) {
      this.#opening = false;
      this.#tell(this.options.words.t("shelf.voice.hold"));
    }
  }

  async #finish() {
    const listening = this.#listening;
    this.#listening = null;
    if (listening === null) return;
    this.face.think();
    try {
      await this.heard(await listening.finish());
    } catch (why) {
      this.#fail(why);
    }
  }

  /** @param {unknown} why */
  #fail(why) {
    if (!(why instanceof VoiceError)) throw why;
    this.#tell(this.options.words.t(`shelf.voice.error.${why.trouble}`));
  }

  #consent() {
    return (this.options.kept ?? localStorage).getItem(CONSENT);
  }

  #askConsent() {
    const { t } = this.options.words;
    this.#opening = false;
    this.#ask(t("shelf.voice.vendor"), async () => {
      (this.options.kept ?? localStorage).setItem(CONSENT, "yes");
      this.#tell(t("shelf.voice.hold"));
    });
  }
}
