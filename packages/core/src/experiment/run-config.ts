import type { AlgorithmKind } from "../algorithms/algorithm.js";
import { builtInAlgorithms } from "../algorithms/registry.js";
import { fail } from "../base/errors.js";
import { suggestion } from "../base/near-match.js";
import {
  choiceSetting,
  type EnvironmentFamily,
  integerSetting,
  namedScalarsSetting,
  type Setting,
  type Settings,
  type SettingValue,
  type ValuesOf,
} from "../base/settings.js";
import { atariProtocols } from "../envs/atari/protocol.js";
import type { Box, Space } from "../envs/spaces.js";
import { isTable } from "../envs/tables/table-ids.js";
import { builtInNetworks, inputSettings, type NetworkKind } from "../nn/network-kind.js";
import { builtInOptimisers, type OptimiserKind, stepSettings } from "../optim/optimiser-kind.js";
import type { Executor } from "../tensor/executor.js";

/** The settings of every run. */
export const runSettings = {
  steps: integerSetting({
    about: "environment steps to train for, all environments together, rounded up to whole rollouts",
    low: 1,
    defaults: { vector: 500_000, atari: 10_000_000, minatar: 5_000_000 },
    source: "Atari: 40M frames (Schulman et al. 2017); MinAtar: Young and Tian (2019)",
  }),
  seed: integerSetting({
    about: "the only source of randomness: the same seed gives the same run",
    low: 0,
    default: 1,
  }),
  checkpointEvery: integerSetting({
    about: "environment steps between two checkpoints; 0 writes one at the end only",
    low: 0,
    defaults: { vector: 100_000, atari: 1_000_000 },
  }),
  logEvery: integerSetting({
    about: "environment steps between two update events, each the mean of the updates since the last one",
    low: 1,
    defaults: { vector: 2_000, atari: 10_000 },
  }),
  oracleEvery: integerSetting({
    about:
      "environment steps between two measurements of V, Q, π, the regret and both gradients against the exact process, where the environment has one; 0 measures nothing",
    low: 0,
    default: 0,
  }),
  evaluateEvery: integerSetting({
    about:
      "environment steps between two evaluations of the policy in environments of its own, without any effect on the training; 0 disables evaluation",
    low: 0,
    default: 0,
  }),
  evaluationEpisodes: integerSetting({
    about: "whole episodes that each evaluation plays",
    low: 1,
    default: 10,
  }),
  evaluationMode: choiceSetting(["sample", "mode"], {
    about: "how evaluations act: with actions drawn from the policy (sample), or its most likely one (mode)",
    default: "sample",
  }),
  evaluationMaxSteps: integerSetting({
    about: "steps after which an evaluation cuts an episode, so that it always ends",
    low: 1,
    defaults: { vector: 10_000, atari: 27_000 },
    source: "Atari: 108,000 frames (Machado et al. 2018)",
  }),
};

/** The settings of {@link runSettings} that only a run with `evaluateEvery` reads. */
const evaluationSettings = ["evaluationEpisodes", "evaluationMode", "evaluationMaxSteps"] as const;

/** The settings of every environment. */
export const environmentSettings = {
  count: integerSetting({
    about: "environments stepped together, S",
    option: "envs",
    low: 1,
    high: 4096,
    defaults: { vector: 8, atari: 16 },
    source: "stable-baselines3's zoo; Atari: the A2C that the paper used (§6.3)",
  }),
  options: namedScalarsSetting({
    about:
      "options of the environment as name=value, separated by commas: those of docs/environments.md, or the keyword arguments of Gymnasium's make",
    option: "env-options",
  }),
};

/** The settings of Atari's environments besides {@link environmentSettings}. */
export const atariSettings = {
  atariProtocol: choiceSetting(atariProtocols, {
    about:
      "the rules of a game: classic, with no-ops at the start and training episodes that end with a life; or sticky, with sticky actions and whole games (Machado et al. 2018)",
    default: "classic",
    source: "the paper predates the sticky protocol",
  }),
};

/** A section whose first entry is the name of a kind, followed by the kind's settings. */
export interface KindSection {
  readonly name: string;
  /** The file that the kind was loaded from, where it is not built in. */
  readonly module?: string;
  readonly [setting: string]: SettingValue | undefined;
}

