import { createRequire } from "node:module";
import { parseHTML } from "linkedom";
import { SoftrlError } from "softrl";

/** What draws a page; a type alone, since the library is loaded with the first PDF. */
type Page = PDFKit.PDFDocument;
type Library = typeof import("pdfkit");

/** The style that an element hands down to those in it. Lengths are in the picture's units, which are points. */
interface Style {
  readonly fill: string;
  readonly fillOpacity: number;
  readonly stroke: string;
  readonly strokeOpacity: number;
  readonly strokeWidth: number;
  readonly dash: readonly number[];
  readonly lineCap: "butt" | "round" | "square";
  readonly lineJoin: "miter" | "round" | "bevel";
  readonly fontSize: number;
  readonly anchor: "start" | "middle" | "end";
  /** What `currentColor` is. */
  readonly colour: string;
}

const initial: Style = {
  fill: "#000000",
  fillOpacity: 1,
  stroke: "none",
  strokeOpacity: 1,
  strokeWidth: 1,
  dash: [],
  lineCap: "butt",
  lineJoin: "miter",
  fontSize: 7,
  anchor: "start",
  colour: "#000000",
};

/** Parts of the font, the first that has a letter draws it. */
const SUBSETS = ["latin", "greek", "latin-ext", "cyrillic"] as const;
type Subset = (typeof SUBSETS)[number];

/**
 * A figure of {@link paperFigureSvg} in one theme as a PDF page of its size: vectors and text, in a font that is embedded.
 * The same figure gives the same bytes.
 * @throws SoftrlError where an optional dependency that draws it is not installed.
 */
export async function pdfOf(svg: string): Promise<Uint8Array> {
  const { PDFDocument, fonts } = await libraries();
  const root = rootOf(svg);
  const [, , width, height] = numbersIn(root.getAttribute("viewBox") ?? "");
  const page = new PDFDocument({
    size: [width, height],
    margin: 0,
    // A fixed date: the same figure gives the same bytes.
    info: { Creator: "softrl", CreationDate: new Date(0) },
  });
  for (const name of SUBSETS) page.registerFont(name, fonts.files[name]);
  const ended = bytesOf(page);
  drawChildren(page, root, styleOf(root, initial), fonts.subsetOf);
  page.end();
  return ended;
}

interface Fonts {
  readonly files: Readonly<Record<Subset, string>>;
  readonly subsetOf: (letter: string) => Subset;
}

async function libraries(): Promise<{ PDFDocument: Library; fonts: Fonts }> {
  try {
    const { default: PDFDocument } = await import("pdfkit");
    const { resolve } = createRequire(import.meta.url);
    const entries = SUBSETS.map((name) => [
      name,
      resolve(`@fontsource/arimo/files/arimo-${name}-400-normal.woff`),
    ]);
    const ranges: Readonly<Record<string, string>> = createRequire(import.meta.url)(
      "@fontsource/arimo/unicode.json",
    );
    const files: Fonts["files"] = Object.fromEntries(entries);
    return { PDFDocument, fonts: { files, subsetOf: subsetsBy(ranges) } };
  } catch (error) {
    const remedy = "install them with npm install pdfkit @fontsource/arimo, or write an .svg file";
    throw new SoftrlError(
      "--out",
      "PDF needs pdfkit and @fontsource/arimo, which do not load here",
      { remedy },
      { cause: error },
    );
  }
}

/** @param ranges letters by subset, as CSS writes them: `U+0370-0377,U+038C` */
function subsetsBy(ranges: Readonly<Record<string, string>>): (letter: string) => Subset {
  const parsed = SUBSETS.map((name) => {
    const pairs = (ranges[name] ?? "").split(",").map((range) => {
      const [from, to = from] = range.replace("U+", "").split("-");
      return [Number.parseInt(from, 16), Number.parseInt(to, 16)] as const;
    });
    return { name, pairs };
  });
  return (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    return (
      parsed.find(({ pairs }) => pairs.some(([from, to]) => from <= code && code <= to))?.name ?? "latin"
    );
  };
}

function bytesOf(page: Page): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  page.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    page.on("end", () => resolve(Buffer.concat(chunks)));
    page.on("error", reject);
  });
}

function rootOf(svg: string): Element {
  const root = parseHTML(`<html><body>${svg}</body></html>`).document.querySelector("svg");
  if (root === null) throw new Error("there is no <svg>");
  return root;
}

function drawChildren(page: Page, parent: Element, style: Style, subsetOf: Fonts["subsetOf"]): void {
  for (const element of parent.children) draw(page, element, styleOf(element, style), subsetOf);
}

/** @throws Error for an element that no figure has: a PDF without it would be another figure. */
function draw(page: Page, element: Element, style: Style, subsetOf: Fonts["subsetOf"]): void {
  const at = (name: string) => lengthOf(element.getAttribute(name), style.fontSize);
  page.save();
  transform(page, element.getAttribute("transform"));
  switch (element.localName) {
    case "style":
      break;
    case "g":
      drawChildren(page, element, style, subsetOf);
      break;
    case "svg":
      // Its viewBox is as large as it: the picture is only moved.
      page.translate(at("x"), at("y"));
      drawChildren(page, element, style, subsetOf);
      break;
    case "rect":
      paint(page, style, () => page.rect(at("x"), at("y"), at("width"), at("height")));
      break;
    case "line":
      paint(page, { ...style, fill: "none" }, () =>
        page.moveTo(at("x1"), at("y1")).lineTo(at("x2"), at("y2")),
      );
      break;
    case "circle":
      paint(page, style, () => page.circle(at("cx"), at("cy"), at("r")));
      break;
    case "path":
      paint(page, style, () => page.path(element.getAttribute("d") ?? ""));
      break;
    case "text":
      write(page, element.textContent ?? "", [at("x"), at("y")], style, subsetOf);
      break;
    default:
      throw new Error(`<${element.localName}> cannot be drawn in a PDF`);
  }
  page.restore();
}

