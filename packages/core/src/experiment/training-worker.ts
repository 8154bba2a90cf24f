import type { Algorithm } from "../algorithms/algorithm.js";
import { SharedParameters } from "../algorithms/shared-parameters.js";
import { LiveSettings } from "../base/live-settings.js";
import { RandomStreams } from "../base/random.js";
import { type Snapshot, snapshotSection } from "../base/snapshot.js";
import type { ParentPort } from "../base/worker-host.js";
import type { OnStep } from "../data/collector.js";
import type { VectorEnvironment } from "../envs/environment.js";
import type { Executor } from "../tensor/executor.js";
import { requireFiniteObservations, requireFiniteReturn, requireFiniteStep } from "./finite.js";
import { makeAlgorithm } from "./make-algorithm.js";
import type { RunConfig, RunKinds } from "./run-config.js";
import { environmentState, requireExecutor } from "./trainer-parts.js";
import {
  type EpisodeEnding,
  type PartName,
  progressOf,
  sentError,
  TICKETS,
  type WorkerAssignment,
  type WorkerReply,
  type WorkerRequest,
  type WorkerRound,
} from "./worker-messages.js";

/** The parts of a run, made anew in a worker. */
export interface WorkerParts {
  readonly kinds: RunKinds;
  readonly environment: VectorEnvironment;
  readonly executor: Executor;
}

/**
 * A worker of an asynchronous algorithm: makes the parts of the run anew, and then rollouts and updates as the thread of the
 * run asks for them. The module of a `TrainingWorkers` calls it with what it was called with.
 * @param make the parts that a configuration describes; `parts` is what the `TrainingWorkers` was made with, and `own` names
 * the parts that softrl does not ship: they are others than those that it ships, also where they have one's name
 */
export async function runTrainingWorker(
  parent: ParentPort,
  data: unknown,
  make: (config: RunConfig, parts: unknown, own: readonly PartName[]) => WorkerParts | Promise<WorkerParts>,
): Promise<void> {
  const post = (reply: WorkerReply) => parent.post(reply);
  try {
    const assignment = data as WorkerAssignment;
    const { config, parts, own } = assignment;
    const learner = new WorkerLearner(assignment, await make(config, parts, own));
    await learner.begin(assignment.state);
    parent.listen((request) => {
      learner.serve(request as WorkerRequest).then(post, (error: unknown) => {
        post({ kind: "failed", error: sentError(error) });
      });
    });
    post({ kind: "done" });
  } catch (error) {
    post({ kind: "failed", error: sentError(error) });
  }
}

/** The learner of a worker, with its environments. */
class WorkerLearner {
  readonly #config: RunConfig;
  readonly #worker: number;
  readonly #counters: Int32Array;
  readonly #environment: VectorEnvironment;
  readonly #live: LiveSettings;
  readonly #algorithm: Algorithm;
  #endings: EpisodeEnding[] = [];
  /** Steps of the round before this rollout, each of all environments of the worker. */
  #before = 0;
  readonly #onStep: OnStep = (t, rows, first) => {
    Atomics.add(this.#counters, progressOf(this.#worker), 1);
    const step = this.#live.step + (t + 1) * this.#environment.size;
    requireFiniteStep(rows, step, first);
    const { episodeEnded, episodeReturns, episodeLengths } = rows;
    for (let i = 0; i < episodeEnded.length; i++) {
      if (episodeEnded[i] === 0) continue;
      requireFiniteReturn(rows, i, step, first);
      this.#endings.push({
        t: this.#before + t,
        environment: first + i,
        return: episodeReturns[i],
        length: episodeLengths[i],
      });
    }
  };

  constructor({ config, worker, memory, counters }: WorkerAssignment, parts: WorkerParts) {
    const { kinds, environment, executor } = parts;
    requireExecutor(config, executor);
    this.#config = config;
    this.#worker = worker;
    this.#counters = new Int32Array(counters);
    this.#environment = environment;
    this.#live = new LiveSettings(config.run.steps);
    const shared = new SharedParameters({ memory, learner: worker });
    this.#algorithm = makeAlgorithm(config, kinds, environment, executor, this.#live, { shared });
  }

  /** Starts all episodes, or continues them. */
  async begin(state: Snapshot | null): Promise<void> {
    if (state !== null) return this.#restore(state);
    await this.#environment.reset(new RandomStreams(this.#config.run.seed));
    requireFiniteObservations(this.#environment, 0);
  }

  async serve(request: WorkerRequest): Promise<WorkerReply> {
    switch (request.kind) {
      case "round":
        return { kind: "round", round: await this.#round(request.live, request.rollouts) };
      case "save":
        return { kind: "saved", state: await this.#save() };
      case "close":
        await this.#environment.close();
        return { kind: "done" };
    }
  }

  /** Takes tickets until there are none. A ticket is a rollout's place among the steps of the run, for the schedules. */
  async #round(live: Snapshot, most: number): Promise<WorkerRound> {
    this.#live.restore(live);
    const { step: began } = this.#live;
    const { size } = this.#environment;
    const sums: Record<string, number> = {};
    this.#endings = [];
    let rollouts = 0;
    let stepsOfRollout = Number(this.#config.algorithm.horizon) * size;
    for (;;) {
      const ticket = Atomics.add(this.#counters, TICKETS, 1);
      if (ticket >= most) return { rollouts, figures: sums, endings: this.#endings };
      this.#before = (ticket * stepsOfRollout) / size;
      this.#live.step = began + ticket * stepsOfRollout;
      const { steps, figures } = await this.#algorithm.iterate(this.#onStep);
      stepsOfRollout = steps;
      rollouts++;
      for (const name in figures) sums[name] = (sums[name] ?? 0) + figures[name];
    }
  }

  /** All but the optimiser's state, which the threads share. */
  async #save(): Promise<Snapshot> {
    const { optimiser: _, ...algorithm } = this.#algorithm.save();
    const environment = await environmentState(this.#config.environment.id, this.#environment);
    return { algorithm, environment };
  }

  async #restore(state: Snapshot): Promise<void> {
    const where = `worker ${this.#worker + 1}`;
    const { optimiser } = this.#algorithm.save();
    this.#algorithm.restore({ ...snapshotSection(where, state, "algorithm"), optimiser });
    await this.#environment.restore(snapshotSection(where, state, "environment"));
    requireFiniteObservations(this.#environment, this.#live.step);
  }
}
