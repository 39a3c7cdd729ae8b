// The notation of the grammar's rules, as in JSGF (W3C Note, June 2000): sequences, `( a | b )` one
// of, `[ a ]` may be left out, `<name>` a list, and `<$name>` a slot that carries a value. Pure.

/**
 * @typedef {{ kind: "word", word: string }} Word
 * @typedef {{ kind: "slot", name: string }} Slot
 * @typedef {{ kind: "sequence", parts: Node[] }} Sequence
 * @typedef {{ kind: "choice", parts: Node[] }} Choice
 * @typedef {Word | Slot | Sequence | Choice} Node
 */

/** What stands in a rule: brackets, bars, names and words. */
const MARKS = /<\$?\w+>|[()[\]|]|[^\s()[\]|<>]+/gu;

/**
 * @param {string} text one rule
 * @param {(name: string) => Node} listed what `<name>` stands for
 * @param {(word: string) => string[]} tokens as what is heard is cut
 * @returns {Node}
 * @throws {Error} where brackets do not match
 */
export function read(text, listed, tokens) {
  const marks = text.match(MARKS) ?? [];
  let at = 0;

  /** @param {string} closing @returns {Node} */
  function choice(closing) {
    const parts = [sequence(closing)];
    while (marks[at] === "|") {
      at += 1;
      parts.push(sequence(closing));
    }
    return parts.length === 1 && parts[0] ? parts[0] : { kind: "choice", parts };
  }

  /** @param {string} closing @returns {Node} */
  function sequence(closing) {
    /** @type {Node[]} */
    const parts = [];
    for (let mark = marks[at]; mark !== undefined && mark !== "|" && mark !== closing; mark = marks[at]) {
      at += 1;
      parts.push(one(mark));
    }
    return { kind: "sequence", parts };
  }

  /** @param {string} mark @returns {Node} */
  function one(mark) {
    if (mark === "(" || mark === "[") {
      const closing = mark === "(" ? ")" : "]";
      const inner = choice(closing);
      if (marks[at] !== closing) throw new Error(`"${text}": ${closing} is missing`);
      at += 1;
      const nothing = { kind: /** @type {const} */ ("sequence"), parts: [] };
      return mark === "(" ? inner : { kind: "choice", parts: [inner, nothing] };
    }
    if (mark.startsWith("<$")) return { kind: "slot", name: mark.slice(2, -1) };
    if (mark.startsWith("<")) return listed(mark.slice(1, -1));
    if (mark === ")" || mark === "]") throw new Error(`"${text}": ${mark} closes nothing`);
    const words = tokens(mark).map((word) => ({ kind: /** @type {const} */ ("word"), word }));
    return { kind: "sequence", parts: words };
  }

  const whole = choice("");
  if (at !== marks.length) throw new Error(`"${text}": ${marks[at]} closes nothing`);
  return whole;
}

/**
 * One way to say the beginning of what was heard: the first `end` tokens, with the slots' values.
 * @template V
 * @typedef {{ end: number, slots: Record<string, V> }} Match
 */

/**
 * All ways in which `node` says the tokens from `start` on; they end where they like.
 * @template V
 * @param {Node} node
 * @param {string[]} tokens
 * @param {number} start
 * @param {(name: string, start: number) => { end: number, value: V }[]} fill what a slot may take
 * @returns {Match<V>[]}
 */
export function match(node, tokens, start, fill) {
  switch (node.kind) {
    case "word":
      return tokens[start] === node.word ? [{ end: start + 1, slots: {} }] : [];
    case "slot":
      return fill(node.name, start).map(({ end, value }) => ({ end, slots: { [node.name]: value } }));
    case "choice":
      return node.parts.flatMap((part) => match(part, tokens, start, fill));
    case "sequence": {
      /** @type {Match<V>[]} */
      let ways = [{ end: start, slots: {} }];
      for (const part of node.parts) {
        ways = ways.flatMap((way) =>
          match(part, tokens, way.end, fill).map(({ end, slots }) => ({ end, slots: { ...way.slots, ...slots } })),
        );
        if (ways.length === 0) break;
      }
      return ways;
    }
  }
}
