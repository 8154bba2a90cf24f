// @ts-check
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtInAlgorithms, environmentIds, RandomStreams } from "softrl";
import { baseRuns } from "./base-runs.js";
import { makeCaseFolder, snapshotOf, touched } from "./case-folder.js";
import { oddTexts, pick } from "./odd-values.js";
import { faultsOf, outcomeText } from "./outcome.js";

/** @typedef {import("softrl").Random} Random */

/**
 * An option as the help lists it.
 * @typedef {{ readonly flag: string, readonly placeholder: string | null }} Option
 */

/** Commands that only measure are slow where they are not refused, and setup installs. */
const refusedOnly = ["verify", "theory", "setup"];

/** @type {Map<string, Promise<readonly Option[]>>} */
const known = new Map();

/**
 * The options of a command, from its own help.
 * @param {readonly string[]} command
 * @param {import("./main.js").CaseContext} context
 */
function optionsOf(command, { execute, workspace }) {
  const key = command.join(" ");
  const options =
    known.get(key) ??
    execute([...command, "--help"], { cwd: workspace }).then(({ stdout }) =>
      Array.from(stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)(?: <([^>]+)>)?/gm), ([, flag, placeholder]) => ({
        flag,
        placeholder: placeholder ?? null,
      })).filter(({ flag }) => flag !== "--help"),
    );
  known.set(key, options);
  return options;
}

/** Words after the command that the command itself lists, with values that are right, odd or wrong. */
export const commandLines = {
  name: "command-lines",
  about: "command lines made of the command's own options",
  inServer: true,
  /** @param {number} seed @param {import("./main.js").CaseContext} context */
  async run(seed, context) {
    const random = new RandomStreams(seed).stream("command-lines");
    const [base] = await baseRuns(context.workspace);
    const folder = makeCaseFolder(context.path, base.folder);
    mkdirSync(join(folder.work, "full"));
    writeFileSync(join(folder.work, "full", "file.txt"), "1\n");
    writeFileSync(join(folder.work, "odd.js"), "export default 7;\n");
    writeFileSync(join(folder.work, "broken.js"), "throw new Error('a\\nb\\u001b[31m');\n");
    writeFileSync(join(folder.work, "odd.json"), '{"run":{"steps":-1,"x":[{}]},"environment":7}\n');
    const args = await makeCommandLine(random, context);
    const before = snapshotOf(folder.path);
    const outcome = await context.execute(args, { cwd: folder.work });
    const found = faultsOf(outcome);
    // Commands may write below the folder that they run in, but nothing that was there, except in a run that they resume,
    // and its result where they report it: from the events, whose times are rounded.
    const mayChange = (/** @type {string} */ path) =>
      path.startsWith("work/") &&
      (!before.has(path) ||
        (args[0] === "resume" && path.startsWith("work/run/")) ||
        (args[0] === "report" && path === "work/run/result.json"));
    found.push(...touched(before, snapshotOf(folder.path), mayChange));
    const about = args.map((word) => word.replace(/[^ -~]/g, "?").slice(0, 30)).join(" ");
    return { about, faults: found.length > 0 ? [...found, outcomeText(outcome)] : [] };
  },
};

