import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SoftrlError, theoryDemonstrations } from "softrl";
import { measuredInShort, PAGE_TITLE, requirement } from "../figures/theory-words.js";
import { writeOut } from "../files/out-file.js";
import { readRegular } from "../files/regular-file.js";
import { outFault } from "../files/write-fault.js";
import { type OptionValues, widthOption } from "../options/plain-options.js";
import { columnsOf, type Terminal, tableWithNotes, writeJson } from "../terminal/terminal.js";

/** More than the page has. */
const MOST_PAGE_BYTES = 2 ** 24;

/** `softrl theory`: §2 to §5 measured exactly, as a table, and as figures and a page if a folder is named. */
export async function theoryCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const seed = seedOf(options.seed);
  const width = widthOption(options.width);
  const demonstrations = theoryDemonstrations(seed);
  if (typeof options.out === "string") {
    // Loaded when there is something to draw: it takes longer than all the rest of the command.
    const { theoryFiles } = await import("../figures/theory-page.js");
    writeFiles(options.out, theoryFiles(demonstrations, seed, width));
  }
  const facts = demonstrations.flatMap(({ facts }) => facts);
  if (options.json === true) {
    writeJson(terminal.out, demonstrations);
  } else {
    const rows = demonstrations.flatMap(({ name, facts }) =>
      facts.map((fact) => [fact.holds ? "holds" : "FAILS", name, measuredInShort(fact), requirement(fact)]),
    );
    const header = ["", "figure", "measured", "must be"];
    const notes = [
      "paper: what",
      ...demonstrations.flatMap(({ section, facts }) => facts.map(({ what }) => `${section}: ${what}`)),
    ];
    terminal.out.write(`${tableWithNotes(header, rows, notes, columnsOf(terminal.out))}\n`);
    if (typeof options.out === "string") {
      terminal.out.write(`\nfigures, their numbers and a page: ${join(options.out, "README.md")}\n`);
    }
  }
  return facts.every(({ holds }) => holds) ? 0 : 1;
}

function seedOf(text: unknown): number {
  const seed = Number(text);
  if (!(typeof text === "string" && /^\d+$/.test(text) && Number.isSafeInteger(seed))) {
    throw new SoftrlError("--seed", "invalid seed", {
      expected: "a non-negative integer",
      got: String(text),
    });
  }
  return seed;
}

function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  try {
    mkdirSync(folder, { recursive: true });
    requireOurs(folder, files);
    for (const [name, text] of files) writeOut(join(folder, name), true, text);
  } catch (error) {
    throw outFault(folder, error);
  }
}

/** Throws unless the folder is empty or holds only an earlier page and its figures: no other file is overwritten. */
function requireOurs(folder: string, files: ReadonlyMap<string, string>): void {
  const ours = (name: string) =>
    files.has(name) &&
    (name !== "README.md" ||
      readRegular(join(folder, name), MOST_PAGE_BYTES).toString("utf8").startsWith(PAGE_TITLE));
  const entries = readdirSync(folder);
  const strange = entries.filter((name) => !ours(name));
  if (entries.length === 0 || (strange.length === 0 && entries.includes("README.md"))) return;
  throw new SoftrlError("--out", "the folder is not empty", {
    expected: "a new folder, or one that this command wrote",
    got: (strange.length === 0 ? entries : strange).slice(0, 3).join(", "),
    remedy: "name another folder",
  });
}
