import { Command } from "commander";
import { MOST_EPISODE_STEPS, oneLine, SoftrlError, version } from "softrl";
import { compareCommand, draftComparison } from "./commands/compare.js";
import { csvCommand } from "./commands/csv.js";
import { doctorCommand } from "./commands/doctor.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { exportCommand } from "./commands/export.js";
import { plotCommand } from "./commands/plot.js";
import { recordCommand } from "./commands/record.js";
import { reportCommand } from "./commands/report.js";
import { draftResume, liveOptions, type ResumeDraft, resumeCommand } from "./commands/resume.js";
import { setupGymnasiumCommand } from "./commands/setup.js";
import { sweepCommand } from "./commands/sweep.js";
import { tensorboardCommand } from "./commands/tensorboard.js";
import { theoryCommand } from "./commands/theory.js";
import { trainCommand } from "./commands/train.js";
import { trainSeedsCommand } from "./commands/train-seeds.js";
import { verifyCommand } from "./commands/verify.js";
import { watchCommand } from "./commands/watch.js";
import { workCommand } from "./commands/work.js";
import { aliasHint } from "./options/aliases.js";
import { addPartOption } from "./options/part-options.js";
import type { OptionValues } from "./options/plain-options.js";
import {
  addHiddenOptions,
  addSettingOptions,
  foreignOptions,
  heading,
  type SettingOption,
  settingOptions,
} from "./options/setting-options.js";
import {
  addFiles,
  addShared,
  addTrainOptions,
  EXECUTOR,
  givenArguments,
  JOBS,
  JSON_LINE,
  NO_CHART,
  SCHEDULE,
  TENSORBOARD,
} from "./options/train-options.js";
import { type KindName, kindNames } from "./parts/kind-shape.js";
import { draftRun } from "./runs/run-plan.js";
import { AT_MOST_SEEDS } from "./sweeps/seed-list.js";
import type { Terminal } from "./terminal/terminal.js";

const RUNS = "run folders, or folders with run folders in them";

const WITHOUT_REPLAY =
  "leave out a replay that is missing or damaged: it starts empty, and the result is not that of the run that never stopped";
const TRUST =
  "execute the code that the run names, also where nothing shows that softrl wrote it on this account";

const POLICY =
  "the policy of the newest checkpoint (checkpoint), or of the best or the newest evaluation of a run with --evaluate-every (best, last)";

/** What a command does: its promise gives the exit code. */
type Run = (command: Promise<number>) => Promise<void>;

/**
 * The command line. A command's options are those of the algorithm, the environment, the network and the optimiser
 * that the arguments name, so that it is built for these arguments.
 * @throws SoftrlError for a part that is unknown or whose file cannot be loaded.
 */
export async function program(args: readonly string[], terminal: Terminal, run: Run): Promise<Command> {
  const at = args.findIndex((argument) => !argument.startsWith("-"));
  const name = args[at];
  const optionsOf = (command: string | undefined) =>
    root.commands.find((each) => each.name() === command)?.options.map(({ long }) => long ?? "") ?? [];
  const root: Command = new Command("softrl")
    .description("Policy gradients and soft Q-learning: one algorithm seen from two sides.")
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void terminal.out.write(text),
      writeErr: (text) => void terminal.err.write(text),
      outputError: (text, write) => {
        const message = oneLine(text.replace(/^error: /, "").trimEnd(), 1000);
        write(`softrl: ${aliasHint(message, optionsOf(name)) ?? `${message}; use --help for a list`}\n`);
      },
    });
  const argumentsOf = (command: string) => (name === command ? args.slice(at + 1) : []);
  await addTrain(root, argumentsOf("train"), terminal, run);
  addSweep(root, terminal, run);
  addWork(root, terminal, run);
  await addCompare(root, argumentsOf("compare"), terminal, run);
  await addResume(root, argumentsOf("resume"), terminal, run);
  addEvaluate(root, terminal, run);
  addRecord(root, terminal, run);
  addWatch(root, terminal, run);
  addReport(root, terminal, run);
  addExport(root, terminal, run);
  addTables(root, terminal, run);
  addChecks(root, terminal, run);
  return root;
}

async function addTrain(root: Command, args: readonly string[], terminal: Terminal, run: Run): Promise<void> {
  const draft = await draftRun(args);
  const { parts } = draft;
  const command = root
    .command("train")
    .description(
      "train an algorithm and write the run to a folder; the options are those of the chosen algorithm, environment, network and optimiser",
    );
  addTrainOptions(command, parts);
  command.action((values: OptionValues) => {
    const isOfSeeds = values.seeds !== undefined || values.jobs !== undefined;
    if (!isOfSeeds) return run(trainCommand(values, draft, terminal));
    return run(trainSeedsCommand(values, draft, givenArguments(command), terminal));
  });
}

