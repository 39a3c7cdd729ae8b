// Check digits and normal forms of GS1 keys (GS1 General Specifications, section 7.9). Pure.

/**
 * The modulo-10 check digit for digits without it.
 * @param {string} digits
 * @returns {string}
 */
export function checkDigit(digits) {
  let total = 0;
  for (let i = 0; i < digits.length; i += 1) total += Number(digits[digits.length - 1 - i]) * (i % 2 ? 1 : 3);
  return String((10 - (total % 10)) % 10);
}

/**
 * Whether these are digits of which the last is the check digit of the rest.
 * @param {string} number
 * @returns {boolean}
 */
export const hasCheckDigit = (number) => /^\d{2,}$/.test(number) && checkDigit(number.slice(0, -1)) === number.at(-1);

/**
 * GTIN-8, -12, -13 or -14 as 14 digits; empty for what is none.
 * @param {string} text
 * @returns {string}
 */
export const normaliseGtin = (text) => (/^(\d{8}|\d{12,14})$/.test(text) && hasCheckDigit(text) ? text.padStart(14, "0") : "");

/**
 * The UPC-A that a UPC-E stands for (section 5.2.2.4); empty for what is none.
 * @param {string} text 8 digits with number system and check digit, or 6 of them
 * @returns {string} 12 digits
 */
export function expandUpcE(text) {
  const found = /^(?:([01])(\d{6})(\d)|(\d{6}))$/.exec(text);
  if (!found) return "";
  const six = found[2] ?? found[4] ?? "";
  const [a, b, c, d, e, last] = six;
  const body = {
    0: `${a}${b}${last}0000${c}${d}${e}`, 1: `${a}${b}${last}0000${c}${d}${e}`, 2: `${a}${b}${last}0000${c}${d}${e}`,
    3: `${a}${b}${c}00000${d}${e}`, 4: `${a}${b}${c}${d}00000${e}`,
  }[Number(last)] ?? `${a}${b}${c}${d}${e}0000${last}`;
  const number = `${found[1] ?? "0"}${body}`;
  const check = checkDigit(number);
  return found[3] === undefined || found[3] === check ? number + check : "";
}
