import { fail } from "../base/errors.js";
import { type Random, RandomStreams } from "../base/random.js";
import type { NamedScalars } from "../base/settings.js";
import type { Snapshot } from "../base/snapshot.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { observationLength } from "../envs/spaces.js";
import { mode } from "../math/categorical.js";
import type { Executor } from "../tensor/executor.js";
import { encodeCheckpoint } from "./checkpoint.js";
import type {
  ControlAnswers,
  ControlCommandOf,
  ControlledChoice,
  ControlledState,
  EvaluatedPolicy,
} from "./control-messages.js";
import { PlayedEpisodes } from "./played-episodes.js";
import { readConfig } from "./read-config.js";
import { readRunSnapshot, savedConfig } from "./run-checkpoint.js";
import {
  defaultNetwork,
  defaultOptimiser,
  environmentFamily,
  type KnownKinds,
  type RunKinds,
  runConfig,
} from "./run-config.js";
import type { RunEvent } from "./run-event.js";
import type { RunStore } from "./run-store.js";
import { TheoremMeter } from "./theorem-at-play.js";
import { named } from "./train.js";
import { Trainer } from "./trainer.js";

/** What a controlled run is made of, by value: a page loads only the parts that it names here. */
export interface ControlParts {
  /** The algorithms, networks and optimisers that a run may name. */
  readonly kinds: KnownKinds;
  readonly executor: Executor;
  /** @throws SoftrlError for an id or an option that there is not. */
  environment(id: string, size: number, options: NamedScalars): VectorEnvironment;
  /** Seconds from any origin. */
  readonly clock?: () => number;
}

/** The most events that wait for the next state; older ones are dropped. */
const MOST_EVENTS = 1000;

/** A run, and what belongs to it alone. */
interface PresentRun {
  readonly trainer: Trainer;
  readonly events: WaitingEvents;
  readonly meter: TheoremMeter;
  played: PlayedEpisodes | null;
  /** Points of the curve that a state has reported. */
  reported: number;
}