function addSweep(root: Command, terminal: Terminal, run: Run): void {
  root
    .command("sweep")
    .description("train every run of a definition that has no result yet, and write the results as tables")
    .argument(
      "<definition>",
      "a JSON file, a file that exports a definition, or a folder with runs.json in it",
    )
    .option("-o, --out <folder>", "where to write the tables (default: the definition's folder)")
    .option("--jobs <count>", JOBS)
    .option("--keep-runs", "keep the run folders of finished runs, in runs/ beside the tables")
    .option(
      "--queue <url>",
      "queue the runs in this Redis server for softrl work on any machine, such as redis://host:6379",
    )
    .option("--slurm <script>", "train nothing: write a Slurm array script that trains the runs on a cluster")
    .option(
      "--only <keys>",
      "train the runs with these keys and leave their folders in runs/; Slurm's script does so",
    )
    .option("--fresh", "train runs again whose results have other settings or another version")
    .option("--json", JSON_LINE)
    .action((definition: string, values: OptionValues) => run(sweepCommand(definition, values, terminal)));
}

function addWork(root: Command, terminal: Terminal, run: Run): void {
  root
    .command("work")
    .description("train runs that softrl sweep --queue has queued, until you press Ctrl-C")
    .argument("<url>", "the Redis server, such as redis://host:6379")
    .option("--jobs <count>", JOBS)
    .option(
      "--runs <folder>",
      "where to write the run folders; workers that share it continue each other's runs",
      "queued-runs",
    )
    .option("--trust", "also train runs that load files, or environments that are not built in")
    .action((url: string, values: OptionValues) => run(workCommand(url, values, terminal)));
}

async function addCompare(
  root: Command,
  args: readonly string[],
  terminal: Terminal,
  run: Run,
): Promise<void> {
  const drafts = await draftComparison(args);
  const command = root
    .command("compare")
    .description(
      "train algorithms side by side with the same seeds and settings: A2C and soft Q-learning, or others",
    );
  addFiles(command);
  command.option(
    "--algorithms <names>",
    "what is compared, names or files with commas between (default: a2c,soft-q)",
  );
  command.option(
    "--seeds <list>",
    `a run of each algorithm for each seed, such as 1..5 or 1,2,7, ${AT_MOST_SEEDS}`,
  );
  command.option(
    "--subtract-gap",
    "soft Q-learning descends its loss minus the gap of §4, in float64: its parameters then equal A2C's after every update",
  );
  const [{ parts }] = drafts;
  const all = drafts.map((draft) => settingOptions(draft.parts));
  const common = all[0].filter(({ flag }) =>
    all.every((others) => others.some((other) => other.flag === flag)),
  );
  command.optionsGroup(heading("environment", parts));
  addPartOption(command, "environment", "CartPole-v1", parts);
  addSettingOptions(command, common, "environment", parts);
  const names = drafts.map((draft) => draft.parts.kinds.algorithm.name);
  command.optionsGroup(`Algorithms ${names.join(" and ")}:`);
  addSettingOptions(command, common, "algorithm", parts);
  addShared(command, common, parts);
  for (const [i, draft] of drafts.entries()) addHiddenOptions(command, foreignOptions(draft.parts, all[i]));
  command.addHelpText("after", `\n${SCHEDULE}`);
  command.action((values: OptionValues) => run(compareCommand(values, drafts, terminal)));
}

async function addResume(
  root: Command,
  args: readonly string[],
  terminal: Terminal,
  run: Run,
): Promise<void> {
  const draft = await draftResume(args);
  const { parts } = draft;
  const command = root
    .command("resume")
    .description(
      "continue a run from its last checkpoint, as if it had never stopped; options change settings from there on",
    )
    .argument("<run-folder>", "the folder of a training run")
    .option("--trust", TRUST)
    .option("--without-replay", WITHOUT_REPLAY)
    .option("--tensorboard", `${TENSORBOARD}; a run that did so goes on to`)
    .option("--no-chart", NO_CHART)
    .option("--json", JSON_LINE);
  const live = liveOptions(parts);
  for (const section of ["run", "optimiser", "algorithm"] as const) {
    command.optionsGroup(heading(section, parts));
    addSettingOptions(
      command,
      live,
      section,
      parts,
      (option) => `${option.setting.about}${now(draft, option)}`,
      // The rest of a run cannot start a schedule.
      ({ setting }) => (setting.live ? "number" : setting.placeholder),
    );
  }
  addMovedFiles(command);
  const all = settingOptions(parts);
  addHiddenOptions(command, [...all, ...foreignOptions(parts, all)]);
  command.addHelpText("after", "\nExtending a run stretches its linear schedules.");
  command.action((folder: string, values: OptionValues) =>
    run(resumeCommand(folder, values, draft, terminal)),
  );
}

