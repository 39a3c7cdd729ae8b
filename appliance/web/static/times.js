// Times in the reader's own zone, with the date when it is not today; ages of values that grow old.

const locale = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dated = new Intl.DateTimeFormat(locale, {
  month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});

/** @param {ParentNode} root */
export function localTimes(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll("time[data-local]")) {
    const at = new Date(element.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.getTime())) continue;
    const text = (at.toDateString() === today ? clock : dated).format(at);
    if (element.textContent !== text) element.textContent = text;
  }
}

/**
 * @param {number} seconds
 * @returns {string} such as `4 s`, `3 min`, `2 h`
 */
export function age(seconds) {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** Grey what is older than it may be, and write its age. */
export function growOld() {
  for (const row of document.querySelectorAll("[data-max-age]")) {
    const seconds = (Date.now() - new Date(row.getAttribute("data-at") ?? "").getTime()) / 1000;
    const stale = seconds > Number(row.getAttribute("data-max-age"));
    row.classList.toggle("stale", stale);
    const place = row.querySelector("[data-age-text]");
    const text = stale ? age(seconds) : "";
    if (place && place.textContent !== text) place.textContent = text;
  }
}
