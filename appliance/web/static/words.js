// The same catalogue that the templates use, for the few sentences that scripts write.

const language = document.body.dataset.lang || "en";

/** @type {Record<string, string>} */
const sentences = await fetch(`/words/${language}.json`).then(
  (answer) => (answer.ok ? answer.json() : {}),
  () => ({}),
);

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  return (sentences[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
