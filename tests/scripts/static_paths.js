// `/static/vendor/idb.js` as a page names it is a file of the checkout here.
const folder = new URL("../../appliance/web/static/", import.meta.url);

/**
 * A hook of Node's module loader.
 * @param {string} specifier
 * @param {object} context
 * @param {(specifier: string, context: object) => unknown} next
 */
export function resolve(specifier, context, next) {
  const inside = specifier.startsWith("/static/");
  return next(inside ? new URL(specifier.slice("/static/".length), folder).href : specifier, context);
}
