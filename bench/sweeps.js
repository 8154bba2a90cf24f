// @ts-check
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { garnet, logPrior, plainSweeps, RandomStreams, stateValues, sweepsFrom } from "softrl";
import { compared } from "./comparison.js";
import { measureAlternating, timed } from "./measure.js";
import { loadedPeers, threadVariables } from "./peers.js";

const actions = 4;
const branching = 5;
const tau = 0.1;
const gamma = 0.99;
const checkedSweeps = 3;
/** The largest difference between two results of the same sweeps, relative to the largest value. */
const sameValues = 1e-12;

/**
 * A Garnet process in which the last thousandth of the states is terminal.
 * @param {number} states
 * @param {number} seed
 * @returns {import("softrl").SparseSoftMdp}
 */
export function drawnProblem(states, seed) {
  const random = new RandomStreams(seed).stream("sweeps");
  const mdp = garnet({ states, actions, branching, terminal: 0.001 }, random);
  const prior = logPrior(new Float64Array(states * actions).fill(-Math.log(actions)));
  return { mdp, logPrior: prior, tau, gamma };
}

/**
 * Sweeps of soft value iteration over the same sparse process for all contestants, in float64 on one thread.
 * @param {number} fullStates
 * @returns {import("./rows.js").Row}
 */
export function sweepRow(fullStates) {
  const name = `sweep-${fullStates.toExponential(0).replace("+", "")}`;
  return {
    name,
    async measure({ peers, quick, seed, busy, plan }) {
      const states = quick ? fullStates / 10 : fullStates;
      const problem = drawnProblem(states, seed);
      const transitions = problem.mdp.successors.length;
      const start = stateValues(new Float64Array(states));
      const wasm = sweepsFrom(problem, start, "jacobi");
      const plain = plainSweeps(problem, start, "jacobi");
      const folder = mkdtempSync(join(tmpdir(), "softrl-sweep-"));
      try {
        const spec = { states, actions, tau, gamma, folder };
        for (const part of /** @type {const} */ ([
          "rowStarts",
          "successors",
          "probabilities",
          "rewards",
          "terminal",
        ])) {
          const numbers = problem.mdp[part];
          writeFileSync(
            join(folder, part),
            Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength),
          );
        }
        const { loaded, missing } = await loadedPeers(
          peers,
          [
            { name: "SciPy (logsumexp)", variant: "logsumexp" },
            { name: "SciPy and NumPy", variant: "numpy" },
          ].map(({ name, variant }) => ({
            name,
            needs: ["scipy", "numpy"],
            work: "scipy_sweep",
            spec: { ...spec, variant },
            variables: threadVariables(1),
          })),
        );
        try {
          const checks = await valueChecks([wasm, plain], loaded);
          const ours = [
            { name: "wasm", sweeps: wasm },
            { name: "TypeScript", sweeps: plain },
          ].map(({ name, sweeps }) => ({
            name,
            run: timed((iterations) => {
              for (let i = 0; i < iterations; i++) sweeps.sweep();
            }),
          }));
          const measurements = await measureAlternating([...ours, ...loaded], plan);
          return {
            name,
            title: `Soft value iteration, ${states} states × ${actions} × ${branching} (${megabytes(wasm.bytes)} MB)`,
            sizes: { states, actions, branching, transitions, tau, gamma, seed, bytes: wasm.bytes },
            unit: "ms",
            stepsPerIteration: 0,
            measurements,
            comparisons: compared(
              measurements,
              [{ ours: "wasm", peers: loaded.map(({ name }) => name), of: "time", most: 1 }],
              busy,
            ),
            checks,
            busy,
            missing,
          };
        } finally {
          for (const peer of loaded) await peer.end();
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/**
 * Compares each contestant's V after the same sweeps from zero with the reference's.
 * @param {readonly [wasm: import("softrl").Sweeps, plain: import("softrl").Sweeps]} ours
 * @param {readonly import("./peers.js").Loaded[]} theirs
 * @returns {Promise<import("./rows.js").Check[]>}
 */
async function valueChecks([wasm, plain], theirs) {
  for (const sweeps of [wasm, plain]) for (let i = 0; i < checkedSweeps; i++) sweeps.sweep();
  const found = [{ name: "wasm", v: new Float64Array(wasm.v) }];
  for (const { name, check } of theirs) {
    const { v } = await check(checkedSweeps);
    found.push({ name, v: new Float64Array(v.slice().buffer) });
  }
  return found.map(({ name, v }) => {
    let apart = v.length === plain.v.length ? 0 : Number.NaN;
    let largest = 0;
    for (let s = 0; s < v.length; s++) {
      apart = Math.max(apart, Math.abs(v[s] - plain.v[s]));
      largest = Math.max(largest, Math.abs(plain.v[s]));
    }
    const difference = apart / largest;
    if (!(difference <= sameValues)) {
      throw new Error(
        `bench: V of ${name} differs from the reference; expected at most ${sameValues}, got ${difference}`,
      );
    }
    return { what: `V of ${name} against the reference sweep`, difference };
  });
}

/** @param {number} bytes */
function megabytes(bytes) {
  return bytes < 1e7 ? (bytes / 1e6).toFixed(1) : (bytes / 1e6).toFixed(0);
}
