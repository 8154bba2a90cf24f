// @ts-check

/**
 * A text with other lines between a mark and the next one after it; null where it has no such marks.
 * @param {string} text @param {string} begin @param {string} end @param {readonly string[]} lines
 */
export function betweenMarks(text, begin, end, lines) {
  const before = text.indexOf(begin);
  const after = before === -1 ? -1 : text.indexOf(end, before);
  if (after === -1) return null;
  return `${text.slice(0, before + begin.length)}\n${lines.join("\n")}\n${text.slice(after)}`;
}
