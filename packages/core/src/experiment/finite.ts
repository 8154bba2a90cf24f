import type { AlgorithmKind } from "../algorithms/algorithm.js";
import { readsSetting } from "../algorithms/setting-effects.js";
import { fail, SoftrlError } from "../base/errors.js";
import { isShapedArray, type Snapshot, type SnapshotLeaf } from "../base/snapshot.js";
import type { EnvironmentRows, Observations } from "../envs/environment.js";
import type { KindSection } from "./run-config.js";

/**
 * An error of the code `diverged` as one of the run, with a remedy that its algorithm knows; any other error as it is.
 * @param section the algorithm's section of the configuration
 */
export function divergenceOfRun(
  error: unknown,
  kind: AlgorithmKind,
  section: KindSection,
  step: number,
): unknown {
  if (!(error instanceof SoftrlError && error.code === "diverged")) return error;
  const { where, what, details } = error;
  const isOfRun = where === kind.name;
  const cause = `the run has diverged at step ${step}, its numbers are not finite: ${where}: ${what}`;
  const temperature = readsSetting(kind, section, "tau") ? ", or raise tau" : "";
  const remedy = `lower learningRate or maxGradientNorm${temperature}`;
  return new SoftrlError(kind.name, isOfRun ? what : cause, { ...details, remedy }, { cause: error });
}

/**
 * Throws unless the newest rewards and observations are finite, naming the first that is not.
 * @param first the number of the first environment.
 */
export function requireFiniteStep(environment: EnvironmentRows, step: number, first = 0): void {
  const { id, rewards, terminated, truncated, size } = environment;
  for (let i = 0; i < size; i++) {
    if (!Number.isFinite(rewards[i])) {
      fail(id, `the reward of environment ${first + i} is not finite at step ${step}`, {
        expected: "a finite number",
        got: String(rewards[i]),
        remedy: "correct the environment's reward",
      });
    }
  }
  requireFiniteObservations(environment, step, first);
  for (let i = 0; i < size; i++) {
    if (terminated[i] || truncated[i]) {
      requireFiniteRow(environment, environment.finalObservations, i, "final observation", step, first);
    }
  }
}

/** Throws unless the return of the episode that row i has ended is finite, as a sum of finite rewards may not be. */
export function requireFiniteReturn(
  { id, episodeReturns }: EnvironmentRows,
  i: number,
  step: number,
  first: number,
): void {
  if (Number.isFinite(episodeReturns[i])) return;
  fail(id, `the episode's return of environment ${first + i} is not finite at step ${step}`, {
    expected: "a finite number",
    got: String(episodeReturns[i]),
    remedy: "correct or scale the environment's reward",
  });
}

/** Throws unless the observations that an environment shows are finite: after a step, or after a reset. */
export function requireFiniteObservations(environment: EnvironmentRows, step: number, first = 0): void {
  for (let i = 0; i < environment.size; i++) {
    requireFiniteRow(environment, environment.observations, i, "observation", step, first);
  }
}

function requireFiniteRow(
  { id, size }: EnvironmentRows,
  observations: Observations,
  row: number,
  what: string,
  step: number,
  first: number,
): void {
  if (observations instanceof Uint8Array) return;
  const width = observations.length / size;
  for (let i = row * width; i < (row + 1) * width; i++) {
    if (!Number.isFinite(observations[i])) {
      fail(id, `element ${i % width} of environment ${first + row}'s ${what} is not finite at step ${step}`, {
        expected: "a finite number",
        got: String(observations[i]),
        remedy: "correct the environment's observation",
      });
    }
  }
}

/** Throws unless all figures of an update are finite. */
export function requireFiniteFigures(
  algorithm: string,
  figures: Readonly<Record<string, number>>,
  step: number,
): void {
  for (const name in figures) {
    const figure = figures[name];
    if (!Number.isFinite(figure)) {
      fail(algorithm, `${name} is not finite after the update at step ${step}`, {
        expected: "a finite number",
        got: String(figure),
        code: "diverged",
      });
    }
  }
}

/** Throws unless all floating-point arrays of an algorithm's snapshot (parameters, optimiser) are finite. */
export function requireFiniteSnapshot(algorithm: string, snapshot: Snapshot, step: number): void {
  forEachLeaf(snapshot, "", (path, leaf) => {
    if (!(leaf instanceof Float32Array || leaf instanceof Float64Array)) return;
    for (let i = 0; i < leaf.length; i++) {
      if (!Number.isFinite(leaf[i])) {
        fail(algorithm, `${path}[${i}] is not finite at step ${step}`, {
          expected: "a finite number",
          got: String(leaf[i]),
          code: "diverged",
        });
      }
    }
  });
}

function forEachLeaf(
  snapshot: Snapshot,
  prefix: string,
  visit: (path: string, leaf: SnapshotLeaf) => void,
): void {
  for (const [name, value] of Object.entries(snapshot)) {
    if (isShapedArray(value)) {
      visit(prefix + name, value.values);
    } else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
      forEachLeaf(value, `${prefix}${name}.`, visit);
    } else {
      visit(prefix + name, value);
    }
  }
}
