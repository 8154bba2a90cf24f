import { Command, CommanderError } from "commander";
import { environmentIds } from "softrl";
import { kindOptions } from "../parts/kind-file.js";
import { type KindName, kindNames } from "../parts/kind-shape.js";
import type { NamedPart, NamedParts, RunParts } from "../parts/run-parts.js";
import { type OptionValues, textOption } from "./plain-options.js";

/** The option of each part as commander declares it. */
const declarations: Readonly<Record<KindName, string>> = {
  algorithm: "-a, --algorithm <name|file>",
  environment: "-e, --env <id|file>",
  network: "--network <name|file>",
  optimiser: "--optimiser <name|file>",
};

/** Adds the option of one part, with the names that it takes. */
export function addPartOption(command: Command, which: KindName, standard: string, parts: RunParts): void {
  command.option(declarations[which], `${about(which, parts)} (default: ${standard})`);
}

function about(which: KindName, { known, environmentKind }: RunParts): string {
  if (which === "environment") {
    const own = environmentKind === null ? [] : [`${environmentKind.id} (${environmentKind.about})`];
    const ids = [...environmentIds, ...own].join(", ");
    return `the environment: ${ids}, an id of Gymnasium such as ALE/Pong-v5, or a file that exports an environment`;
  }
  const kinds: readonly { readonly name: string; readonly about: string }[] = known[which];
  const list = kinds.map((kind) => `${kind.name} (${kind.about})`).join(", ");
  return `the ${which}: ${list}, or a file that exports one, such as ./mine.js`;
}

/** The parts of a run that options name; relative paths start from the current folder. */
export function partsOfOptions(options: OptionValues): NamedParts {
  const parts: { [Which in KindName]?: NamedPart } = {};
  for (const which of kindNames) {
    const where = kindOptions[which];
    const name = textOption(options, where.slice(2));
    if (name !== undefined) parts[which] = { name, where, folder: process.cwd() };
  }
  return parts;
}

/**
 * The options that decide which other options there are, read before those are known. What is wrong with the arguments
 * is left to the parser that knows them all.
 */
export function scanArguments(args: readonly string[]): OptionValues {
  const scanner = new Command()
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .option("-c, --config <file>")
    .option("--algorithms <names>")
    .option("--trust");
  for (const which of kindNames) scanner.option(declarations[which]);
  try {
    return scanner.parse(args, { from: "user" }).opts();
  } catch (error) {
    if (error instanceof CommanderError) return {};
    throw error;
  }
}
