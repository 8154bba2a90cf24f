import { Command } from "commander";
import { defaultNetwork, defaultOptimiser, type EnvironmentFamily, familiesText } from "softrl";
import type { RunParts } from "../parts/run-parts.js";
import { draftRun, type RunDraft } from "../runs/run-plan.js";
import { AT_MOST_SEEDS } from "../sweeps/seed-list.js";
import { addPartOption } from "./part-options.js";
import type { OptionValues } from "./plain-options.js";
import {
  addHiddenOptions,
  addSettingOptions,
  foreignOptions,
  heading,
  type SettingOption,
  settingOptions,
} from "./setting-options.js";

const RUN_FOLDER = "where to write the run: a new or empty folder (default: a numbered one in runs/)";
export const TENSORBOARD = "also write the events for TensorBoard, into the run folder";
export const JSON_LINE = "print the result as one line of JSON";
export const EXECUTOR =
  "the backend: native (compiled for this machine), wasm, wasm-relaxed (wasm with fused multiply-add: faster, rounds differently, from Node.js 22 on), or reference (float64, slow) (default: SOFTRL_EXECUTOR, else native where it works, else wasm)";
const CONFIG = "a JSON file of settings, for instance a run folder's config.json; options override it";
/** The option that saves the time that drawing takes. */
export const NO_CHART = "do not draw the charts; softrl report draws them afterwards";
export const JOBS =
  "how many runs train at once, each in its own process (default: as many as fit the cores)";
const SEEDS = `train with each of these seeds, such as 1..5 or 1,2,7, ${AT_MOST_SEEDS}, in a folder with a run folder for each`;

export const SCHEDULE =
  "A schedule is 0.1:0.01 (linear over the run), 0.1:0.01:0.5 (over half of it) or 0.1@0,0.01@10000 (from these steps on).";

/** Declares all options of `softrl train`. */
export function addTrainOptions(command: Command, parts: RunParts): void {
  addFiles(command);
  command.option("--no-chart", NO_CHART);
  const options = settingOptions(parts);
  command.optionsGroup(heading("environment", parts));
  addPartOption(command, "environment", "CartPole-v1", parts);
  addSettingOptions(command, options, "environment", parts);
  addAlgorithm(command, options, parts);
  addShared(command, options, parts);
  command.optionsGroup("Several seeds:");
  command.option("--seeds <list>", SEEDS).option("--jobs <count>", JOBS);
  addHiddenOptions(command, foreignOptions(parts, options));
  command.addHelpText("after", `\n${SCHEDULE}`);
}

/**
 * Reads arguments as `softrl train` does.
 * @throws SoftrlError for a part that cannot be found, CommanderError for an option that there is not.
 */
export async function readTrainArguments(
  args: readonly string[],
): Promise<{ readonly values: OptionValues; readonly draft: RunDraft }> {
  const draft = await draftRun(args);
  const command = new Command("train").exitOverride().configureOutput({ writeErr: () => {} });
  addTrainOptions(command, draft.parts);
  return { draft, values: command.parse(args, { from: "user" }).opts() };
}

/** The options that the user gave, as arguments, by the option's name. */
export function givenArguments(command: Command): ReadonlyMap<string, string> {
  return new Map(
    command.options.flatMap((option) => {
      const name = option.attributeName();
      if (command.getOptionValueSource(name) !== "cli") return [];
      const value: unknown = command.getOptionValue(name);
      const flag = option.long ?? "";
      return [[name, typeof value === "string" ? `${flag}=${value}` : flag]];
    }),
  );
}

/** The options that name files, and what is written. */
export function addFiles(command: Command): void {
  command
    .option("-c, --config <file>", CONFIG)
    .option("-o, --run-folder <path>", RUN_FOLDER)
    .option("--tensorboard", TENSORBOARD)
    .option("--json", JSON_LINE);
}

/** The option that names the algorithm, and those of its settings. */
function addAlgorithm(command: Command, options: readonly SettingOption[], parts: RunParts): void {
  command.optionsGroup(heading("algorithm", parts));
  addPartOption(command, "algorithm", "a2c", parts);
  addSettingOptions(command, options, "algorithm", parts);
}

/** The options of the network, the optimiser and the run. */
export function addShared(command: Command, options: readonly SettingOption[], parts: RunParts): void {
  command.optionsGroup(heading("network", parts));
  const { algorithm, network } = parts.kinds;
  const networkOf = (family: EnvironmentFamily) => defaultNetwork(algorithm, family);
  const optimiserOf = (family: EnvironmentFamily) => {
    const kind = parts.known.network.find(({ name }) => name === networkOf(family)) ?? network;
    return defaultOptimiser(algorithm, family, kind);
  };
  addPartOption(command, "network", familiesText(networkOf), parts);
  addSettingOptions(command, options, "network", parts);
  command.optionsGroup(heading("optimiser", parts));
  addPartOption(command, "optimiser", familiesText(optimiserOf), parts);
  addSettingOptions(command, options, "optimiser", parts);
  command.optionsGroup("Run:");
  addSettingOptions(command, options, "run", parts);
  command.option("--executor <name>", EXECUTOR);
}
