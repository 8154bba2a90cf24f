import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { oneLine, SoftrlError } from "softrl";
import { readText } from "../files/csv-file.js";
import { isFile } from "../parts/kind-file.js";
import { label } from "../plots/trained-run.js";
import { cellOf } from "../runs/run-settings.js";
import {
  DEFINITION_FILE,
  readDefinition,
  type SweepDefinition,
  type SweepVariant,
} from "../sweeps/definition.js";
import { nameOfCell, readSweepTables, type SweepResult, sweepFiles } from "../sweeps/results-file.js";
import { keyOf, type PlannedRun, planSweep, type SweepCell } from "../sweeps/sweep-plan.js";
import { pathArgument } from "../terminal/shown-path.js";
import {
  groupNameOf,
  mergedSettings,
  type PlannedGroup,
  type ReportedScore,
  type ReportSource,
  type VariantSettings,
} from "./report-model.js";

/**
 * Reads the folder of a sweep: its tables, and runs.json where it is there. Rows of other definitions are left out.
 * @throws SoftrlError for tables that are damaged, or without a result.
 */
export async function sweepSource(folder: string): Promise<ReportSource> {
  const { results, warnings } = readSweepTables(folder);
  const path = join(folder, DEFINITION_FILE);
  const definition = existsSync(path) ? await readDefinition(path) : null;
  const cells = definition === null ? [...results.values()] : cellsOf(definition);
  const found = cells.flatMap((cell) => results.get(nameOfCell(cell)) ?? []);
  if (found.length === 0) {
    const isOther = results.size > 0;
    throw new SoftrlError(join(folder, sweepFiles.results), "there is no result to report", {
      expected: isOther ? `rows of the variants of ${DEFINITION_FILE}` : "a row for each finished run",
      remedy: isOther
        ? "report on a folder with the tables and their own definition"
        : `run softrl sweep ${pathArgument(folder)} first`,
    });
  }
  const settings = definition === null ? null : await settingsOf(definition, found);
  const left = results.size - found.length;
  return {
    title: oneLine(definition?.title || basename(resolve(folder)), 200),
    runs: found.map(reported),
    planned: groupsOf(cells),
    published: definition?.published ?? {},
    settings: settings?.settings ?? [],
    commands: definition === null ? [] : [`npx softrl sweep ${pathArgument(folder)}`],
    files: definition === null ? [] : [{ name: path, text: readText(path) }],
    remarks: [
      ...warnings,
      ...(settings?.remarks ?? []),
      ...(definition === null
        ? [`${shown(folder)} has no ${DEFINITION_FILE}, so that settings and commands are not known.`]
        : []),
      ...(found.length === cells.length
        ? []
        : [`Runs without a result: ${cells.length - found.length} of ${cells.length}.`]),
      ...(left === 0 ? [] : [`Rows of ${shown(folder)} from other definitions, left out: ${left}.`]),
      ...mixedVersions(found),
    ],
  };
}

const shown = (folder: string): string => oneLine(basename(resolve(folder)), 100);

const cellsOf = ({ variants }: SweepDefinition): readonly SweepCell[] =>
  variants.flatMap(({ name: variant, environments, seeds }) =>
    environments.flatMap((environment) => seeds.map((seed) => ({ variant, environment, seed }))),
  );

function groupsOf(cells: readonly SweepCell[]): readonly PlannedGroup[] {
  const groups = new Map<string, PlannedGroup>();
  for (const cell of cells) {
    const [variant, environment] = [label(cell.variant), label(cell.environment)];
    const name = groupNameOf(variant, environment);
    groups.set(name, { variant, environment, seeds: (groups.get(name)?.seeds ?? 0) + 1 });
  }
  return [...groups.values()];
}

function reported(result: SweepResult): ReportedScore {
  const { variant, environment, seed, meanReturn, curve, executor, version, time } = result;
  const points = [...curve].sort((a, b) => a.step - b.step);
  return {
    variant: label(variant),
    environment: label(environment),
    seed: String(seed),
    score: meanReturn,
    curve:
      points.length === 0
        ? null
        : { steps: points.map(({ step }) => step), meanReturns: points.map((point) => point.meanReturn) },
    executor,
    version,
    machine: time?.cpu ?? "",
    stepsPerSecond: time?.stepsPerSecond ?? null,
  };
}

