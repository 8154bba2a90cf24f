// @ts-check
import { EXTENDED } from "./base-runs.js";
import { snapshotOf, touched } from "./case-folder.js";
import { faultsOf, outcomeText } from "./outcome.js";

/** @typedef {import("./case-folder.js").CaseFolder} CaseFolder */

/** The files that a run may write into its own folder, see runFiles in packages/cli. */
const written =
  /^work\/run\/(config\.json|events\.jsonl|(checkpoint|best|last)\.safetensors|chart\.svg|oracle\.svg|result\.json|trust\.json|events\.out\.tfevents\.\d{5}\.softrl|replay(\/\w+-\d+-[0-9a-f]{8}\.safetensors)?)$/;

/**
 * Every command that reads a run folder: its arguments, and what it may write.
 * @type {readonly { readonly name: string, readonly args: readonly string[], readonly writes: RegExp | null, readonly onlyEvents?: boolean, readonly onlyNamed?: boolean }[]}
 */
const readers = [
  {
    name: "evaluate",
    args: ["evaluate", "run", "--episodes", "1", "--max-steps", "20", "--json"],
    writes: null,
  },
  {
    name: "record",
    args: ["record", "run", "--max-steps", "10", "--out", "film.gif", "--json"],
    writes: /^work\/film\.gif$/,
  },
  { name: "report", args: ["report", "run"], writes: written },
  // These read the events alone.
  { name: "tensorboard", args: ["tensorboard", "run"], writes: written, onlyEvents: true },
  { name: "csv", args: ["csv", "run", "--overwrite"], writes: /^work\/csv(\/\w+\.csv)?$/, onlyEvents: true },
  { name: "plot", args: ["plot", "run", "--overwrite"], writes: /^work\/figure\.svg$/, onlyEvents: true },
  { name: "resume", args: ["resume", "run", ...EXTENDED, "--json"], writes: written },
  {
    name: "resume --without-replay",
    args: ["resume", "run", ...EXTENDED, "--without-replay", "--json"],
    writes: written,
    onlyNamed: true,
  },
];

/**
 * Reads a changed run folder with every command; returns what was wrong.
 * @param {CaseFolder} folder
 * @param {import("./main.js").CaseContext} context
 * @param {{
 *   readonly refused?: boolean,
 *   readonly succeeds?: boolean,
 *   readonly trust?: boolean,
 *   readonly only?: readonly string[],
 * }} how refused: only an error is right of what reads the checkpoint; succeeds: only success is
 */
export async function inspect(
  { path, work },
  { execute, commands, trusts },
  { refused = false, succeeds = false, trust = false, only },
) {
  /** @type {string[]} */
  const faults = [];
  for (const reader of readers) {
    const isChosen = only === undefined ? reader.onlyNamed !== true : only.includes(reader.name);
    if (!commands.has(reader.args[0]) || !isChosen) continue;
    const before = snapshotOf(path);
    const args = trust && trusts.has(reader.args[0]) ? [...reader.args, "--trust"] : reader.args;
    const outcome = await execute(args, { cwd: work });
    const found = faultsOf(outcome, { refused: refused && !reader.onlyEvents });
    if (succeeds && outcome.code !== 0) found.push("failed, though it does not need what was changed");
    const { writes } = reader;
    // What replaces a link or a special file of the run is a file.
    const mayChange = (/** @type {string} */ name, /** @type {string | undefined} */ now) =>
      writes?.test(name) === true &&
      (now === undefined ||
        now.startsWith("file") ||
        (["work/run/replay", "work/csv"].includes(name) && now.startsWith("folder")));
    found.push(...touched(before, snapshotOf(path), mayChange));
    if (found.length > 0) faults.push(...found, outcomeText(outcome));
  }
  return faults;
}
