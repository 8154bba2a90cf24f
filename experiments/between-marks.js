// @ts-check

/**
 * A text with other lines between two marks; null where it has no such marks.
 * @param {string} text @param {string} begin @param {string} end @param {readonly string[]} lines
 */
export function betweenMarks(text, begin, end, lines) {
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before === -1 || after === -1) return null;
  return `${text.slice(0, before + begin.length)}\n${lines.join("\n")}\n${text.slice(after)}`;
}