/** Everything that decides a run's bytes: what `config.json` and a checkpoint hold. */
export interface RunConfig {
  readonly run: ValuesOf<typeof runSettings> & ExecutorIdentity;
  readonly environment: ValuesOf<typeof environmentSettings> & {
    readonly id: string;
    readonly module?: string;
    readonly atariProtocol?: ReturnType<(typeof atariSettings)["atariProtocol"]["check"]>;
  };
  readonly network: KindSection;
  readonly optimiser: KindSection;
  readonly algorithm: KindSection;
}

/** What decides the bytes of an executor's arithmetic. */
export interface ExecutorIdentity {
  readonly executor: string;
  readonly precision: "float32" | "float64";
  /** Of the native executor: its sums are grouped by the width of a vector. */
  readonly instructionSet?: string;
}

/** The name of a section of {@link RunConfig}. */
export type SectionName = keyof RunConfig;

/** The names of all sections, in the order of config.json. */
export const sectionNames: readonly SectionName[] = [
  "run",
  "environment",
  "network",
  "optimiser",
  "algorithm",
];

/** Settings chosen by section and name, unchecked; all others get their defaults. */
export type ChosenSettings = { readonly [Section in SectionName]?: Readonly<Record<string, unknown>> };

/** The kinds that a run is made of. */
export interface RunKinds {
  readonly algorithm: AlgorithmKind;
  readonly network: NetworkKind;
  readonly optimiser: OptimiserKind;
}

/** The kinds among which the owner of a setting is looked for. */
export type KnownKinds = { readonly [Kind in keyof RunKinds]: readonly RunKinds[Kind][] };

/** The kinds that softrl ships. */
export const builtInKinds: KnownKinds = {
  algorithm: builtInAlgorithms,
  network: builtInNetworks,
  optimiser: builtInOptimisers,
};

/** The family that an environment's id belongs to. */
export function environmentFamily(id: string): EnvironmentFamily {
  if (id.startsWith("MinAtar/")) return "minatar";
  if (isTable(id)) return "table";
  // Every other id of Atari's gives raw pictures or the console's memory.
  return /^(ALE\/\w+-v5|\w+NoFrameskip-v\d+)$/.test(id) ? "atari" : "vector";
}

/** The built-in network for observations of this space: by the size of images, and else `mlp`. */
export function networkForSpace(space: Space): string {
  if (!isImage(space)) return "mlp";
  const [, rows, columns] = [...space.shape].sort((a, b) => a - b);
  return Math.min(rows, columns) >= 36 ? "nature-cnn" : "minatar-cnn";
}

/** Whether observations have the three axes of an image. */
export const isImage = (space: Space): space is Box => space.kind === "box" && space.shape.length === 3;

/** The settings of each section of a run with these kinds and this environment. */
export function sectionSettings(
  kinds: RunKinds,
  environmentId: string,
): Readonly<Record<SectionName, Settings>> {
  return {
    run: runSettings,
    environment: environmentSettingsOf(environmentFamily(environmentId)),
    network: { ...inputSettings, ...kinds.network.settings },
    optimiser: { ...stepSettings, ...kinds.optimiser.settings },
    algorithm: kinds.algorithm.settings,
  };
}

/**
 * The default of a setting in a run with these kinds: the algorithm's own, or the setting's. An algorithm's own defaults
 * for a network or an optimiser are those of the one that it has by default. An optimiser's and an algorithm's follow what the network is made for.
 */
export function defaultOf(
  kinds: RunKinds,
  family: EnvironmentFamily,
  section: SectionName,
  name: string,
  setting: Setting,
): SettingValue {
  const learned = learningFamily(kinds.network, family, section);
  const standard = setting.defaults[setting.ofObservations ? family : learned];
  if (section === "algorithm") return standard;
  const own = kinds.algorithm.defaults?.(learned)[section];
  const isOther =
    (section === "network" || section === "optimiser") && kinds[section].name !== defaultKind(section);
  return isOther ? standard : (own?.[name] ?? standard);

  function defaultKind(of: "network" | "optimiser"): string {
    return of === "network"
      ? defaultNetwork(kinds.algorithm, family)
      : defaultOptimiser(kinds.algorithm, family, kinds.network);
  }
}

/**
 * The family whose defaults a section takes: the environment's, unless the network is made for other observations. An
 * environment of no known family whose observations are read as images is learned from as Atari is.
 */
function learningFamily(
  { reads }: NetworkKind,
  family: EnvironmentFamily,
  section: SectionName,
): EnvironmentFamily {
  const givesImages = family === "atari" || family === "minatar";
  if (section === "optimiser" && reads === "vectors") return givesImages ? "vector" : family;
  const isLearned = section === "optimiser" || section === "algorithm";
  return isLearned && reads === "images" && !givesImages ? "atari" : family;
}

