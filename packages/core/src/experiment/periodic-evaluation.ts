/** Evaluations of a run while it learns, in environments of their own. */
import type { Algorithm } from "../algorithms/algorithm.js";
import { fail } from "../base/errors.js";
import type { LiveSettings } from "../base/live-settings.js";
import { RandomStreams } from "../base/random.js";
import {
  type Saveable,
  type Snapshot,
  savedBy,
  snapshotArray,
  snapshotCount,
  snapshotFinite,
  snapshotNumber,
  snapshotSection,
} from "../base/snapshot.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { describeSpace, sameSpace } from "../envs/spaces.js";
import { encodeCheckpoint } from "./checkpoint.js";
import { evaluate } from "./evaluate.js";
import { requireFiniteSnapshot } from "./finite.js";
import type { Host } from "./host.js";
import { policyDescription, RUN_FORMAT } from "./run-checkpoint.js";
import type { RunConfig } from "./run-config.js";
import type { EvaluationPoint } from "./run-event.js";
import type { RunStore } from "./run-store.js";
import { version } from "./version.js";

/** The parts of a {@link PeriodicEvaluation}. */
export interface PeriodicEvaluationParts extends Pick<Host, "signal" | "pause"> {
  readonly config: RunConfig;
  readonly environment: VectorEnvironment;
  readonly algorithm: Algorithm;
  readonly live: LiveSettings;
  readonly store: RunStore;
}

/** A policy as it was evaluated: what a file of it holds besides the configuration. */
interface EvaluatedPolicy {
  readonly live: Snapshot;
  readonly policy: Snapshot;
  readonly parameters: Snapshot;
}

/**
 * Plays `evaluationEpisodes` episodes at the start of a run, at each multiple of `evaluateEvery` steps, and at the end,
 * and keeps the newest policy and the best one.
 *
 * It changes nothing of the training: the k-th evaluation starts its environments and draws its actions from streams
 * of its own, made from the seed and k. So it saves no state of its environments either.
 */
export class PeriodicEvaluation implements Saveable {
  readonly environment: VectorEnvironment;
  readonly #parts: PeriodicEvaluationParts;
  #points: EvaluationPoint[] = [];
  #kept: { readonly best: EvaluatedPolicy; readonly last: EvaluatedPolicy } | null = null;
  #checked = false;

  constructor(parts: PeriodicEvaluationParts) {
    this.environment = parts.environment;
    this.#parts = parts;
  }

  /** All evaluations, the newest last. */
  get points(): readonly EvaluationPoint[] {
    return this.#points;
  }