/** The value of a live setting in the run that is named: ` (now 0.01)`. */
function now({ run }: ResumeDraft, { section, name, setting }: SettingOption): string {
  if (run === null) return "";
  const value = run.changed[name] ?? run.config.chosen[section]?.[name];
  try {
    return ` (now ${setting.toText(setting.check(run.where(section, name), value))})`;
  } catch (error) {
    // The command itself refuses the value, and says more.
    if (error instanceof SoftrlError) return "";
    throw error;
  }
}

const moved: Readonly<Record<KindName, string>> = {
  algorithm: "-a, --algorithm <file>",
  environment: "-e, --env <file>",
  network: "--network <file>",
  optimiser: "--optimiser <file>",
};

/** Options that name the moved files of a run. */
function addMovedFiles(command: Command): void {
  command.optionsGroup("Files that were moved since the run was started:");
  for (const which of kindNames) command.option(moved[which], `the file that exports the ${which}`);
}

function addEvaluate(root: Command, terminal: Terminal, run: Run): void {
  const command = root
    .command("evaluate")
    .description("play whole episodes with the policy of a run")
    .argument("<run-folder>", "the folder of a training run")
    .option("--episodes <count>", "episodes to play", "100")
    .option(
      "--max-steps <count>",
      "cut each episode after so many steps; its return so far counts",
      String(MOST_EPISODE_STEPS),
    );
  addPlaying(command);
  command.action((folder: string, values: OptionValues) => run(evaluateCommand(folder, values, terminal)));
}

function addRecord(root: Command, terminal: Terminal, run: Run): void {
  const command = root
    .command("record")
    .description("film whole episodes of the policy of a run")
    .argument("<run-folder>", "the folder of a training run")
    .option(
      "--out <path>",
      "a new file that ends in .gif, or a new or empty folder for PNG frames",
      "recording.gif",
    )
    .option("--overwrite", "replace an earlier film of this name")
    .option("--episodes <count>", "episodes to film, one after the other", "1")
    .option("--max-steps <count>", "maximum number of steps", "1000")
    .option("--scale <factor>", "screen pixels per pixel and side", "1")
    .option("--fps <rate>", "steps shown per second, 1 to 50", "20")
    .option("--tensorboard", "also write the film for TensorBoard, into the run folder");
  addPlaying(command);
  command.action((folder: string, values: OptionValues) => run(recordCommand(folder, values, terminal)));
}

function addWatch(root: Command, terminal: Terminal, run: Run): void {
  root
    .command("watch")
    .description(
      "show runs while they train, on a page of this machine: curves, the settings that differ, configs, films",
    )
    .argument("[runs...]", `${RUNS}, also ones where no run has begun yet (default: runs)`)
    .option("--port <number>", "the port to listen on; 0 takes a free one", "0")
    .option("--json", "print the page's address as one line of JSON")
    .action((runs: string[], values: OptionValues) => run(watchCommand(runs, values, terminal)));
}

function addReport(root: Command, terminal: Terminal, run: Run): void {
  root
    .command("report")
    .description(
      "write the result and the pictures of a run again, from its checkpoint and its events; of a sweep or several runs, write an HTML page",
    )
    .argument("<runs...>", `a run folder; or the folder of a sweep, ${RUNS}`)
    .option("-o, --out <file>", "write a page of this name, which ends in .html (default: report.html)")
    .option("--overwrite", "replace an earlier page of this name")
    .option("--json", JSON_LINE)
    .action((runs: string[], values: OptionValues) => run(reportCommand(runs, values, terminal)));
}