/** The name of the network that a family of environments has by default. */
export const defaultNetworks: Readonly<Record<EnvironmentFamily, string>> = {
  vector: "mlp",
  table: "mlp",
  atari: "nature-cnn",
  minatar: "minatar-cnn",
};

/** The name of the network that an algorithm has by default. */
export function defaultNetwork(algorithm: AlgorithmKind, family: EnvironmentFamily): string {
  const name = algorithm.defaults?.(family).network?.name;
  return typeof name === "string" ? name : defaultNetworks[family];
}

/** The name of the optimiser that an algorithm has by default for an environment's family, with this network. */
export function defaultOptimiser(
  algorithm: AlgorithmKind,
  family: EnvironmentFamily,
  network: NetworkKind,
): string {
  const name = algorithm.defaults?.(learningFamily(network, family, "optimiser")).optimiser?.name;
  return typeof name === "string" ? name : "rmsprop";
}

/** The run that {@link runConfig} completes. */
export interface RunChoice {
  readonly kinds: RunKinds;
  /** Where a kind was loaded from, if it is not built in. */
  readonly modules?: { readonly [Kind in keyof RunKinds | "environment"]?: string };
  readonly environment: string;
  /** Whose defaults it takes; the family of the environment's id if left out. */
  readonly family?: EnvironmentFamily;
  readonly executor: Pick<Executor, "name" | "precision" | "instructionSet">;
  readonly chosen?: ChosenSettings;
  /** The kinds that an error names as the owners of a setting; the built-in ones if left out. */
  readonly known?: KnownKinds;
}

/**
 * The complete configuration of a run: what was chosen, checked, and the defaults of the algorithm and the
 * environment's family for everything else.
 * @param where what an error names for a setting of a section, for instance `config.json: algorithm.tau`
 * @throws SoftrlError for an unknown setting or a value out of range.
 */
export function runConfig(
  { kinds, modules = {}, environment, executor, chosen = {}, known = builtInKinds, ...choice }: RunChoice,
  where: (section: SectionName, name: string) => string = (section, name) => `${section}.${name}`,
): RunConfig {
  const { family = environmentFamily(environment) } = choice;
  const settings = sectionSettings(kinds, environment);
  requireSections(chosen);
  requireDefaults(kinds, family, settings);
  const values = <S extends Settings>(section: SectionName, table: S): ValuesOf<S> => {
    const given = chosen[section] ?? {};
    for (const name of Object.keys(given)) {
      if (Object.hasOwn(table, name)) continue;
      const owner = ownerOf(section, kinds, environment);
      const owners = ownersOf(section, (candidate) => candidate === name, known);
      const home = owners === null ? homeOf(section, name, settings, known) : null;
      refuseUnknown(where(section, name), name, owner, owners ?? home, table);
    }
    const complete = Object.entries(table).map(([name, setting]) => {
      const chosenValue = Object.hasOwn(given, name) ? given[name] : undefined;
      const value =
        chosenValue === undefined ? defaultOf(kinds, family, section, name, setting) : chosenValue;
      return [name, setting.check(where(section, name), value)];
    });
    return Object.fromEntries(complete);
  };
  const kindSection = (section: "network" | "optimiser" | "algorithm"): KindSection => ({
    name: kinds[section].name,
    ...(modules[section] === undefined ? {} : { module: modules[section] }),
    ...values(section, settings[section]),
  });
  const run = values("run", runSettings);
  if (run.evaluateEvery === 0) {
    for (const name of evaluationSettings) {
      // A configuration holds every default, maybe of another environment.
      if (Object.values(runSettings[name].defaults).some((value) => value === run[name])) continue;
      const every = where("run", "evaluateEvery");
      fail(where("run", name), `this setting has no effect without ${every}`, {
        got: String(run[name]),
        remedy: `set ${every} above 0, or leave this setting out`,
      });
    }
  }
  return {
    run: { ...run, ...executorIdentity(executor) },
    environment: {
      id: environment,
      ...(modules.environment === undefined ? {} : { module: modules.environment }),
      ...values("environment", environmentSettingsOf(environmentFamily(environment))),
    },
    network: kindSection("network"),
    optimiser: kindSection("optimiser"),
    algorithm: kindSection("algorithm"),
  };
}