  /**
   * Evaluates where the run has passed a multiple of `evaluateEvery` steps, or its end, since the newest evaluation.
   *
   * The host's signal stops an evaluation, which is then lost: a restored run makes it anew.
   */
  async evaluateIfDue(done: boolean): Promise<void> {
    const { config, live, store, signal } = this.#parts;
    if (!this.isDue(done) || signal?.aborted) return;
    const { evaluationEpisodes: episodes } = config.run;
    const { meanReturn, standardDeviation, cut, interrupted } = await this.#play(signal);
    if (meanReturn === null || interrupted) return;
    const best = this.#points.every((earlier) => meanReturn > earlier.meanReturn);
    const point = { step: live.step, episodes, meanReturn, standardDeviation, cut };
    const policy = this.#evaluatedPolicy();
    this.#points.push(point);
    this.#kept = { best: best || this.#kept === null ? policy : this.#kept.best, last: policy };
    if (best) await store.writePolicy("best", this.#encode(policy));
    await store.writePolicy("last", this.#encode(policy));
    await store.append({ event: "evaluation", ...point, best });
  }

  /** Whether {@link evaluateIfDue} has something to evaluate: after a signal stopped it, too. */
  isDue(done: boolean): boolean {
    const { step } = this.#parts.live;
    const { evaluateEvery } = this.#parts.config.run;
    const last = this.#points.at(-1)?.step;
    if (last === undefined) return true;
    return (done && step > last) || Math.floor(step / evaluateEvery) > Math.floor(last / evaluateEvery);
  }

  async #play(signal: Host["signal"]) {
    const { config, environment, algorithm, pause } = this.#parts;
    const { evaluationEpisodes: episodes, evaluationMode: mode, evaluationMaxSteps: maxSteps } = config.run;
    const own = new RandomStreams(config.run.seed).stream("evaluation in training", this.#points.length);
    const seed = Math.floor(own.float() * 2 ** 53);
    const streams = new RandomStreams(seed);
    const host = { ...(pause === undefined ? {} : { pause }), ...(signal === undefined ? {} : { signal }) };
    const play = () =>
      evaluate({
        policy: algorithm.policy,
        environment,
        episodes,
        mode,
        maxSteps,
        seed,
        random: streams.stream("actions"),
        ...host,
      });
    if (this.#checked) return play();
    await requireReseeds(environment, streams);
    const state = () => savedBy(`${config.algorithm.name} save`, () => algorithm.save());
    const before = encodeCheckpoint({ algorithm: state() });
    const result = await play();
    const after = encodeCheckpoint({ algorithm: state() });
    if (!areEqual(before, after)) {
      fail(config.algorithm.name, "the policy changed the training while it was evaluated", {
        expected: "actions drawn from the stream that act receives",
        remedy: "draw from the fourth argument of act where it is given",
      });
    }
    this.#checked = true;
    return result;
  }

  #evaluatedPolicy(): EvaluatedPolicy {
    const { config, algorithm, live } = this.#parts;
    const { policy } = algorithm;
    const parameters = savedBy(`${config.algorithm.name} policy save`, () => policy.save());
    requireFiniteSnapshot(config.algorithm.name, { parameters }, live.step);
    return { live: live.save(), policy: policyDescription(policy), parameters };
  }

  #encode(evaluated: EvaluatedPolicy): Uint8Array {
    const config = JSON.stringify(this.#parts.config);
    return encodeCheckpoint({ format: RUN_FORMAT, version, config, ...evaluated });
  }

  /** The evaluations, and the policies that are kept. */
  save(): Snapshot {
    const points = this.#points;
    const kept = this.#kept;
    const column = (of: (point: EvaluationPoint) => number) => Float64Array.from(points, of);
    return {
      length: points.length,
      environments: this.environment.size,
      steps: column(({ step }) => step),
      meanReturns: column(({ meanReturn }) => meanReturn),
      standardDeviations: column(({ standardDeviation }) => standardDeviation ?? Number.NaN),
      cut: column(({ cut }) => cut),
      ...(kept === null ? {} : { last: { ...kept.last } }),
      // Once, where the newest policy is the best.
      ...(kept === null || kept.best === kept.last ? {} : { best: { ...kept.best } }),
    };
  }

  restore(snapshot: Snapshot): void {
    const where = "PeriodicEvaluation.restore";
    const environments = snapshotNumber(where, snapshot, "environments");
    if (environments !== this.environment.size) {
      fail(where, "the run was evaluated in another number of environments", {
        expected: String(environments),
        got: String(this.environment.size),
        remedy: `pass ${environments} environments as evaluation`,
      });
    }
    const points = savedEvaluations(where, snapshot, this.#parts.config.run.evaluationEpisodes);
    const kept = (which: "best" | "last") => {
      const section = snapshotSection(where, snapshot, which);
      const part = (name: string) => snapshotSection(where, section, name);
      return { live: part("live"), policy: part("policy"), parameters: part("parameters") };
    };
    if (points.length === 0) this.#kept = null;
    else {
      const last = kept("last");
      this.#kept = { last, best: snapshot.best === undefined ? last : kept("best") };
    }
    this.#points = points;
  }

  /** Writes the kept policies again: those in the store may be of evaluations after the checkpoint. */
  async writeKept(): Promise<void> {
    if (this.#kept === null) return;
    await this.#parts.store.writePolicy("best", this.#encode(this.#kept.best));
    await this.#parts.store.writePolicy("last", this.#encode(this.#kept.last));
  }
}

/** The evaluations in a snapshot, each of so many episodes. */
export function savedEvaluations(where: string, snapshot: Snapshot, episodes: number): EvaluationPoint[] {
  const length = snapshotCount(where, snapshot, "length");
  const column = (name: string) => snapshotFinite(where, snapshot, name, length);
  const [means, cut] = [column("meanReturns"), column("cut")];
  // NaN stands for none.
  const deviations = snapshotArray(where, snapshot, "standardDeviations", "float64", length);
  return Array.from(column("steps"), (step, i) => ({
    step,
    episodes,
    meanReturn: means[i],
    standardDeviation: Number.isNaN(deviations[i]) ? null : deviations[i],
    cut: cut[i],
  }));
}

/**
 * @throws SoftrlError where environments do not fit the run: other spaces, the training's own environments, or an
 * evaluation that is not asked for.
 */
export function requireEvaluationFits(
  { run }: RunConfig,
  training: VectorEnvironment,
  evaluation: VectorEnvironment | undefined,
): void {
  const where = "Trainer: evaluation";
  if (evaluation === undefined) {
    if (run.evaluateEvery === 0) return;
    fail("Trainer", "a run with evaluateEvery needs environments to evaluate in", {
      expected: "0 for a run without",
      got: `evaluateEvery ${run.evaluateEvery}`,
      remedy: `pass more of them: evaluation: makeEnvironment("${training.id}", 8)`,
    });
  }
  if (run.evaluateEvery === 0) {
    fail(where, "these environments have no effect without evaluateEvery", {
      remedy: "set run.evaluateEvery, or leave evaluation out",
    });
  }
  if (evaluation === training) {
    fail(where, "these are the environments of the training", {
      remedy: "make others: an evaluation starts its environments anew",
    });
  }
  for (const name of ["observationSpace", "actionSpace"] as const) {
    if (sameSpace(training[name], evaluation[name])) continue;
    fail(where, `the ${name} is not that of the training`, {
      expected: describeSpace(training[name]),
      got: describeSpace(evaluation[name]),
      remedy: "pass environments of the same kind",
    });
  }
}

/** @throws SoftrlError unless the same streams give the same start: an evaluation could not be repeated. */
async function requireReseeds(environment: VectorEnvironment, streams: RandomStreams): Promise<void> {
  await environment.reset(streams);
  const first = environment.observations.slice();
  await environment.reset(streams);
  if (environment.observations.every((x, i) => Object.is(x, first[i]))) return;
  fail(environment.id, "two resets from the same streams gave different observations", {
    expected: "the same start for the same streams",
    remedy: "draw from the streams that reset receives, or leave evaluateEvery at 0",
  });
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
