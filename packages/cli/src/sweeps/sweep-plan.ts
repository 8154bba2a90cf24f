import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CommanderError } from "commander";
import { builtInAlgorithms, isRecord, oneLine, type RunConfig, SoftrlError, unreadSettings } from "softrl";
import { readTrainArguments } from "../options/train-options.js";
import { isFile } from "../parts/kind-file.js";
import { type KindName, kindNames } from "../parts/kind-shape.js";
import { planRun } from "../runs/run-plan.js";
import type { SweepDefinition, SweepVariant } from "./definition.js";

/** What a row of the results is of. */
export interface SweepCell {
  readonly variant: string;
  readonly environment: string;
  readonly seed: number;
}

/** A run of a sweep. Variants that come down to the same settings share it. */
export interface PlannedRun {
  /** The rows that it gives, in the order of the definition. */
  readonly cells: readonly SweepCell[];
  /** The address of its content: {@link keyOf} its settings and the version of the code. */
  readonly key: string;
  readonly settings: string;
  /** Of the code that trains it. */
  readonly version: string;
  /** The arguments of `softrl train`, without a run folder. */
  readonly args: readonly string[];
  /** Environment steps. */
  readonly steps: number;
}

/** Every run of a sweep, in the order in which they are trained. */
export interface SweepPlan {
  /** Where the order of the results comes from. */
  readonly cells: readonly SweepCell[];
  readonly runs: readonly PlannedRun[];
  readonly version: string;
}

/** Options that name files, relative to the definition. */
const fileOptions: Readonly<Record<string, KindName>> = { network: "network", optimiser: "optimiser" };

/**
 * Expands a definition. Runs come seed by seed, so that what there is at any time compares all variants.
 * @param version of the code
 * @throws SoftrlError for settings that `softrl train` would refuse, with the name of the variant.
 */
export async function planSweep(definition: SweepDefinition, version: string): Promise<SweepPlan> {
  const planned: { readonly run: PlannedRun; readonly cell: SweepCell }[] = [];
  for (const variant of definition.variants) {
    for (const environment of variant.environments) {
      const { args, settingsOf, steps } = await settle(definition, variant, environment);
      for (const seed of variant.seeds) {
        const cell = { variant: variant.name, environment, seed };
        const settings = settingsOf(seed);
        const key = keyOf(settings, version);
        const run = { cells: [cell], key, settings, version, args: [...args, `--seed=${seed}`], steps };
        planned.push({ run, cell });
      }
    }
  }
  const cells = planned.map(({ cell }) => cell);
  return { cells, runs: mergedRuns(planned.map(({ run }) => run)), version };
}

/** One run for each key, by seed. */
export function mergedRuns(runs: readonly PlannedRun[]): readonly PlannedRun[] {
  const byKey = new Map<string, PlannedRun>();
  for (const run of runs) {
    const known = byKey.get(run.key);
    byKey.set(run.key, known === undefined ? run : { ...known, cells: [...known.cells, ...run.cells] });
  }
  return [...byKey.values()].sort((a, b) => a.cells[0].seed - b.cells[0].seed);
}

/** The run of a variant on an environment but for its seed, as `softrl train` understands it. */
async function settle(
  { path, folder }: SweepDefinition,
  { name, algorithm, options }: SweepVariant,
  environment: string,
): Promise<{
  readonly args: readonly string[];
  readonly settingsOf: (seed: number) => string;
  readonly steps: number;
}> {
  const placed = (which: KindName, value: string) => (isFile(which, value) ? resolve(folder, value) : value);
  const given = Object.entries(options).map(([option, value]) => {
    if (option === "config") return `--config=${resolve(folder, value)}`;
    const which = fileOptions[option];
    return `--${option}=${which === undefined ? value : placed(which, value)}`;
  });
  const args = [
    `--env=${placed("environment", environment)}`,
    `--algorithm=${placed("algorithm", algorithm)}`,
    ...given,
  ];
  try {
    const { values, draft } = await readTrainArguments(args);
    const { config, chosenExecutor } = await planRun(values, draft);
    const settingsOf = (seed: number) => settingsText(config, seed, chosenExecutor);
    return { args, settingsOf, steps: config.run.steps };
  } catch (error) {
    const where = `${path}: variant ${JSON.stringify(name)} on ${environment}`;
    if (error instanceof CommanderError) {
      const what = oneLine(error.message.replace(/^error: /, ""), 300);
      throw new SoftrlError(where, what, { remedy: "run softrl train --help for a list" }, { cause: error });
    }
    if (!(error instanceof SoftrlError)) throw error;
    throw new SoftrlError(where, `${error.where}: ${error.what}`, error.details, { cause: error });
  }
}

/** Settings of the machine: a run counts wherever it was trained. */
const ofMachine: readonly string[] = ["seed", "executor", "precision", "instructionSet"];

/**
 * Everything that a run is defined by, as text: its settings and its seed, the digest of the files that its parts come
 * from instead of their paths, and the executor only where it was chosen. A setting that a built-in algorithm does not
 * read beside the others is left out, so that another default of it leaves the run what it was.
 */
export function settingsText(config: RunConfig, seed: number, executor: string | null): string {
  const sections = Object.entries(JSON.parse(JSON.stringify(config)) as Record<string, unknown>);
  const unread = unreadByBuiltIn(config);
  const own = sections.map(([section, settings]) => {
    if (!isRecord(settings)) return [section, settings];
    const { module, ...others } = settings;
    const entries = Object.entries(others).filter(
      ([name]) =>
        !(section === "run" && ofMachine.includes(name)) && !(section === "algorithm" && unread.has(name)),
    );
    const isPart = kindNames.some((name) => name === section) && typeof module === "string";
    return [section, isPart ? [...entries, ["module", digestOf(module)]] : entries];
  });
  return JSON.stringify([...own, ["seed", seed], ["executor", executor]]);
}

/** The settings that a run's algorithm does not read beside the others; none of an algorithm from a file. */
function unreadByBuiltIn({ algorithm }: RunConfig): ReadonlySet<string> {
  if (algorithm.module !== undefined) return new Set();
  const kind = builtInAlgorithms.find(({ name }) => name === algorithm.name);
  return kind === undefined ? new Set() : unreadSettings(kind, algorithm);
}

/** The threads in which the learners of a run train: 1 but for asynchronous algorithms. */
export function workersOf({ settings }: Pick<PlannedRun, "settings">): number {
  const sections = new Map(JSON.parse(settings) as [string, unknown][]);
  const own = sections.get("algorithm");
  const workers = Array.isArray(own) ? new Map(own as [string, unknown][]).get("workers") : undefined;
  return typeof workers === "number" ? workers : 1;
}

/** Whether a run folder's settings are those of a run; where it was trained does not count, and the executor only if chosen. */
export function isOfSettings(config: RunConfig, { settings }: Pick<PlannedRun, "settings">): boolean {
  const [, executor] = (JSON.parse(settings) as [string, string | null][]).at(-1) ?? [];
  const { seed, executor: name, instructionSet } = config.run;
  if (typeof executor === "string" && ![name, `${name} ${instructionSet}`].includes(executor)) return false;
  try {
    return settingsText(config, seed, executor ?? null) === settings;
  } catch {
    // A file of a part is gone.
    return false;
  }
}

const digestOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** 16 hexadecimal digits of the SHA-256 of a run's settings and the version of the code. */
export const keyOf = (settings: string, version: string): string =>
  createHash("sha256").update(`${version}\n${settings}`).digest("hex").slice(0, 16);
