import assert from "node:assert/strict";
import { test } from "node:test";
import { AIS } from "../../../../appliance/web/static/shelf/codes/ai_table.js";
import { checkDigit, dateOf, expandUpcE, normaliseGtin, readCode } from "../../../../appliance/web/static/shelf/codes/gs1.js";

const GS = "\x1d";
const WATER = "06933132577789";
const NOTHING = { gtin: "", lot: "", expiry: "", serial: "", sscc: "", quantity: null, location: "", kind: "text" };

test("retail codes are products by their number", () => {
  assert.deepEqual(readCode("6933132577789", "EAN13"), { ...NOTHING, gtin: WATER, kind: "ean" });
  assert.equal(readCode("96385074", "EAN8").gtin, "00000096385074");
  assert.equal(readCode("036000291452", "UPCA").gtin, "00036000291452");
  assert.equal(readCode("16933132577786", "ITF14").gtin, "16933132577786");
  assert.deepEqual(readCode("6933132577780", "EAN13"), NOTHING);
});

test("a UPC-E is the UPC-A that it stands for, and no EAN-8", () => {
  const pairs = { "01234565": "012345000065", "04252614": "042100005264", "06397126": "063200009716", "01234532": "" };
  for (const [short, long] of Object.entries(pairs)) {
    assert.equal(expandUpcE(short), long, short);
    assert.equal(readCode(short, "UPCE").gtin, long && `00${long}`, short);
  }
  assert.equal(expandUpcE("425261"), "042100005264");
});

test("a carton's label tells lot, date and count", () => {
  const said = { ...NOTHING, gtin: WATER, lot: "8842-740", expiry: "2027-06-30", quantity: 24, kind: "gs1" };
  const plain = `01${WATER}17270630108842-740${GS}3724`;
  for (const [text, format] of [
    [plain, "GS1-128"], [`]C1${plain}`, "Code128"], [GS + plain, "GS1DataMatrix"], [plain, "Code128"],
    [`(01)${WATER}(17)270630(10)8842-740(37)24`, "DataBarExp"],
  ]) {
    assert.deepEqual(readCode(text, format, 2026), said, format);
  }
});

test("a pallet's label is a logistic unit with what it contains", () => {
  assert.deepEqual(readCode("00106141412345678908", "GS1-128"), { ...NOTHING, sscc: "106141412345678908", kind: "sscc" });
  const mixed = readCode(`0010614141234567890802${WATER}3748`, "GS1-128");
  assert.deepEqual([mixed.sscc, mixed.gtin, mixed.quantity, mixed.kind], ["106141412345678908", WATER, 48, "gs1"]);
});

test("a place's label is a place", () => {
  assert.equal(readCode("4146141411234562", "GS1-128").location, "6141411234562");
  assert.equal(readCode("4146141411234562254A-01-1", "GS1QRCode").location, "A-01-1");
  assert.equal(readCode("https://id.example/414/6141411234562/254/A-01-1", "QRCode").location, "A-01-1");
});

test("a Digital Link is what its path and query say", () => {
  const link = readCode(`https://shop.example/cn/01/${WATER}/10/L%2D7/21/S9?17=270630&utm=x#top`, "QRCode", 2026);
  assert.deepEqual(link, { ...NOTHING, gtin: WATER, lot: "L-7", serial: "S9", expiry: "2027-06-30", kind: "digital-link" });
  assert.equal(readCode("https://shop.example/01/6933132577789", "QRCode").gtin, WATER);
  assert.deepEqual(readCode("https://shop.example/about/us", "QRCode"), NOTHING);
  assert.deepEqual(readCode(`https://shop.example/01/${WATER}/21/S9/10/L7`, "QRCode"), NOTHING, "qualifiers out of order");
});

test("a symbol that promises elements and breaks their rules says nothing", () => {
  for (const text of [`01${WATER.slice(0, 13)}0`, `01${WATER}17271330`, `01${WATER}98`, "", "0", `01${WATER}01${WATER.replace("7", "8")}`]) {
    assert.deepEqual(readCode(text, "GS1-128"), NOTHING, text);
  }
});

test("what is no GS1 code is a text of the house", () => {
  for (const text of ["A-01-1", "12345678", "https://", "(01", "(12)", "]C1", "货位 7", "x".repeat(5000), GS.repeat(40)]) {
    assert.equal(readCode(text, "QRCode").kind, "text", text.slice(0, 20));
  }
});

test("centuries are told from this year on: fifty ahead, forty-nine back", () => {
  assert.equal(dateOf("761122", 2026), "2076-11-22");
  assert.equal(dateOf("771122", 2026), "1977-11-22");
  assert.equal(dateOf("010101", 2051), "2101-01-01");
  assert.equal(dateOf("020101", 2051), "2002-01-01");
  assert.equal(dateOf("240200", 2026), "2024-02-29");
  assert.equal(dateOf("250229", 2026), "");
});

test("a check digit finds every single digit that is wrong", () => {
  for (let n = 0; n < 300; n += 1) {
    const body = String((n * 7_919_171_717) % 10 ** 12).padStart(12, "0");
    const number = body + checkDigit(body);
    assert.equal(normaliseGtin(number), `0${number}`);
    const at = n % 13;
    const wrong = number.slice(0, at) + ((Number(number[at]) + 1 + (n % 9)) % 10) + number.slice(at + 1);
    if (wrong !== number) assert.equal(normaliseGtin(wrong), "");
  }
});

test("the table knows every identifier once", () => {
  assert.equal(AIS.get("3103")?.length, 6);
  assert.equal(AIS.get("8003")?.length, 0);
  assert.equal([...AIS.keys()].every((ai) => /^\d{2,4}$/.test(ai)), true);
});
