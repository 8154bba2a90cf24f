import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SoftrlError, theoryDemonstrations } from "softrl";
import type { OptionValues } from "../config-options.js";
import { type Terminal, table, writeJson } from "../terminal.js";
import { measuredInShort, requirement, theoryFiles } from "../theory-page.js";

/** `softrl theory`: §2 to §5 measured exactly, as a table, and as figures and a page where a folder is named. */
export async function theoryCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const demonstrations = theoryDemonstrations(seedOf(options.seed));
  if (typeof options.out === "string") writeFiles(options.out, theoryFiles(demonstrations));
  const facts = demonstrations.flatMap(({ facts }) => facts);
  if (options.json === true) {
    writeJson(terminal.out, demonstrations);
  } else {
    const rows = demonstrations.flatMap(({ name, section, facts }) =>
      facts.map((fact) => [
        fact.holds ? "holds" : "FAILS",
        name,
        measuredInShort(fact),
        requirement(fact),
        section,
        fact.what,
      ]),
    );
    terminal.out.write(`${table(["", "figure", "measured", "must be", "paper", "what"], rows)}\n`);
    if (typeof options.out === "string") {
      terminal.out.write(`\nfigures, their numbers and a page: ${join(options.out, "README.md")}\n`);
    }
  }
  return facts.every(({ holds }) => holds) ? 0 : 1;
}

function seedOf(text: unknown): number {
  const seed = Number(text);
  if (!(typeof text === "string" && /^\d+$/.test(text) && Number.isSafeInteger(seed))) {
    throw new SoftrlError("--seed", "this is no seed", {
      expected: "an integer from 0 on",
      got: String(text),
    });
  }
  return seed;
}

function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
  } catch (error) {
    throw new SoftrlError("--out", "the figures cannot be written", {
      got: error instanceof Error ? error.message : String(error),
      remedy: "name a folder that can be made or written",
    });
  }
}
