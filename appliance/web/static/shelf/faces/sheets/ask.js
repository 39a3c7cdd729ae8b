// The sheets by name, as modes ask for them.

import { openDates, openFreeze, openPhoto } from "./acting.js";
import { openCount, openNumber } from "./counting.js";
import { openFind, openGoods, openWanted } from "./goods.js";
import { openLine, openMore } from "./house.js";
import { openCode, openEntry, openPlace } from "./where.js";

/** @import { Page } from "../page.js" */

/** @type {Record<string, (page: Page, values: any) => any>} */
const SHEETS = {
  code: openCode, count: openCount, dates: openDates, entry: openEntry, find: openFind, freeze: openFreeze, goods: openGoods,
  line: openLine, more: openMore, number: openNumber, photo: openPhoto, place: openPlace, wanted: openWanted,
  go: (page, { place }) => page.goTo(place),
};

/**
 * @param {Page} page @param {string} name @param {Record<string, any>} values
 * @returns {Promise<any>} null where nothing was answered
 */
export async function ask(page, name, values) {
  const open = SHEETS[name];
  if (!open) throw new Error(`there is no sheet ${name}`);
  return (await open(page, values)) ?? null;
}
