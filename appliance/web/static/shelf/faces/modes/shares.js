// A number shared out over batches, moved by hand. Pure.

/** @import { Part } from "./tally.js" */

/** One unit more or less of a batch, taken from or given to its neighbour: the sum stays. @param {readonly Part[]} parts @param {number} index @param {number} by */
export function moved(parts, index, by) {
  const other = (index + 1) % parts.length, own = parts[index], theirs = parts[other];
  if (!own || !theirs || own.counted + by < 0 || theirs.counted - by < 0) return [...parts];
  return parts.map((part, at) => (at === index ? { ...part, counted: part.counted + by } : at === other ? { ...part, counted: part.counted - by } : part));
}