function mixedVersions(results: readonly SweepResult[]): readonly string[] {
  const versions = [...new Set(results.map(({ version }) => version))];
  if (versions.length < 2) return [];
  const names = versions.map((version) => (version === "" ? "an unrecorded one" : version));
  return [`The runs are of ${versions.length} versions of softrl: ${oneLine(names.join(", "), 500)}.`];
}

interface SweepSettings {
  readonly settings: readonly VariantSettings[];
  /** None where the rows confirm the settings. */
  readonly remarks: readonly string[];
}

/**
 * All settings of each variant, as this version of softrl completes the definition. A definition that names files, or that
 * this version refuses, keeps the options that it gives: a report executes no code of others.
 */
async function settingsOf(
  definition: SweepDefinition,
  results: readonly SweepResult[],
): Promise<SweepSettings> {
  const plan = definition.variants.some(namesFiles) ? null : await planOf(definition);
  if (plan === null) {
    return {
      settings: definition.variants.map(optionsOf),
      remarks: [`Settings are the options that ${DEFINITION_FILE} gives; all others have their defaults.`],
    };
  }
  const settings = mergedSettings(plan.flatMap(({ cells, settings }) => completeSettings(cells, settings)));
  const keys = new Map(plan.flatMap((run) => run.cells.map((cell) => [nameOfCell(cell), run] as const)));
  const isConfirmed = (result: SweepResult) => {
    const run = keys.get(nameOfCell(result));
    return run !== undefined && result.key === keyOf(run.settings, result.version);
  };
  const remarks = [
    ...shareOf(
      results,
      ({ key }) => key === "",
      "no record of their settings: those below are the definition's, with this version's defaults.",
    ),
    ...shareOf(
      results,
      (result) => result.key !== "" && !isConfirmed(result),
      "other settings than those below: the definition or a default has changed since.",
    ),
  ];
  return { settings, remarks };
}

function shareOf(
  results: readonly SweepResult[],
  isOne: (result: SweepResult) => boolean,
  what: string,
): readonly string[] {
  const count = results.filter(isOne).length;
  if (count === 0) return [];
  return [
    `${count === results.length ? "The results" : `${count} of ${results.length} results`} have ${what}`,
  ];
}

async function planOf(definition: SweepDefinition): Promise<readonly PlannedRun[] | null> {
  try {
    // The version only decides keys, which are compared by each row's own.
    return (await planSweep(definition, "")).runs;
  } catch (error) {
    if (error instanceof SoftrlError) return null;
    throw error;
  }
}

const namesFiles = ({ algorithm, environments, options }: SweepVariant): boolean =>
  isFile("algorithm", algorithm) ||
  environments.some((environment) => isFile("environment", environment)) ||
  ["network", "optimiser", "config"].some((name) => {
    const value = options[name];
    if (value === undefined) return false;
    return name === "config" || isFile(name === "network" ? "network" : "optimiser", value);
  });

function optionsOf({ name, algorithm, options }: SweepVariant): VariantSettings {
  const entries = Object.entries({ algorithm, ...options });
  return {
    variant: label(name),
    values: new Map(entries.map(([option, value]) => [option, [oneLine(value, 200)]])),
  };
}

/** Settings of a run from {@link PlannedRun.settings}, for each of its variants. */
function completeSettings(cells: readonly SweepCell[], text: string): readonly VariantSettings[] {
  const sections = JSON.parse(text) as readonly (readonly [string, unknown])[];
  const values = sections.flatMap(([section, settings]) =>
    (Array.isArray(settings) ? (settings as readonly (readonly [string, unknown])[]) : [])
      .filter(([name]) => !(section === "environment" && name === "id"))
      .map(
        ([name, value]) => [`${section}.${name}`, [oneLine(String(cellOf(value) ?? "none"), 200)]] as const,
      ),
  );
  return cells.map(({ variant }) => ({ variant: label(variant), values: new Map(values) }));
}
