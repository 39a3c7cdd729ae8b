// Sentences, numbers, money and days in the reader's language.

/** @import { Reason } from "../types.js" */
/** @typedef {(key: string, values?: Record<string, string | number>) => string} Translate */

export class Words {
  /** @param {"en" | "zh"} language @param {Record<string, string>} sentences */
  constructor(language, sentences) {
    this.language = language;
    this.sentences = sentences;
  }

  /**
   * The words of a language, from the hub or from what the page keeps for offline.
   * @param {"en" | "zh"} language
   */
  static async load(language) {
    const answer = await fetch(`/shelf/words/${language}.json`);
    if (!answer.ok) throw new Error(`words of ${language}: ${answer.status}`);
    return new Words(language, await answer.json());
  }

  /** @type {Translate} */
  t = (key, values = {}) => (this.sentences[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));

  /** @param {string} noun @param {number} number */
  count(noun, number) {
    return this.t(`count.${noun}.${number === 1 ? "one" : "other"}`, { n: number });
  }

  /** How many base units; `unit` as the master data writes it, empty: pieces. @param {number} number @param {string} unit */
  units(number, unit) {
    return unit ? `${number} ${unit}` : this.count("units", number);
  }

  /** How far a date is away, written out. @param {number} days */
  daysLeft(days) {
    if (days < 0) return this.t("expiry.gone", { days: this.count("days", -days) });
    return days === 0 ? this.t("expiry.today") : this.t("expiry.left", { days: this.count("days", days) });
  }

  /** @param {import("../types.js").Money} money */
  money({ amount, currency, digits }) {
    const value = amount / 10 ** digits;
    try {
      return new Intl.NumberFormat(this.language, { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
    } catch {
      return `${value.toFixed(digits)} ${currency}`;
    }
  }

  /** @param {Reason} reason */
  reason({ code, params }) {
    const key = `reason.${code}`;
    if (key in this.sentences) return this.t(key, this.#named(params));
    const values = Object.entries(params).map(([name, value]) => `${name} ${value}`).join(", ");
    return this.t("reason.unknown", { code, values });
  }

  /** A fault that somebody flagged, by its name. @param {Record<string, string | number>} params */
  #named(params) {
    const fault = `shelf.fault_${params["flag"]}`;
    return fault in this.sentences ? { ...params, flag: this.t(fault) } : params;
  }

  /** How long ago, roughly. @param {number} us */
  age(us) {
    const seconds = Math.max(0, us / 1e6);
    if (seconds < 120) return this.t("shelf.seconds", { n: Math.round(seconds) });
    if (seconds < 7200) return this.t("shelf.minutes", { n: Math.round(seconds / 60) });
    return seconds < 172_800 ? this.t("shelf.hours", { n: Math.round(seconds / 3600) }) : this.count("days", Math.round(seconds / 86_400));
  }

  /** A moment as people say it: with the date when it is not today. @param {number} us since 1970 */
  when(us) {
    const at = new Date(us / 1000), today = at.toDateString() === new Date().toDateString();
    /** @type {Intl.DateTimeFormatOptions} */
    const shape = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(today ? {} : { month: "short", day: "numeric" }) };
    return new Intl.DateTimeFormat(this.language, shape).format(at);
  }
}