/** @throws SoftrlError for a section that no configuration has. */
function requireSections(chosen: ChosenSettings): void {
  for (const section of Object.keys(chosen)) {
    if (sectionNames.some((name) => name === section)) continue;
    fail("settings", `unknown section ${JSON.stringify(section)}`, {
      expected: sectionNames.join(", "),
      remedy: suggestion(section, sectionNames),
    });
  }
}

/** @throws SoftrlError where an algorithm has a default of its own for a setting that the run does not have. */
function requireDefaults(
  kinds: RunKinds,
  family: EnvironmentFamily,
  settings: Readonly<Record<SectionName, Settings>>,
): void {
  const { algorithm } = kinds;
  for (const section of ["run", "environment", "network", "optimiser"] as const) {
    const isKind = section === "network" || section === "optimiser";
    if (section === "network" && kinds.network.name !== defaultNetwork(algorithm, family)) continue;
    const optimiser = defaultOptimiser(algorithm, family, kinds.network);
    if (section === "optimiser" && kinds.optimiser.name !== optimiser) continue;
    const defaults = algorithm.defaults?.(learningFamily(kinds.network, family, section)) ?? {};
    for (const name of Object.keys(defaults[section] ?? {})) {
      if ((isKind && name === "name") || Object.hasOwn(settings[section], name)) continue;
      fail(algorithm.name, `has a default for ${section}.${name}, which does not exist`, {
        expected: Object.keys(settings[section]).join(", "),
        remedy: "correct the algorithm's defaults",
      });
    }
  }
}

/** The part of an executor that a configuration holds. */
export function executorIdentity({
  name,
  precision,
  instructionSet,
}: Pick<Executor, "name" | "precision" | "instructionSet">): ExecutorIdentity {
  return { executor: name, precision, ...(instructionSet === undefined ? {} : { instructionSet }) };
}

function environmentSettingsOf(
  family: EnvironmentFamily,
): typeof environmentSettings & Partial<typeof atariSettings> {
  return family === "atari" ? { ...environmentSettings, ...atariSettings } : environmentSettings;
}

/** The kind or the environment whose settings a section holds. */
function ownerOf(section: SectionName, kinds: RunKinds, environment: string): string {
  if (section === "run") return "the section run";
  return section === "environment" ? environment : kinds[section].name;
}

/**
 * The kinds that have such a setting, as a remedy: `npg has`, `adam and radam have`; null if none has.
 * @param isIt whether a setting is the one that is looked for
 */
export function ownersOf(
  section: SectionName,
  isIt: (name: string, setting: Setting) => boolean,
  known: KnownKinds = builtInKinds,
): string | null {
  const hasIt = (settings: Settings) =>
    Object.entries(settings).some(([name, setting]) => isIt(name, setting));
  if (section === "run") return null;
  if (section === "environment") return hasIt(atariSettings) ? "Atari's environments have" : null;
  const kinds: readonly { readonly name: string; readonly settings: Settings }[] = known[section];
  const owners = kinds.filter(({ settings }) => hasIt(settings)).map((kind) => kind.name);
  const last = owners.pop();
  if (last === undefined) return null;
  return owners.length === 0 ? `${last} has` : `${owners.join(", ")} and ${last} have`;
}

/** Where a setting belongs that is none of its section's; null where no section has one of this name. */
function homeOf(
  section: SectionName,
  name: string,
  settings: Readonly<Record<SectionName, Settings>>,
  known: KnownKinds,
): { readonly fault: string } | null {
  const key = section === "environment" ? "id" : "name";
  if (section !== "run" && (name === "id" || name === "name")) {
    return { fault: `${section === "network" ? "a" : "an"} ${section} is named by ${key}` };
  }
  const isIt = (candidate: string) => candidate === name;
  const home =
    sectionNames.find((other) => Object.hasOwn(settings[other], name)) ??
    sectionNames.find((other) => ownersOf(other, isIt, known) !== null);
  return home === undefined ? null : { fault: `this setting belongs in the section ${home}` };
}

/** @param owners the kinds that have the setting, as a remedy; or what is wrong where it is in the wrong section */
function refuseUnknown(
  where: string,
  name: string,
  owner: string,
  owners: string | { readonly fault: string } | null,
  table: Settings,
): never {
  const details = { code: "unknown-setting", setting: name } as const;
  if (owners !== null && typeof owners !== "string") return fail(where, owners.fault, details);
  const names = Object.keys(table);
  const remedy = names.length === 0 ? "leave it out" : suggestion(name, names);
  return fail(where, `${owner} has no setting ${JSON.stringify(name)}`, {
    ...details,
    remedy: owners ?? remedy,
  });
}