/** Sets the style before the path: PDF allows nothing between a path and its painting. */
function paint(page: Page, style: Style, path: () => void): void {
  const { fill, stroke, dash } = style;
  const isStroked = stroke !== "none" && style.strokeWidth > 0;
  if (fill !== "none") page.fillColor(fill).fillOpacity(style.fillOpacity);
  if (isStroked) {
    page.strokeColor(stroke).strokeOpacity(style.strokeOpacity).lineWidth(style.strokeWidth);
    page.lineCap(style.lineCap).lineJoin(style.lineJoin);
    page.addContent(`[${dash.join(" ")}] 0 d`);
  }
  path();
  if (fill !== "none" && isStroked) page.fillAndStroke();
  else if (fill !== "none") page.fill();
  else if (isStroked) page.stroke();
}

function write(
  page: Page,
  text: string,
  [x, y]: readonly [number, number],
  { fill, fillOpacity, fontSize, anchor }: Style,
  subsetOf: Fonts["subsetOf"],
): void {
  page.fontSize(fontSize).fillColor(fill).fillOpacity(fillOpacity);
  const pieces = piecesOf(text, subsetOf).map((piece) => ({
    ...piece,
    width: page.font(piece.subset).widthOfString(piece.text),
  }));
  const width = pieces.reduce((sum, piece) => sum + piece.width, 0);
  let left = x - width * { start: 0, middle: 0.5, end: 1 }[anchor];
  for (const piece of pieces) {
    page.font(piece.subset).text(piece.text, left, y, { lineBreak: false, baseline: "alphabetic" });
    left += piece.width;
  }
}

/** A text in pieces of one subset each. */
function piecesOf(text: string, subsetOf: Fonts["subsetOf"]): { readonly subset: Subset; text: string }[] {
  const pieces: { readonly subset: Subset; text: string }[] = [];
  for (const letter of text) {
    const subset = subsetOf(letter);
    const last = pieces.at(-1);
    if (last?.subset === subset) last.text += letter;
    else pieces.push({ subset, text: letter });
  }
  return pieces;
}

/** Figures have `translate` and `rotate` alone. */
function transform(page: Page, text: string | null): void {
  for (const [, name, inner] of (text ?? "").matchAll(/(\w+)\(([^)]*)\)/g)) {
    const [a, b = 0, c = 0] = numbersIn(inner);
    if (name === "translate") page.translate(a, b);
    else if (name === "rotate") page.rotate(a, { origin: [b, c] });
    else throw new Error(`${name}(…) cannot be drawn in a PDF`);
  }
}

function styleOf(element: Element, outer: Style): Style {
  const inline = new Map(
    (element.getAttribute("style") ?? "").split(";").map((rule): [string, string] => {
      const [name, value = ""] = rule.split(":");
      return [name.trim(), value.trim()];
    }),
  );
  const given = (name: string) => inline.get(name) ?? element.getAttribute(name);
  const colour = given("color") ?? outer.colour;
  const ink = (name: string, inherited: string) => {
    const value = given(name) ?? inherited;
    return value === "currentColor" ? colour : value;
  };
  const number = (name: string, inherited: number) => {
    const value = given(name);
    return value === null ? inherited : Number.parseFloat(value);
  };
  const dash = given("stroke-dasharray");
  return {
    colour,
    fill: ink("fill", outer.fill),
    fillOpacity: number("fill-opacity", outer.fillOpacity),
    stroke: ink("stroke", outer.stroke),
    strokeOpacity: number("stroke-opacity", outer.strokeOpacity),
    strokeWidth: number("stroke-width", outer.strokeWidth),
    dash: dash === null ? outer.dash : numbersIn(dash),
    lineCap: oneOf(["butt", "round", "square"], given("stroke-linecap"), outer.lineCap),
    lineJoin: oneOf(["miter", "round", "bevel"], given("stroke-linejoin"), outer.lineJoin),
    fontSize: number("font-size", outer.fontSize),
    anchor: oneOf(["start", "middle", "end"], given("text-anchor"), outer.anchor),
  };
}

function oneOf<Choice extends string>(
  choices: readonly Choice[],
  text: string | null,
  inherited: Choice,
): Choice {
  return choices.find((choice) => choice === text) ?? inherited;
}

const numbersIn = (text: string): readonly number[] =>
  (text.match(/-?\d*\.?\d+(?:e[+-]?\d+)?/gi) ?? []).map(Number);

/** `12`, or `0.71em` of the font's size; 0 where there is none. */
function lengthOf(text: string | null, fontSize: number): number {
  if (text === null) return 0;
  return Number.parseFloat(text) * (text.endsWith("em") ? fontSize : 1);
}
