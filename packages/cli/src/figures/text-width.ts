/** Advance widths of Helvetica, which Arial, Liberation Sans and Arimo share, in thousandths of the font's size: " " to "~". */
const WIDTHS = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
  556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
  500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
  556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
  278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/** Of letters beyond ASCII; marks that stand above the letter before them take nothing. */
const LETTER = 556;
/** Of arrows and mathematical signs, which another font has. */
const SIGN = 800;
const FIRST_SIGN = 0x2190;
/** What fonts of figures have these widths, or are near to them. */
export const FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** How wide a text is in {@link FONTS}, without kerning. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const letter of text.replaceAll(/\p{M}/gu, "")) {
    const code = letter.codePointAt(0) ?? 0;
    width += WIDTHS[code - 32] ?? (code < FIRST_SIGN ? LETTER : SIGN);
  }
  return (width * size) / 1000;
}

/** The words of a text in lines of at most a width; a longer word has a line of its own. */
export function wrapped(text: string, width: number, size: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || textWidth(`${line} ${word}`, size) > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/** A text that fits a width, with an ellipsis where it was cut. */
export function shortened(text: string, width: number, size: number): string {
  if (textWidth(text, size) <= width) return text;
  const letters = [...text];
  while (letters.length > 0 && textWidth(`${letters.join("")}…`, size) > width) letters.pop();
  return `${letters.join("")}…`;
}
