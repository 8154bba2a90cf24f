import { extname } from "node:path";
import { SoftrlError } from "softrl";
import { requireFree, writeOut } from "../files/out-file.js";
import { outFault } from "../files/write-fault.js";
import { numberOption, type OptionValues, widthOption } from "../options/plain-options.js";
import { shownPath } from "../terminal/shown-path.js";
import { type Terminal, writeJson } from "../terminal/terminal.js";

/** `softrl plot <runs>`: one figure of many runs, in the size of a paper's column. */
export async function plotCommand(
  paths: readonly string[],
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  // Loaded here: drawing takes longer to load than all the rest of the command.
  const { ofVariants, plottedRuns } = await import("../plots/plotted-run.js");
  const { definedEnvironments } = await import("../plots/definition-order.js");
  const { leftOutInWords } = await import("../plots/figure-note.js");
  const { plotKinds } = await import("../plots/plot-kind.js");
  const { runFigure } = await import("../plots/run-figure.js");
  const { MOST_LINES, paperFigureSvg } = await import("../figures/paper-figure.js");
  const out = String(options.out);
  const kind = choiceOf("--kind", options.kind, plotKinds);
  const statistic = choiceOf("--statistic", options.statistic, ["mean", "iqm"] as const);
  const theme = choiceOf("--theme", options.theme, ["light", "dark", "auto"] as const);
  const width = widthOption(options.width);
  const format = extname(out).toLowerCase();
  const dpi = dpiOption(options.dpi, format);
  const overwrite = options.overwrite === true;
  requireWritable(out, format, overwrite);
  if (format !== ".svg" && theme === "auto") {
    const what = `a ${format.slice(1).toUpperCase()} has one theme`;
    throw new SoftrlError("--theme", what, { expected: "light or dark", got: '"auto"' });
  }
  const all = plottedRuns(paths, (line) => void terminal.err.write(`softrl: ${line}\n`));
  const runs = Array.isArray(options.variant) ? ofVariants(all, options.variant.map(String)) : all;
  const environments = await definedEnvironments(paths);
  const figure = runFigure(runs, { kind, statistic, theme, width, environments });
  if (figure.panels[0].kind === "lines") requireDistinct(figure.names, MOST_LINES);
  const svg = paperFigureSvg(figure);
  const contents = await contentsOf(svg, format, width, dpi);
  try {
    writeOut(out, overwrite, contents);
  } catch (error) {
    throw outFault(out, error);
  }
  const { leftOut } = figure;
  const { length: count } = runs.filter(({ variant }) => !leftOut.includes(variant));
  const what = `${count} run${count === 1 ? "" : "s"}${leftOutInWords(leftOut)}`;
  if (options.json !== true) terminal.out.write(`${shownPath(out)}: ${what}\n`);
  else
    writeJson(terminal.out, {
      out,
      runs: count,
      ...(kind === "profile" || kind === "aggregates" ? { leftOut } : {}),
    });
  return 0;
}

/** The figure as the bytes or the text of its file. */
async function contentsOf(
  svg: string,
  format: string,
  width: number,
  dpi: number,
): Promise<string | Uint8Array> {
  if (format === ".png") return (await import("../figures/png.js")).pngOf(svg, width, dpi);
  if (format === ".pdf") return (await import("../figures/pdf.js")).pdfOf(svg);
  return svg;
}

/** @throws SoftrlError for more lines than there are styles. */
function requireDistinct({ length }: readonly string[], most: number): void {
  if (length <= most) return;
  throw new SoftrlError("plot", "there are more variants than lines that look different", {
    expected: `at most ${most}`,
    got: String(length),
    remedy: "choose some with --variant, or draw --kind bars",
  });
}

function choiceOf<const Choice extends string>(
  option: string,
  text: unknown,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new SoftrlError(option, "invalid value", { expected: choices.join(", "), got: JSON.stringify(text) });
}

const FORMATS: readonly string[] = [".svg", ".png", ".pdf"];
const STANDARD_DPI = "300";

/** @throws SoftrlError for a file that has no pixels. */
function dpiOption(text: unknown, format: string): number {
  if (text !== undefined && format !== ".png") {
    throw new SoftrlError("--dpi", "only a PNG has pixels", {
      expected: "--out with a file that ends in .png",
      remedy: "leave it out, or write a .png file",
    });
  }
  return numberOption("--dpi", text ?? STANDARD_DPI, [50, 1200], "pixels per inch");
}

function requireWritable(out: string, format: string, overwrite: boolean): void {
  if (!FORMATS.includes(format)) {
    throw new SoftrlError("--out", `${out} cannot be written`, {
      expected: "a file that ends in .svg, .png or .pdf",
      got: JSON.stringify(out),
    });
  }
  requireFree(out, overwrite);
}