/** A run that is started, continued, watched and changed by commands: a `Trainer` with what a page needs around it. */
export class ControlledRun {
  readonly #parts: ControlParts;
  #present: PresentRun | null = null;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  get step(): number {
    return this.#running("step").trainer.step;
  }

  get done(): boolean {
    return this.#running("done").trainer.done;
  }

  /** Starts a run in place of the present one, which stays as it was if this throws. */
  async start(choice: ControlledChoice): Promise<ControlledState> {
    const { algorithm, environment, network, optimiser, settings = {} } = choice;
    await this.#replace({ algorithm, environment, network, optimiser }, settings, null);
    return this.state();
  }

  /** Continues a saved run in place of the present one, which stays as it was if this throws. */
  async load(checkpoint: Uint8Array): Promise<ControlledState> {
    const where = "checkpoint";
    const snapshot = readRunSnapshot(where, checkpoint);
    const { names, chosen } = readConfig(where, savedConfig(where, snapshot));
    await this.#replace(names, chosen, snapshot);
    return this.state();
  }

  /** One rollout and one update. */
  iterate(): Promise<void> {
    return this.#running("run").trainer.iterate();
  }

  async set(settings: Readonly<Record<string, number>>): Promise<ControlledState> {
    await this.#running("set").trainer.set(settings);
    return this.state();
  }

  /** Doubles the length of the run. */
  async extend(): Promise<void> {
    const { trainer } = this.#running("run");
    await trainer.set({ steps: 2 * Math.max(1, trainer.step, trainer.progress.steps) });
  }

  async save(): Promise<ControlAnswers["save"]> {
    const { trainer } = this.#running("save");
    return { step: trainer.step, checkpoint: encodeCheckpoint(await trainer.save()) };
  }

  async play({ steps, action }: ControlCommandOf<"play">): Promise<ControlAnswers["play"]> {
    const run = this.#running("play");
    const { policy } = run.trainer.algorithm;
    const played = await this.#playing(run);
    for (let i = 0; i < steps; i++) await played.step(policy, action);
    return played.frame(policy);
  }

  evaluate({ observations }: ControlCommandOf<"evaluate">): EvaluatedPolicy {
    const { policy } = this.#running("evaluate").trainer.algorithm;
    const { logPi, v, q } = policy.evaluate(observations);
    const B = observations.length / observationLength(policy.observationSpace);
    const A = logPi.length / B;
    const actions = Int32Array.from({ length: B }, (_, b) => mode(logPi, b * A, A));
    return { logPi: logPi.slice(), v: v?.slice() ?? null, q: q?.slice() ?? null, actions };
  }

  async measure(): Promise<ControlAnswers["measure"]> {
    const run = this.#running("measure");
    const { algorithm, step } = run.trainer;
    const played = await this.#playing(run);
    const gap = await run.meter.measure(algorithm, played.environment);
    return gap === null ? null : { step, ...gap };
  }

  /** Everything that the state before did not have. */
  state(): ControlledState {
    const run = this.#running("state");
    const { progress, done, curve, algorithm } = run.trainer;
    const curveFrom = run.reported;
    run.reported = curve.steps.length;
    return {
      progress,
      done,
      tau: algorithm.model?.tau ?? null,
      curve: { steps: curve.steps.slice(curveFrom), meanReturns: curve.meanReturns.slice(curveFrom) },
      curveFrom,
      events: run.events.take(),
    };
  }

  /** Closes the environments; another run may follow. */
  async close(): Promise<void> {
    const run = this.#present;
    this.#present = null;
    if (run !== null) await closeRun(run);
  }

  async #replace(
    names: { readonly [Kind in keyof RunKinds | "environment"]?: string | undefined },
    chosen: ControlledChoice["settings"] & object,
    snapshot: Snapshot | null,
  ): Promise<void> {
    const { kinds: known, executor, clock } = this.#parts;
    const algorithm = named("algorithm", known.algorithm, names.algorithm ?? "");
    const id = names.environment ?? fail("environment", "the run names no environment");
    const family = environmentFamily(id);
    const network = named("network", known.network, names.network ?? defaultNetwork(algorithm, family));
    const optimiser = named(
      "optimiser",
      known.optimiser,
      names.optimiser ?? defaultOptimiser(algorithm, family, network),
    );
    const kinds = { algorithm, network, optimiser };
    const config = runConfig({ kinds, environment: id, executor, chosen, known });
    const { count, options } = config.environment;
    const environment = this.#parts.environment(id, count, options);
    const events = new WaitingEvents();
    let trainer: Trainer | null = null;
    try {
      trainer = new Trainer({
        config,
        kinds,
        environment,
        executor,
        store: events,
        ...(clock === undefined ? {} : { clock }),
      });
      await (snapshot === null ? trainer.start() : trainer.restore(snapshot));
    } catch (error) {
      await trainer?.algorithm.close?.();
      await environment.close();
      throw error;
    }
    // Only now, so that a run that cannot begin leaves the present one as it was.
    const before = this.#present;
    this.#present = { trainer, events, meter: new TheoremMeter(), played: null, reported: 0 };
    if (before !== null) await closeRun(before);
  }

  async #playing(present: PresentRun): Promise<PlayedEpisodes> {
    const { environment, run } = present.trainer.config;
    if (present.played === null) {
      const random: Random = new RandomStreams(run.seed).stream("play");
      const one = this.#parts.environment(environment.id, 1, environment.options);
      present.played = new PlayedEpisodes(one, Math.floor(random.float() * 2 ** 53));
    }
    await present.played.begin();
    return present.played;
  }

  #running(what: string): PresentRun {
    return (
      this.#present ??
      fail("ControlledRun", `no run to ${what}`, { remedy: "start one, or load a checkpoint" })
    );
  }
}

async function closeRun({ trainer, played }: PresentRun): Promise<void> {
  await trainer.algorithm.close?.();
  await trainer.environment.close();
  await played?.environment.close();
}

/** The events of a run until its next state; a checkpoint is kept only where a page asks for one. */
class WaitingEvents implements RunStore {
  #events: RunEvent[] = [];

  append(event: RunEvent): void {
    if (event.event === "episode") return;
    if (this.#events.length === MOST_EVENTS) this.#events.shift();
    this.#events.push(event);
  }

  /** Empties the list. @returns it, the newest event last */
  take(): readonly RunEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  writeCheckpoint(): void {}

  writePolicy(): void {}
}