/** @param {Random} random @param {import("./main.js").CaseContext} context */
async function makeCommandLine(random, context) {
  const { commands } = context;
  const names = ["train", "train", "train", "compare", ...[...commands].filter((name) => name !== "help")];
  const command = pick(random, names);
  /** @type {string[]} */
  const parts = [];
  if (command === "train") {
    parts.push("--algorithm", pick(random, builtInAlgorithms).name);
    if (random.integer(2) === 0) parts.push("--env", pick(random, environmentIds));
  }
  const options = await optionsOf([command, ...parts], context);
  const words = [...parts];
  const foreign = random.integer(6) === 0 ? await optionsOf(["train", "--algorithm", "npg"], context) : [];
  const count = options.length === 0 ? 0 : random.integer(5);
  for (let i = 0; i < count; i++) {
    const { flag, placeholder } = pick(random, [...options, ...foreign]);
    words.push(flag);
    // Now and then a value is missing, or one stands where none belongs.
    if (random.integer(15) > 0 ? placeholder !== null : placeholder === null)
      words.push(valueFor(random, flag, placeholder));
  }
  const whole = random.integer(8);
  if (whole === 0) words.splice(random.integer(words.length + 1), 0, oddWord(random));
  if (whole === 1)
    words.splice(
      random.integer(words.length + 1),
      0,
      pick(random, ["--", "-", "-x", "--nothing", "--steps=", "-=", "--no-json"]),
    );
  // What stands last counts, and keeps a valid run short.
  const isTraining = command === "train" || command === "compare";
  const givesSteps = words.includes("--steps");
  const limits = isTraining && !givesSteps ? ["--steps", "20"] : [];
  const playing =
    command === "evaluate"
      ? ["--episodes", "1", "--max-steps", "20"]
      : command === "record"
        ? ["--max-steps", "10"]
        : [];
  const readers = ["resume", "evaluate", "record", "report", "tensorboard", "csv", "plot"];
  const takesFolder = !isTraining && readers.includes(command);
  const folder =
    takesFolder && random.integer(8) > 0
      ? [pick(random, ["run", "run", "run", "full", "nothing", "odd.js"])]
      : [];
  const extra = refusedOnly.includes(command) ? ["--nothing"] : [];
  return [command, ...limits, ...playing, ...folder, ...words.map(safe), ...extra];

  /** Numbers that make a valid command run for hours stay out. @param {string} word @param {number} i */
  function safe(word, i) {
    const long = /^--(steps|episodes|max-steps|evaluation-episodes|evaluation-max-steps|horizon)$/.test(
      words[i - 1] ?? "",
    );
    return long && Number(word) > 100 ? "40" : word;
  }
}

/** No system passes a NUL to a process. @param {Random} random */
const oddWord = (random) => pick(random, oddTexts).replaceAll("\u0000", "\ufffd");

/** @param {Random} random @param {string} flag @param {string | null} placeholder */
function valueFor(random, flag, placeholder) {
  if (random.integer(3) === 0) return oddWord(random);
  const numbers = [
    "0",
    "1",
    "2",
    "7",
    "-1",
    "0.5",
    "1e-9",
    "1e9",
    "1e999",
    "NaN",
    "0x10",
    "9007199254740993",
    "1_000",
    "٣",
    "+3",
    "1,5",
  ];
  const paths = [
    "run",
    "full",
    "full/file.txt",
    "odd.js",
    "broken.js",
    "odd.json",
    "nothing.json",
    "new",
    "a/b/c/d",
    "/proc/self/x",
    "/dev/null",
  ];
  switch (placeholder) {
    case "path":
    case "folder":
    case "file":
      return pick(random, paths);
    case "integer":
    case "number":
    case "count":
    case "factor":
    case "rate":
      return pick(random, numbers);
    case "number|schedule":
      return pick(random, [
        ...numbers,
        "0.1:0",
        "0.1@0,0.01@10",
        "0.1@5",
        "0.1@0,0.2@0",
        ":",
        "@",
        "1:2:3",
        "0@0,@",
      ]);
    case "list":
      return pick(random, [
        ...numbers,
        "4,4",
        "4,",
        ",",
        "a=b",
        "maxEpisodeSteps=5",
        "slip=0.1,slip=0.2",
        "layout=",
        "1,".repeat(5000),
      ]);
    case "true|false":
      return pick(random, ["true", "false", "yes", "TRUE", "1"]);
    default: {
      const alternatives = (placeholder ?? "").split("|").filter((word) => /^[a-z0-9-]+$/.test(word));
      const names =
        flag === "--env"
          ? environmentIds
          : ["a2c", "npg", "mlp", "adam", "wasm", "reference", "sample", "best"];
      return pick(random, [...alternatives, ...names, ...paths]);
    }
  }
}
