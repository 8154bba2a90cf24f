import {
  type ChosenSettings,
  type Executor,
  type RunConfig,
  requireEffects,
  runConfig,
  type SectionName,
  SoftrlError,
  sectionNames,
} from "softrl";
import { refuseAliases } from "../options/aliases.js";
import { type ConfigFile, partsOfConfig, readConfigFile } from "../options/config-file.js";
import { partsOfOptions, scanArguments } from "../options/part-options.js";
import { type OptionValues, textOption } from "../options/plain-options.js";
import {
  chosenByOptions,
  foreignOptions,
  refuseForeign,
  type SettingOption,
  settingOptions,
} from "../options/setting-options.js";
import { findParts, type NamedParts, type RunParts } from "../parts/run-parts.js";
import { executorOfVariable, makeExecutor, type WantedExecutor } from "./executor.js";
import { type Replacement, withoutReplaced } from "./replaced-parts.js";

/** What an error names for a setting, or for the environment's id: its option, or the file and the key. */
export type Where = (section: SectionName, name: string) => string;

/** A run that is about to begin or to continue. */
export interface RunPlan {
  readonly config: RunConfig;
  readonly parts: RunParts;
  readonly executor: Executor;
  readonly where: Where;
  /** Whether the environments continue from states that are trusted. */
  readonly restores?: boolean;
}

/** A run that is about to begin. */
export interface NewRunPlan extends RunPlan {
  /** The executor that an option or the file of settings names, with the instruction set if that is named, too. */
  readonly chosenExecutor: string | null;
}

/** The parts of a run, and the file of settings, as the arguments name them. */
export interface RunDraft {
  /** The file without the settings of parts that are replaced. */
  readonly file: ConfigFile | null;
  readonly parts: RunParts;
  readonly replacements: readonly Replacement[];
}

/**
 * Finds the parts that the arguments of a command name, by option or in a file of settings.
 * @param imposed parts that the command itself chooses
 */
export async function draftRun(args: readonly string[], imposed: NamedParts = {}): Promise<RunDraft> {
  const values = scanArguments(args);
  const path = textOption(values, "config");
  const file = path === undefined ? null : readConfigFile(path);
  const replacing = { ...partsOfOptions(values), ...imposed };
  if (file === null) return { file, parts: await findParts(replacing), replacements: [] };
  const parts = await findParts({ ...partsOfConfig(file), ...replacing });
  return { parts, ...(await withoutReplaced(file, parts, replacing)) };
}

/**
 * The run that options and the file of settings describe; the options win.
 * @param standard the executor that the command uses unless one is chosen
 * @throws SoftrlError that names the option, or the file and the key.
 */
export async function planRun(
  values: OptionValues,
  { file, parts }: RunDraft,
  imposed: ChosenSettings = {},
  standard: WantedExecutor | null = null,
): Promise<NewRunPlan> {
  const options = settingOptions(parts);
  refuseForeign(values, foreignOptions(parts, options), parts);
  if (file !== null) refuseAliases(file, options);
  const { chosen, given } = chosenByOptions(values, options);
  const { kinds, environment, family, modules, known } = parts;
  const where = whereOf(parts, options, given, file);
  const all = merged(file?.chosen ?? {}, chosen, imposed);
  const wanted = wantedExecutor(values, file);
  const executor = await makeExecutor(wanted ?? executorOfVariable() ?? standard);
  const config = runConfig({ kinds, modules, environment, family, executor, chosen: all, known }, where);
  requireEffects(kinds.algorithm, config.algorithm, (name) => where("algorithm", name));
  const chosenExecutor = wanted === null ? null : [wanted.name, wanted.instructionSet ?? []].flat().join(" ");
  return { config, parts, executor, where, chosenExecutor };
}

/** The executor that an option names, else the file of settings. */
function wantedExecutor(values: OptionValues, file: ConfigFile | null): WantedExecutor | null {
  const name = textOption(values, "executor");
  if (name !== undefined) return { name, where: "--executor" };
  if (file === null) return null;
  const { executor, ...arithmetic } = file.executor;
  if (executor !== undefined) return { name: executor, where: `${file.path}: run.executor`, ...arithmetic };
  const [loose] = Object.keys(arithmetic);
  if (loose === undefined) return null;
  throw new SoftrlError(`${file.path}: run.${loose}`, "this setting needs run.executor", {
    remedy: "name the executor, or leave it out",
  });
}

/** The later settings win, one by one. */
function merged(...all: readonly ChosenSettings[]): ChosenSettings {
  return Object.fromEntries(
    sectionNames.map((section) => [
      section,
      // Assigning to __proto__ would lose that name.
      Object.fromEntries(all.flatMap((chosen) => Object.entries(chosen[section] ?? {}))),
    ]),
  );
}

function whereOf(
  parts: RunParts,
  options: readonly SettingOption[],
  given: readonly SettingOption[],
  file: ConfigFile | null,
): Where {
  return (section, name) => {
    if (section === "environment" && name === "id") return parts.where.environment;
    const isIt = (option: SettingOption) => option.section === section && option.name === name;
    const inFile = file !== null && file.chosen[section]?.[name] !== undefined && !given.some(isIt);
    if (inFile) return `${file.path}: ${section}.${name}`;
    return options.find(isIt)?.flag ?? `${section}.${name}`;
  };
}
