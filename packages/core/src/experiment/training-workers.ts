import type {
  Algorithm,
  IterationReport,
  LearnerThreads,
  PolicyValueModel,
  SharedLearner,
} from "../algorithms/algorithm.js";
import type { Policy } from "../algorithms/policy.js";
import { fail } from "../base/errors.js";
import type { LiveSettings } from "../base/live-settings.js";
import { RandomStreams } from "../base/random.js";
import { type Snapshot, snapshotSection } from "../base/snapshot.js";
import type { WorkerHost } from "../base/worker-host.js";
import type { OnStep } from "../data/collector.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { isMadeByName } from "../envs/registry.js";
import { EndedEpisode } from "./ended-episode.js";
import { builtInKinds, type RunConfig, type RunKinds } from "./run-config.js";
import {
  type EpisodeEnding,
  type PartName,
  TICKETS,
  type WorkerReply,
  type WorkerRound,
} from "./worker-messages.js";
import { type TrainingWorkersParts, WorkerThreads } from "./worker-threads.js";

/**
 * A worker's part of a round: so many rollouts, and at least about so many environment steps. At the end of a round each
 * worker waits for the last one, half a rollout on average, and for what the thread of the run does between two rounds.
 */
const ROLLOUTS_OF_ROUND = 32;
const STEPS_OF_ROUND = 1280;

/** Milliseconds after which a round has no more rollouts: nobody has to wait longer for a checkpoint or for Ctrl-C. */
const LONGEST_ROUND = 1000;

/** The parts of a run that its workers make anew. */
interface PartsOfRun {
  readonly config: RunConfig;
  readonly kinds: RunKinds;
  readonly environment: VectorEnvironment;
}

/** The workers of asynchronous algorithms. By value, so that no other run has to load them. */
export class TrainingWorkers {
  readonly #parts: TrainingWorkersParts;

  constructor(parts: TrainingWorkersParts) {
    this.#parts = parts;
  }

  /** The threads for a run of these parts. */
  threadsOf(run: PartsOfRun, live: LiveSettings): LearnerThreads {
    return { train: (shared) => new AsynchronousTraining(this.#parts, run, live, shared) };
  }
}

/**
 * An algorithm whose learners are in threads.
 *
 * An iteration is a round: the workers take rollouts from a common counter until it has been taken as often as the round
 * has rollouts, or the round has taken a second, each as fast as it can, and then rest until the next round. Within a round
 * nothing is synchronised; between two rounds θ, the optimiser's states and every worker are whole, so evaluations,
 * checkpoints and changes of settings find them so.
 */
class AsynchronousTraining implements Algorithm {
  readonly isReproducible = false;
  readonly #host: WorkerHost;
  readonly #live: LiveSettings;
  readonly #name: string;
  readonly #environments: number;
  readonly #shared: SharedLearner;
  readonly #threads: WorkerThreads;
  readonly #episode: EndedEpisode;
  /** The states of the workers when they were last saved or restored. */
  #states: readonly Snapshot[] | null = null;

  constructor(parts: TrainingWorkersParts, run: PartsOfRun, live: LiveSettings, shared: SharedLearner) {
    const { config } = run;
    this.#host = parts.host;
    this.#live = live;
    this.#name = config.algorithm.name;
    this.#environments = config.environment.count;
    this.#shared = shared;
    this.#episode = new EndedEpisode(config.environment.id);
    this.#threads = new WorkerThreads({
      ...parts,
      algorithm: this.#name,
      workers: shared.workers,
      assignment: (worker) => ({
        config: { ...config, run: { ...config.run, seed: seedOf(config.run.seed, worker) } },
        own: ownParts(run),
        memory: shared.shared.memory,
        state: this.#states?.[worker] ?? null,
      }),
    });
  }

  get policy(): Policy {
    return this.#shared.learner.policy;
  }

  get model(): PolicyValueModel {
    return this.#shared.learner.model ?? fail("AsynchronousTraining", "the learner has no model");
  }

