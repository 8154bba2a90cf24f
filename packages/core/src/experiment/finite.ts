import { fail } from "../base/errors.js";
import type { Snapshot, SnapshotLeaf } from "../base/snapshot.js";
import type { VectorEnvironment } from "../envs/environment.js";

const REMEDY = "lower learningRate or maxGradientNorm, or raise tau";

/** Throws unless an environment's newest rewards and observations are finite, naming the first that is not. */
export function requireFiniteStep(environment: VectorEnvironment, step: number): void {
  const { id, observations, rewards, size } = environment;
  for (let i = 0; i < size; i++) {
    if (!Number.isFinite(rewards[i])) {
      fail(id, `the reward of environment ${i} is not finite at step ${step}`, {
        expected: "a finite number",
        got: String(rewards[i]),
        remedy: "correct the environment's reward",
      });
    }
  }
  if (observations instanceof Uint8Array) return;
  for (let i = 0; i < observations.length; i++) {
    if (!Number.isFinite(observations[i])) {
      const width = observations.length / size;
      const element = `element ${i % width} of environment ${Math.floor(i / width)}'s observation`;
      fail(id, `${element} is not finite at step ${step}`, {
        expected: "a finite number",
        got: String(observations[i]),
        remedy: "correct the environment's observation",
      });
    }
  }
}

/** Throws unless all losses of an update are finite. */
export function requireFiniteLosses(
  algorithm: string,
  losses: Readonly<Record<string, number>>,
  step: number,
): void {
  for (const [name, loss] of Object.entries(losses)) {
    if (!Number.isFinite(loss)) {
      fail(algorithm, `${name} is not finite after the update at step ${step}`, {
        expected: "a finite number",
        got: String(loss),
        remedy: REMEDY,
      });
    }
  }
}

/** Throws unless all floating-point arrays of an algorithm's snapshot (parameters, optimiser) are finite. */
export function requireFiniteSnapshot(algorithm: string, snapshot: Snapshot, step: number): void {
  walk(snapshot, "", (path, leaf) => {
    if (!(leaf instanceof Float32Array || leaf instanceof Float64Array)) return;
    for (let i = 0; i < leaf.length; i++) {
      if (!Number.isFinite(leaf[i])) {
        fail(algorithm, `${path}[${i}] is not finite at step ${step}`, {
          expected: "a finite number",
          got: String(leaf[i]),
          remedy: REMEDY,
        });
      }
    }
  });
}

function walk(snapshot: Snapshot, prefix: string, visit: (path: string, leaf: SnapshotLeaf) => void): void {
  for (const [name, value] of Object.entries(snapshot)) {
    if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
      walk(value, `${prefix}${name}.`, visit);
    } else {
      visit(prefix + name, value);
    }
  }
}
