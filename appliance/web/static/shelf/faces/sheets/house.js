// How the phone stands with the hub, what became of what was written, and how the person wants the page.

import { badge, button, h, icon } from "../parts/dom.js";
import { keepWishes, TEXT_SIZES } from "../parts/wishes.js";

/** @import { Entry } from "../../keep/types.js" */
/** @import { Page } from "../page.js" */

/** What an entry did, in one sentence. @param {Page} page @param {Entry} entry */
export function saying(page, { kind, body }) {
  const { t } = page.words, gtin = body.batch?.gtin ?? body.gtin ?? "", name = page.stock?.product(gtin)?.name ?? gtin;
  const lot = body.batch?.lot ?? "", place = body.location ?? "", note = body.note ?? body.reason ?? "";
  switch (kind) {
    case "counted":
      return t("shelf.did_counted", { name, lot, place, n: body.counted, expected: body.expected ?? "" });
    case "held":
      return body.batch ? t("shelf.did_held", { name, lot, note }) : t("shelf.did_held_place", { place, note });
    case "observed":
      return t("shelf.did_observed", { name, lot, day: body.expiry });
    case "released":
      return t("shelf.did_released", { holds: body.holds.join(", ") });
    case "flagged":
    case "ticket_opened":
      return t("shelf.did_reported", { what: note || t(`shelf.fault_${body.flag ?? "other"}`), name: name || place });
    default:
      return t("shelf.did_other", { kind });
  }
}

/** What waits, what the hub said to it, and how old the list is. @param {Page} page */
export function openLine(page) {
  const { t } = page.words;
  return page.sheets.open({
    title: t("shelf.line_title"), name: "line",
    body: (_close, refill) => {
      const { state, words } = page, recent = page.recent();
      return [
        h("div", { class: "badges" }, lineBadge(page),
          badge(state.unsent ? "review" : "accept", state.unsent ? "waiting" : "accept", t("shelf.unsent", { n: state.unsent })),
          state.photos > 0 && badge("waiting", "camera", words.count("pictures", state.photos)),
          state.refused > 0 && badge("review", "camera", t("shelf.photos_refused", { n: words.count("pictures", state.refused) }))),
        state.refused > 0 && h("div", { class: "row-acts" }, button(t("shelf.photos_again"), async () => { await page.photosAgain(); refill(); }, { name: "photos-again" }),
          button(t("shelf.photos_drop"), async () => { await page.dropPhotos(); refill(); }, { name: "photos-drop" })),
        h("p", { text: state.version ? t("shelf.list_of", { when: words.when(state.at_us), age: words.age(state.age_us) }) : t("shelf.no_list") }),
        state.behind && h("p", { class: "wrong", text: t("shelf.clock_behind") }),
        state.storage !== "fine" && h("p", { class: "wrong", text: t(`shelf.storage_${state.storage}`) }),
        !state.durable && h("p", { class: "soft", text: t("shelf.not_durable") }),
        state.troubles.length > 0 && h("h3", { text: t("shelf.troubles", { n: state.troubles.length }) }),
        h("ul", { class: "rows" }, ...state.troubles.map((trouble) => h("li", { class: "row row-trouble" },
          h("p", {}, icon("review", "tone-review"), h("span", { text: ` ${words.reason({ code: trouble.code, params: trouble.params })}` })),
          h("p", { class: "soft", text: words.when(trouble.at_us) }),
          h("div", { class: "row-acts" }, button(t("shelf.trouble_read"), async () => { await page.settle(trouble.id); refill(); }, { name: "settle" }))))),
        h("h3", { text: t("shelf.recent") }),
        recent.length ? h("ol", { class: "rows" }, ...recent.map(({ entry, sent }) => h("li", { class: "row" },
          h("p", { text: saying(page, entry) }),
          h("div", { class: "badges" }, sent ? badge("accept", "accept", t("shelf.sent")) : badge("waiting", "waiting", t("shelf.waits")), h("span", { class: "soft num", text: words.when(entry.at_us) }))))) : h("p", { class: "soft", text: t("shelf.recent_none") }),
      ];
    },
    foot: (_close, refill) => [page.state.update && button(t("shelf.update"), () => page.update(), { name: "update" }),
      button(t("shelf.sync_now"), async () => { await page.syncNow(); refill(); }, { class: "button-main", name: "sync" })],
  });
}