function addExport(root: Command, terminal: Terminal, run: Run): void {
  const command = root
    .command("export")
    .description(
      "write the policy of a run for programs without softrl: an ONNX model, or a JavaScript module",
    )
    .argument("<run-folder>", "the folder of a training run")
    .option("--to <format>", "onnx, for ONNX Runtime and others, or js, a module without imports for a page")
    .option("-o, --out <file>", "a new file (default: policy.onnx or policy.js)")
    .option("--overwrite", "replace an earlier file of this name")
    .option(
      "--outputs <names>",
      "policy (log π), value (V) and q (Q), separated by commas (default: all that the policy has)",
    )
    .option("--weights-file", "with --to js: write the weights into a file beside the module, not into it")
    .option("--policy <name>", POLICY, "checkpoint")
    .option("--trust", TRUST)
    .option("--json", JSON_LINE);
  addMovedFiles(command);
  command.action((folder: string, values: OptionValues) => run(exportCommand(folder, values, terminal)));
}

/** The commands that show many runs, or write them for other programs. */
function addTables(root: Command, terminal: Terminal, run: Run): void {
  root
    .command("plot")
    .description("draw runs as one figure, with intervals across seeds, in the size of a paper's column")
    .argument("<runs...>", `${RUNS}, or an experiment's results.csv and curves.csv`)
    .option("-o, --out <file>", "a new file that ends in .svg, .png or .pdf", "figure.svg")
    .option("--overwrite", "replace an earlier figure of this name")
    .option(
      "--kind <kind>",
      "learning curves (curves), final scores (bars), a performance profile (profile), or metrics over all environments (aggregates)",
      "curves",
    )
    .option("--statistic <name>", "of the seeds: their mean, or their interquartile mean (iqm)", "mean")
    .option(
      "--variant <name>",
      "draw only this variant, and others that are named so, in this order",
      (name: string, names: readonly string[] = []) => [...names, name],
    )
    .option("--width <millimetres>", "85 is a column of many papers, 170 a page", "85")
    .option("--dpi <count>", "pixels per inch of a PNG (default: 300)")
    .option("--theme <theme>", "light, dark, or auto: as the reader's system is", "light")
    .option("--json", JSON_LINE)
    .action((runs: string[], values: OptionValues) => run(plotCommand(runs, values, terminal)));
  root
    .command("tensorboard")
    .description("write the events of runs for TensorBoard: curves and hyper-parameters")
    .argument("<runs...>", RUNS)
    .option("-o, --out <folder>", "write below this folder instead of into the run folders")
    .option("--json", JSON_LINE)
    .action((runs: string[], values: OptionValues) => run(tensorboardCommand(runs, values, terminal)));
  root
    .command("csv")
    .description("write runs as tables for pandas and R: settings, updates, episodes, evaluations, oracle")
    .argument("<runs...>", RUNS)
    .option("-o, --out <folder>", "a new or empty folder", "csv")
    .option("--overwrite", "replace earlier tables")
    .option("--json", JSON_LINE)
    .action((runs: string[], values: OptionValues) => run(csvCommand(runs, values, terminal)));
}

/** The options of both ways to play. */
function addPlaying(command: Command): void {
  command
    .option(
      "--mode <mode>",
      "draw actions from the policy (sample), or take its most likely one (mode)",
      "sample",
    )
    .option("--policy <name>", POLICY, "checkpoint")
    .option("--seed <integer>", "the seed of the episodes' starts and of the actions", "1")
    .option("--executor <name>", EXECUTOR)
    .option("--trust", TRUST)
    .option("--json", JSON_LINE);
  addMovedFiles(command);
}

/** The commands that measure the theory and look at this machine. */
function addChecks(root: Command, terminal: Terminal, run: Run): void {
  root
    .command("verify")
    .description("measure the paper's identities on this machine")
    .option("--mutants", "check that the same measurements catch every named mistake")
    .option("--json", JSON_LINE)
    .action((values: OptionValues) => run(verifyCommand(values, terminal)));

  root
    .command("theory")
    .description("measure the paper's theory exactly, on bandits and random processes")
    .option("-o, --out <folder>", "also write each figure, its numbers and a page that explains them")
    .option("--seed <integer>", "the seed of the random problems", "0")
    .option("--width <millimetres>", "of the figures: 85 is a column of many papers, 170 a page", "85")
    .option("--json", "print the numbers of all figures as one line of JSON")
    .action((values: OptionValues) => run(theoryCommand(values, terminal)));

  root
    .command("doctor")
    .description("report which executors and environments work on this machine, and which executor runs use")
    .option("--json", JSON_LINE)
    .action((values: OptionValues) => run(doctorCommand(values, terminal)));

  root
    .command("setup")
    .description("install optional dependencies")
    .command("gymnasium")
    .description("install Gymnasium and the Arcade Learning Environment into a Python virtual environment")
    .action(() => run(setupGymnasiumCommand(terminal)));
}
