// How a person wants the page: kept on this phone, says nothing about anybody.

/** @typedef {{ language: "en" | "zh", theme: string, hand: "right" | "left", text: number, haptics: boolean, sound: boolean, aloud: boolean }} Wishes */

const KEY = "tallyman.shelf.wishes";
export const TEXT_SIZES = [1, 1.15, 1.3, 1.5];

/** @returns {Wishes} what was wished before, otherwise what the page came with */
export function readWishes() {
  const root = document.documentElement, came = document.body.dataset.lang === "zh" ? "zh" : "en";
  /** @type {Wishes} */
  const wishes = { language: came, theme: root.dataset.theme ?? "auto", hand: "right", text: 1, haptics: true, sound: false, aloud: false };
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    for (const name of /** @type {(keyof Wishes)[]} */ (Object.keys(wishes))) {
      if (typeof kept[name] === typeof wishes[name]) Object.assign(wishes, { [name]: kept[name] });
    }
  } catch {
    // Nothing that can be read: as it came.
  }
  const asked = new URLSearchParams(location.search);
  const language = asked.get("lang"), theme = asked.get("theme");
  if (language === "en" || language === "zh") wishes.language = language;
  if (theme) wishes.theme = theme;
  return wishes;
}

/** @param {Wishes} wishes */
export function keepWishes(wishes) {
  localStorage.setItem(KEY, JSON.stringify(wishes));
}

/** @param {Wishes} wishes */
export function applyWishes(wishes) {
  const root = document.documentElement;
  root.dataset.theme = wishes.theme;
  root.lang = wishes.language === "zh" ? "zh-Hans" : "en";
  root.style.fontSize = `${wishes.text * 100}%`;
  document.body.dataset.hand = wishes.hand;
  document.body.dataset.lang = wishes.language;
}