/** @param {Page} page */
export function lineBadge({ state, words: { t } }) {
  if (state.line === "offline") return badge("review", "shelf-offline", t("shelf.line_offline"));
  if (state.line === "signed_out") return badge("review", "key", t("shelf.line_signed_out"));
  return badge("info", "hub", t(state.line === "sending" ? "shelf.line_sending" : "shelf.line_online"));
}

/** Everything that is seldom wanted: the person's wishes, a code by hand, the phone. @param {Page} page */
export function openMore(page) {
  return page.sheets.open({
    title: page.words.t("shelf.more"), name: "more",
    body: (_close, refill) => {
      const { t } = page.words, { wishes } = page;
      const set = (/** @type {Partial<typeof wishes>} */ change) => { Object.assign(wishes, change); keepWishes(wishes); page.wished().then(refill); };
      const group = (/** @type {string} */ title, /** @type {HTMLElement[]} */ ...choices) => h("fieldset", { class: "wish" }, h("legend", { text: title }), h("div", { class: "chips" }, ...choices));
      const choice = (/** @type {string} */ word, /** @type {boolean} */ on, /** @type {Partial<typeof wishes>} */ change, /** @type {string} */ name) => button(word, () => set(change), { class: "chip", pressed: on, name });
      return [
        group(t("shelf.wish_language"), choice("中文", wishes.language === "zh", { language: "zh" }, "zh"), choice("English", wishes.language === "en", { language: "en" }, "en")),
        group(t("shelf.wish_theme"), ...["auto", "light", "dark", "warehouse"].map((theme) => choice(t(`theme.${theme}`), wishes.theme === theme, { theme }, theme))),
        group(t("shelf.wish_text"), ...TEXT_SIZES.map((size, index) => choice(t(`shelf.text_${index}`), wishes.text === size, { text: size }, `text-${index}`))),
        group(t("shelf.wish_hand"), choice(t("shelf.hand_left"), wishes.hand === "left", { hand: "left" }, "left"), choice(t("shelf.hand_right"), wishes.hand === "right", { hand: "right" }, "right")),
        group(t("shelf.wish_signals"), choice(t("shelf.haptics"), wishes.haptics, { haptics: !wishes.haptics }, "haptics"), choice(t("shelf.sound"), wishes.sound, { sound: !wishes.sound }, "sound"), choice(t("shelf.aloud"), wishes.aloud, { aloud: !wishes.aloud }, "aloud")),
        h("h3", { text: t("shelf.this_phone") }),
        page.phone ? h("p", {}, h("span", { class: "strong", text: page.phone.label || page.phone.device }), h("span", { class: "soft", text: ` · ${page.phone.person} · ${page.phone.roles.map((role) => t(`shelf.role_${role}`)).join(", ")}` }))
          : h("p", { class: "soft", text: t("shelf.not_enrolled") }),
        page.phone && page.phone.until_us > 0 ? h("p", { class: "soft", text: t("shelf.until", { when: page.words.when(page.phone.until_us) }) }) : null,
        h("p", {}, h("a", { class: "button", href: "/" }, h("span", { text: t("shelf.other_pages") }))),
      ];
    },
    foot: (close) => [button(t0(page, "shelf.line_title"), () => { close(null); page.host.ask("line"); }, { icon: "hub", name: "line" }), button(t0(page, "shelf.type_code"), () => { close(null); page.host.ask("entry"); }, { icon: "shelf-keys", name: "entry" })],
  });
}

/** @param {Page} page @param {string} key */
const t0 = (page, key) => page.words.t(key);
