// What stands before the camera where the page may not open: nobody signed in, the phone not enrolled, locked.

import { button, h, icon } from "../parts/dom.js";

/** @import { Page } from "../page.js" */
/** @import { Child } from "../parts/dom.js" */

/** @typedef {{ name: string, roles: string[] } | null} Person who is signed in; null: nobody, or the hub is not reached */

/**
 * @param {Page} page @param {HTMLElement} home
 * @param {{ why: "enrol" | "sign_in" | "offline" | "locked" | "cannot" | "wiped" | "fetching", person: Person, token: string, enrol: (asked: { name: string, role: string, token: string }) => Promise<void>, again: () => void }} asked
 */
export function showGate(page, home, { why, person, token, enrol, again }) {
  const { t } = page.words;
  /** @param {string} sign @param {...Child} children */
  const card = (sign, ...children) => home.replaceChildren(h("div", { class: "gate-card", "data-gate": why }, icon(sign, "icon-l"), ...children));
  home.hidden = false;
  const retry = button(t("shelf.try_again"), again, { name: "again" });
  if (why === "enrol" && (person || token)) return enrolForm(page, card, person, token, enrol);
  if (why === "sign_in" || why === "enrol") {
    return card("key", h("h1", { text: t("shelf.gate_sign_in") }), h("p", { text: t("shelf.gate_sign_in_do") }),
      h("a", { class: "button button-main", href: `/sign-in?next=${encodeURIComponent("/shelf")}`, "data-do": "sign-in" }, h("span", { text: t("shelf.sign_in") })), retry);
  }
  if (why === "fetching") return card("waiting", h("h1", { text: t("shelf.gate_fetching") }), h("p", { text: t("shelf.gate_fetching_do") }));
  const sign = { offline: "shelf-offline", locked: "key", cannot: "off_list", wiped: "shelf-gone" }[why];
  return card(sign, h("h1", { text: t(`shelf.gate_${why}`) }), h("p", { text: why === "cannot" ? page.words.reason({ code: "keep_cannot", params: {} }) : t(`shelf.gate_${why}_do`) }),
    why === "cannot" ? h("a", { class: "button", href: "/trust", text: t("shelf.gate_trust") }) : retry);
}

/**
 * @param {Page} page @param {(sign: string, ...children: Child[]) => void} card @param {Person} person @param {string} token
 * @param {(asked: { name: string, role: string, token: string }) => Promise<void>} enrol
 */
function enrolForm(page, card, person, token, enrol) {
  const { t } = page.words;
  const name = h("input", { type: "text", id: "phone-name", maxlength: "60", autocomplete: "off", value: t("shelf.phone_usual", { name: person?.name ?? "" }).trim() });
  const roles = person?.roles ?? [];
  let role = roles.includes("operator") ? "operator" : (roles[0] ?? "");
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
  const choices = h("div", { class: "chips" });
  const draw = () => choices.replaceChildren(...roles.map((each) => button(t(`shelf.role_${each}`), () => { role = each; draw(); }, { class: "chip", pressed: each === role, name: `role-${each}` })));
  draw();
  const go = button(t("shelf.enrol"), async () => {
    go.disabled = true;
    wrong.hidden = true;
    try {
      await enrol({ name: name.value.trim(), role: token ? "" : role, token });
    } catch (error) {
      wrong.textContent = t("shelf.enrol_failed", { why: error instanceof Error ? error.message : String(error) });
      wrong.hidden = false;
      go.disabled = false;
    }
  }, { class: "button-main", name: "enrol" });
  card("shelf-phone", h("h1", { text: t("shelf.gate_enrol") }), h("p", { text: person ? t("shelf.gate_enrol_do", { name: person.name }) : t("shelf.gate_invited") }),
    h("label", { class: "field" }, h("span", { text: t("shelf.phone_name") }), name),
    !token && roles.length > 1 && h("div", { class: "field" }, h("span", { text: t("shelf.phone_role") }), choices),
    wrong, go);
}
