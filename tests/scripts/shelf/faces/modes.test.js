// A round at the shelf in its six modes.

import assert from "node:assert/strict";
import test from "node:test";

import { FILTERS, listed } from "/static/shelf/faces/filters.js";
import { countMode } from "/static/shelf/faces/modes/count.js";
import { expiryMode } from "/static/shelf/faces/modes/expiry.js";
import { findMode } from "/static/shelf/faces/modes/find.js";
import { batchesToFreeze, freezeMode } from "/static/shelf/faces/modes/freeze.js";
import { lookMode } from "/static/shelf/faces/modes/look.js";
import { photoMode, reporting } from "/static/shelf/faces/modes/photo.js";
import { readCode } from "/static/shelf/codes/gs1.js";
import { stockOf } from "/static/shelf/keep/stock.js";
import { EARLY, JUICE, JUICES, TODAY, WATER, snapshot } from "../keep/house.js";
import { host, sighting, words, wordsIn } from "./page.js";

const BOTTLE = "6933132577789", CARTON = "16933132577786", APPLE = "6901555164282";
const texts = (mark) => mark.lines.map((line) => line.text);
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("look: name, stock here and in all, what is held, the date, who to call; the frame has the worst colour", () => {
  const mei = host(), look = lookMode(mei), seen = [sighting(mei.stock, 1, BOTTLE)];
  const mark = look.marks(seen, mei.stock).get(1);
  assert.equal(mark.tone, "hold", "some of it is held");
  assert.deepEqual(texts(mark).slice(0, 4), ["Water 0.5 l", "10 here, 20 units in all", "3 units frozen", "watch · 18 days left"]);
  assert.equal(mark.lines.at(-1).call, "+8621555");
  look.ontap(seen[0]);
  assert.deepEqual(mei.told.opened, [WATER]);
});

test("look: a product that the planogram wants elsewhere says where it belongs", () => {
  const mei = host(), mark = lookMode(mei).marks([sighting(mei.stock, 1, APPLE)], mei.stock).get(1);
  assert.equal(mark.tone, "review");
  assert.ok(texts(mark).includes("Belongs at B-02-1"));
});

test("what is not read, contradicts itself or is on no list looks different, and nothing is said before it is believed", () => {
  const mei = host(), states = ["seen", "unread", "rejected", "off_list"];
  const seen = states.map((state, id) => sighting(mei.stock, id, state === "unread" ? "" : "4006381333931", { state, known: null }));
  const marks = lookMode(mei).marks(seen, mei.stock);
  assert.deepEqual(states.map((_, id) => marks.get(id).tone), ["waiting", "waiting", "review", "off_list"]);
  assert.deepEqual(marks.get(0).lines, []);
  assert.equal(new Set(states.map((_, id) => marks.get(id).word)).size, 4);
});

test("an unread code that the appliance has a guess for says so as a question", () => {
  const mei = host();
  mei.told.maybe = { 4: [{ gtin: JUICE }] };
  const mark = lookMode(mei).marks([sighting(mei.stock, 4, "", { state: "unread" })], mei.stock).get(4);
  assert.deepEqual([mark.tone, texts(mark)[0]], ["review", "苹果汁 Apple juice?"]);
});

test("the label of a place is a place, not goods on no list", async () => {
  const mei = host(), look = lookMode(mei), label = sighting(mei.stock, 5, "A-01-2");
  assert.deepEqual([look.marks([label], mei.stock).get(5).tone, look.marks([label], mei.stock).get(5).short], ["info", "A-01-2"]);
  look.ontap(label);
  await settled();
  assert.deepEqual(mei.told.asked, ["go"]);
});

test("look: a filter lights what fits and dims the rest", () => {
  const mei = host(), look = lookMode(mei);
  look.light("held");
  const marks = look.marks([sighting(mei.stock, 1, BOTTLE), sighting(mei.stock, 2, APPLE)], mei.stock);
  assert.deepEqual([marks.get(1).dim, marks.get(2).dim], [false, true]);
});