  async iterate(onStep: OnStep): Promise<IterationReport> {
    if (!this.#threads.started) await this.#threads.start();
    const { shared, workers, stepsOfIteration } = this.#shared;
    const each = Math.max(ROLLOUTS_OF_ROUND, Math.ceil(STEPS_OF_ROUND / stepsOfIteration));
    const left = Math.ceil((this.#live.steps - this.#live.step) / stepsOfIteration);
    const rounds = await this.#round(Math.max(1, Math.min(workers * each, left)));
    shared.fetch();
    const rollouts = rounds.reduce((sum, round) => sum + round.rollouts, 0);
    const figures: Record<string, number> = {};
    const endings: EpisodeEnding[] = [];
    rounds.forEach((round, worker) => {
      for (const name in round.figures) {
        figures[name] = (figures[name] ?? 0) + round.figures[name] / rollouts;
      }
      const first = worker * this.#environments;
      for (const ending of round.endings)
        endings.push({ ...ending, environment: first + ending.environment });
    });
    // In the order of the steps that the tickets stand for.
    endings.sort((a, b) => a.t - b.t || a.environment - b.environment);
    for (const ending of endings) onStep(ending.t, this.#episode.rows(ending), ending.environment);
    return { steps: rollouts * stepsOfIteration, figures, updates: rollouts };
  }

  /** Asks the workers for a round of at most so many rollouts. */
  async #round(most: number): Promise<readonly WorkerRound[]> {
    const { counters } = this.#threads;
    Atomics.store(counters, TICKETS, 0);
    const stop = this.#host.every(LONGEST_ROUND, () => {
      // Whoever wants a rollout from now on finds that none is left.
      if (Atomics.load(counters, TICKETS) > 0) Atomics.add(counters, TICKETS, most);
    });
    try {
      const replies = await this.#threads.ask({ kind: "round", live: this.#live.save(), rollouts: most });
      return replies.map((reply) => replyOf("round", reply).round);
    } finally {
      stop();
    }
  }

  async prepareSave(): Promise<void> {
    if (!this.#threads.started) await this.#threads.start();
    const replies = await this.#threads.ask({ kind: "save" });
    this.#states = replies.map((reply) => replyOf("saved", reply).state);
  }

  /** The shared state, and what each worker had when `prepareSave` asked it. */
  save(): Snapshot {
    const workers = (this.#states ?? []).map((state, worker) => [String(worker), state] as const);
    return { ...this.#shared.learner.save(), workers: Object.fromEntries(workers) };
  }

  /** Takes over a state, which the workers continue from when they start. */
  restore(snapshot: Snapshot): void {
    const where = "AsynchronousTraining.restore";
    if (this.#threads.started) {
      fail(this.#name, "its workers have started already", {
        expected: "a run that has neither started nor been saved",
        remedy: "make a new trainer and restore that one",
      });
    }
    const saved = snapshotSection(where, snapshot, "workers");
    const states = Array.from({ length: this.#shared.workers }, (_, worker) =>
      snapshotSection(where, saved, String(worker)),
    );
    this.#shared.learner.restore(snapshot);
    this.#states = states;
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

/** The parts that softrl does not ship, though one of them may have the name of one that it does. */
function ownParts({ kinds, environment }: PartsOfRun): readonly PartName[] {
  const { algorithm, network, optimiser } = builtInKinds;
  const isShipped: Readonly<Record<PartName, boolean>> = {
    algorithm: algorithm.includes(kinds.algorithm),
    environment: isMadeByName(environment),
    network: network.includes(kinds.network),
    optimiser: optimiser.includes(kinds.optimiser),
  };
  return (Object.keys(isShipped) as PartName[]).filter((part) => !isShipped[part]);
}

/** The seed of a worker: the first has the run's own. */
function seedOf(seed: number, worker: number): number {
  if (worker === 0) return seed;
  return Math.floor(new RandomStreams(seed).stream("worker", worker).float() * 2 ** 53);
}

function replyOf<Kind extends WorkerReply["kind"]>(
  kind: Kind,
  reply: WorkerReply,
): Extract<WorkerReply, { readonly kind: Kind }> {
  if (reply.kind === kind) return reply as Extract<WorkerReply, { readonly kind: Kind }>;
  return fail("AsynchronousTraining", "a worker sent another reply", { expected: kind, got: reply.kind });
}
