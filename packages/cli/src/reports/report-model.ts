import type { PlottedRun } from "../plots/plotted-run.js";

/** What a page reports on. */
export interface ReportSource {
  readonly title: string;
  readonly runs: readonly ReportedScore[];
  /** Every variant on every environment, in order, with the number of seeds that it is meant to have. */
  readonly planned: readonly PlannedGroup[];
  /** Scores of others by source and environment. */
  readonly published: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly settings: readonly VariantSettings[];
  /** What repeats the runs, in a shell. */
  readonly commands: readonly string[];
  /** Files that the commands need, as they were. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** What a reader must know to judge the numbers. */
  readonly remarks: readonly string[];
}

/** A run, and where its score comes from. */
export interface ReportedScore extends PlottedRun {
  /** With its instruction set. Like the other texts, empty where it is not recorded. */
  readonly executor: string;
  readonly version: string;
  readonly machine: string;
  /** Null where it is not recorded. */
  readonly stepsPerSecond: number | null;
}

export interface PlannedGroup {
  readonly variant: string;
  readonly environment: string;
  readonly seeds: number;
}

/** The name of a variant's runs on an environment, which no others have. */
export const groupNameOf = (variant: string, environment: string): string =>
  JSON.stringify([variant, environment]);

/** The settings of a variant by name, `section.name`, as texts; several where environments differ in them. */
export interface VariantSettings {
  readonly variant: string;
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** The settings of each variant, with every value that it has somewhere. */
export function mergedSettings(all: readonly VariantSettings[]): readonly VariantSettings[] {
  const merged = new Map<string, Map<string, readonly string[]>>();
  for (const { variant, values } of all) {
    const own = merged.get(variant) ?? new Map<string, readonly string[]>();
    merged.set(variant, own);
    for (const [name, texts] of values) own.set(name, [...new Set([...(own.get(name) ?? []), ...texts])]);
  }
  return [...merged].map(([variant, values]) => ({ variant, values }));
}