test("count: each physical code once, a carton's code its units, and nothing twice after it was booked", async () => {
  const mei = host(), count = countMode(mei), toggle = () => count.bar().actions.find((each) => each.name === "scan").run();
  const bottles = [sighting(mei.stock, 1, BOTTLE), sighting(mei.stock, 2, BOTTLE), sighting(mei.stock, 3, CARTON)];
  count.see(bottles);
  assert.match(count.bar().title, /^0 products/, "nothing counts before somebody asks for it");
  toggle();
  count.see(bottles);
  count.see(bottles);
  assert.equal(count.bar().title, "1 product, 14 units");
  assert.equal(texts(count.marks(bottles, mei.stock).get(1))[1], "14 of 10");
  mei.told.answers.count = ({ tally }) => tally.lines(mei.stock, "A-01-1").filter((line) => line.counted !== null);
  await count.bar().actions.find((each) => each.name === "review").run();
  assert.deepEqual(mei.told.written, [{ kind: "counted", body: { batch: EARLY, location: "A-01-1", counted: 14, expected: 10 } }]);
  count.see(bottles);
  assert.match(count.bar().title, /^0 products/);
});

test("count: a tap asks for the number; without a place the place comes first", async () => {
  const mei = host(), count = countMode(mei), seen = sighting(mei.stock, 1, BOTTLE);
  mei.told.answers.number = { value: 12 };
  await count.ontap(seen);
  assert.equal(count.marks([seen], mei.stock).get(1).word, "differs by +2");
  const lost = host();
  lost.place = "";
  await countMode(lost).ontap(seen);
  assert.deepEqual(lost.told.asked, ["place"]);
  assert.match(countMode(lost).bar().title, /Where/);
});

test("find: chosen products are lit, others step back, a tap ticks, the bar leads to the next place", () => {
  const mei = host(), find = findMode(mei), seen = [sighting(mei.stock, 1, BOTTLE), sighting(mei.stock, 2, APPLE)];
  find.want([{ gtin: JUICE, quantity: 3, location: "", supplier: "", lot: "" }, { gtin: WATER, quantity: 1, location: "B-02-1", supplier: "", lot: "EARLY" }], "SO-7");
  const marks = find.marks(seen, mei.stock);
  assert.deepEqual([marks.get(2).tone, marks.get(2).word], ["info", "take 3 carton"]);
  assert.ok(texts(marks.get(1)).includes("asked for from B-02-1"));
  assert.equal(find.bar().detail, "Next: 苹果汁 Apple juice at A-01-1");
  find.ontap(seen[1]);
  assert.equal(find.bar().title, "1 of 2 found SO-7");
  assert.equal(find.marks(seen, mei.stock).get(2).tone, "accept");
  find.want([{ gtin: WATER, quantity: 1, location: "", supplier: "", lot: "" }]);
  assert.deepEqual([find.marks(seen, mei.stock).get(2).dim, find.marks(seen, mei.stock).get(2).lines.length], [true, 0]);
});

test("expiry round: the nearest date is laid out first, what has time steps back, the list is nearest first", () => {
  const mei = host(), round = expiryMode(mei), marks = round.marks([sighting(mei.stock, 1, BOTTLE), sighting(mei.stock, 2, APPLE)], mei.stock);
  assert.deepEqual([marks.get(1).tone, marks.get(1).dim], ["month", false]);
  assert.ok(marks.get(1).rank <= marks.get(2).rank);
  assert.deepEqual(listed(mei.stock, "", "expiring").map((each) => `${each.batch.lot}@${each.cell.location}`), ["EARLY@A-01-1", "EARLY@B-02-1", "J-1@A-01-1"]);
  assert.match(round.bar().detail, /B-02-1/);
});

test("freeze: the batch that the code names; otherwise all that stand here, wherever none does all of them", () => {
  const { stock } = host(), water = stock.product(WATER);
  assert.deepEqual(batchesToFreeze(water, "A-01-1", "LATE").map((batch) => batch.lot), ["LATE"]);
  assert.deepEqual(batchesToFreeze(water, "A-01-1", "").map((batch) => batch.lot), ["EARLY"]);
  assert.deepEqual(batchesToFreeze(water, "C-9", "").map((batch) => batch.lot), ["EARLY", "LATE"]);
});

