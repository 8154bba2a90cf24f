import { expect, test } from "vitest";
import { shortened, textWidth, wrapped } from "../src/figures/text-width.js";

test("texts are as wide as they are in Helvetica", async () => {
  const { default: PDFDocument } = await import("pdfkit");
  const page = new PDFDocument().font("Helvetica").fontSize(7);
  const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  for (const letter of ascii) expect(textWidth(letter, 7), letter).toBeCloseTo(page.widthOfString(letter), 6);
  // Kerning moves letters of words.
  for (const text of ["A2C, proper bonus", "soft Q-learning", "DQN, munchausen, 1M frames"]) {
    expect(Math.abs(textWidth(text, 7) / page.widthOfString(text) - 1), text).toBeLessThan(0.01);
  }
  // A bar above a letter takes nothing.
  expect(textWidth("π̄", 7)).toBe(textWidth("π", 7));
});

test("a text is wrapped at words, or cut, to fit a width", () => {
  const lines = wrapped("one two three four", textWidth("one two", 7), 7);
  expect(lines).toEqual(["one two", "three", "four"]);
  expect(shortened("millimetre", 100, 7)).toBe("millimetre");
  const short = shortened("millimetre", 20, 7);
  expect(short).toMatch(/^milli?m?…$/);
  expect(textWidth(short, 7)).toBeLessThanOrEqual(20);
});