test("freeze: what a person confirms becomes one hold a batch, and the place can be frozen whole", async () => {
  const mei = host(), freeze = freezeMode(mei);
  mei.told.answers.freeze = ({ batches }) => ({ batches, note: "Damaged: wet" });
  await freeze.ontap(sighting(mei.stock, 1, BOTTLE));
  await freeze.bar().actions.find((each) => each.name === "place").run();
  assert.deepEqual(mei.told.written, [
    { kind: "held", body: { kind: "batch", note: "Damaged: wet", batch: EARLY } },
    { kind: "held", body: { kind: "location", note: "Damaged: wet", location: "A-01-1" } },
  ]);
});

test("freeze: goods that stand elsewhere are not told as zero of them", () => {
  for (const [language, elsewhere, nowhere] of [["en", "none here, 20 units elsewhere", "none in stock"], ["zh", "此处没有，别处有 20 件", "无库存"]]) {
    const mei = host(), sold = host(), seen = [sighting(mei.stock, 1, BOTTLE)];
    mei.words = sold.words = wordsIn(language);
    mei.place = "C-9";
    assert.ok(texts(freezeMode(mei).marks(seen, mei.stock).get(1)).includes(elsewhere));
    assert.ok(texts(expiryMode(mei).marks(seen, mei.stock).get(1)).includes(elsewhere));
    const bare = snapshot();
    bare.products[0].batches.forEach((batch) => (batch.cells = []));
    sold.stock = stockOf(bare, [], TODAY, readCode);
    assert.ok(texts(freezeMode(sold).marks(seen, sold.stock).get(1)).includes(nowhere));
  }
  const here = host();
  assert.ok(texts(freezeMode(here).marks([sighting(here.stock, 1, BOTTLE)], here.stock).get(1)).includes("10 units"));
});

test("freeze: who closes the sheet freezes nothing", async () => {
  const mei = host();
  await freezeMode(mei).ontap(sighting(mei.stock, 1, BOTTLE));
  assert.deepEqual(mei.told.written, []);
});

test("photo: damage to a known batch is a ticket, everything else a flag; the picture goes with it", async () => {
  const base = { note: "corner wet", gtin: JUICE, place: "A-01-1" };
  assert.deepEqual(reporting(words, { ...base, fault: "damaged", batch: JUICES }).body, { note: "Damaged goods: corner wet", batch: JUICES, location: "A-01-1" });
  const unknown = reporting(words, { ...base, name: "Apple juice", fault: "damaged", batch: null });
  assert.deepEqual([unknown.kind, unknown.body], ["ticket_opened", { note: `Damaged goods: Apple juice (${JUICE}), batch not known: corner wet`, location: "A-01-1" }]);
  assert.deepEqual(reporting(words, { ...base, fault: "wrong_price", batch: null }).body, { flag: "wrong_price", location: "A-01-1", gtin: JUICE, note: "Wrong price tag: corner wet" });
  const mei = host(), photo = photoMode(mei);
  mei.told.answers.photo = ({ gtin }) => ({ ...base, gtin, fault: "damaged", batch: JUICES });
  photo.ontap(sighting(mei.stock, 2, APPLE));
  await photo.bar().actions[0].run();
  assert.deepEqual([mei.told.written[0].kind, mei.told.asking.photos.length], ["ticket_opened", 1]);
});

test("a fault that was flagged is told by its name, not by its code", () => {
  const reason = { code: "flagged_offline", params: { location: "A-01-1", flag: "damaged", gtin: JUICE, note: "" } };
  assert.match(words.reason(reason), /Damaged goods/);
  assert.match(wordsIn("zh").reason(reason), /商品破损|破损/);
  assert.match(words.reason({ ...reason, params: { ...reason.params, flag: "torn_label" } }), /torn_label/);
});

test("every filter has its word", () => {
  for (const filter of FILTERS) assert.ok(`shelf.filter_${filter}` in words.sentences, filter);
});
