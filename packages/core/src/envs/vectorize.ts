import { describeNumber, fail, requireInteger, requireLength, SoftrlError } from "../base/errors.js";
import { inPart, thrownText } from "../base/part-fault.js";
import { type Random, RandomStreams } from "../base/random.js";
import { type Snapshot, savedBy, snapshotArray, snapshotSection } from "../base/snapshot.js";
import { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "../math/endings.js";
import type { Mdp } from "../mdp/sparse-mdp.js";
import type { Picture } from "./canvas.js";
import type { Environment, Observations, StepOutcome, VectorEnvironment } from "./environment.js";
import { requireEnvironmentMemory } from "./environment-memory.js";
import {
  actionCount,
  describeSpace,
  observationLength,
  type Space,
  sameSpace,
  validateSpace,
} from "./spaces.js";

export interface VectorizeOptions {
  /** The time limit, at which an episode is truncated; no limit by default. */
  readonly maxEpisodeSteps?: number;
}

/**
 * Makes S environments with `make` and steps them one after the other as one {@link VectorEnvironment}.
 *
 * If an environment throws or returns something invalid, you get one error that names the id, the environment and the
 * step of its episode; then the vector environment must be reset. An action that is out of range changes nothing.
 */
export function vectorize(
  id: string,
  make: () => Environment,
  size: number,
  options: VectorizeOptions = {},
): LocalEnvironment {
  return new LocalEnvironment(id, make, size, options);
}

/** Environments that step synchronously in this thread. Made by {@link vectorize}. */
export class LocalEnvironment implements VectorEnvironment {
  readonly id: string;
  readonly size: number;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** The `mdp` of the first environment, if it has one. */
  declare readonly mdp?: Mdp;
  readonly observations: Observations;
  readonly finalObservations: Observations;
  readonly rewards: Float64Array;
  readonly episodeReturns: Float64Array;
  readonly episodeLengths: Int32Array;
  readonly episodeEnded: Uint8Array;
  readonly terminated: Terminated;
  readonly truncated: Truncated;
  /** The `paint` of the first environment, if it has one. */
  readonly paint?: (observation: Observations) => Picture;
  readonly #environments: readonly Environment[];
  readonly #rows: readonly Observations[];
  readonly #finalRows: readonly Observations[];
  readonly #actions: number;
  readonly #limit: number;
  readonly #steps: Int32Array;
  readonly #returns: Float64Array;
  #randoms: readonly Random[] = [];
  #state: "fresh" | "running" | "failed" | "closed" = "fresh";

  constructor(id: string, make: () => Environment, size: number, options: VectorizeOptions) {
    requireInteger(`vectorize ${id}`, "size", size, 1);
    if (options.maxEpisodeSteps !== undefined) {
      requireInteger(`vectorize ${id}`, "maxEpisodeSteps", options.maxEpisodeSteps, 1);
    }
    this.id = id;
    this.size = size;
    this.#limit = options.maxEpisodeSteps ?? Infinity;
    const first = make();
    for (const method of ["reset", "step", "save", "restore"] as const) {
      if (typeof first?.[method] === "function") continue;
      fail(`vectorize ${id}`, `the environment has no method ${method}`, {
        expected: "an object with reset, step, save and restore",
        remedy: "add it: every checkpoint calls save, and resume calls restore",
      });
    }
    const { observationSpace, actionSpace } = first;
    requireSpaces(`${id} environment 0`, first);
    if (observationSpace.kind === "box") requireEnvironmentMemory(`vectorize ${id}`, size, observationSpace);
    this.#environments = Array.from({ length: size }, (_, i) => (i === 0 ? first : make()));
    if (new Set(this.#environments).size !== size) {
      fail(`vectorize ${id}`, "make returned the same environment twice", {
        remedy: "return a new environment at each call",
      });
    }
    this.#requireSpaces(observationSpace, actionSpace);
    this.observationSpace = observationSpace;
    this.actionSpace = actionSpace;
    this.#actions = actionCount(actionSpace);
    const length = observationLength(observationSpace);
    const bytes = observationSpace.kind === "box" && observationSpace.dtype === "uint8";
    const observations = () => (bytes ? new Uint8Array(size * length) : new Float32Array(size * length));
    const rows = (all: Observations) =>
      Array.from({ length: size }, (_, i) => all.subarray(i * length, (i + 1) * length));
    this.observations = observations();
    this.finalObservations = observations();
    this.#rows = rows(this.observations);
    this.#finalRows = rows(this.finalObservations);
    this.rewards = new Float64Array(size);
    this.episodeReturns = new Float64Array(size);
    this.episodeLengths = new Int32Array(size);
    this.episodeEnded = new Uint8Array(size);
    this.terminated = terminatedFlags(size);
    this.truncated = truncatedFlags(size);
    // A large process may be made when it is first read.
    if ("mdp" in first) Object.defineProperty(this, "mdp", { get: () => first.mdp, enumerable: true });
    if (first.paint !== undefined) this.paint = first.paint.bind(first);
    this.#steps = new Int32Array(size);
    this.#returns = new Float64Array(size);
  }

  reset(streams: RandomStreams): void {
    this.#requireOpen("reset");
    this.#state = "failed";
    this.#randoms = this.#environments.map((_, i) => streams.stream("environment", i));
    for (let i = 0; i < this.size; i++) this.#start(i);
    this.#clearOutcomes();
    this.#state = "running";
  }

  step(actions: Int32Array): void {
    this.#requireRunning("step");
    this.#requireActions(actions);
    // If one environment fails, those before it have already stepped.
    this.#state = "failed";
    for (let i = 0; i < this.size; i++) this.#stepOne(i, actions[i]);
    this.#state = "running";
  }

  save(): Snapshot {
    this.#requireRunning("save");
    const randoms = new Uint32Array(this.size * 4);
    this.#randoms.forEach((random, i) => {
      randoms.set(random.save(), i * 4);
    });
    return {
      randoms,
      environments: Object.fromEntries(
        this.#environments.map((environment, i) => [
          i,
          savedBy(`${this.id} environment ${i}`, () => environment.save()),
        ]),
      ),
      observations: this.observations.slice(),
      steps: this.#steps.slice(),
      returns: this.#returns.slice(),
    };
  }

  restore(snapshot: Snapshot): void {
    this.#requireOpen("restore");
    const where = `${this.id} restore`;
    const { size, observations } = this;
    const kind = observations instanceof Uint8Array ? "uint8" : "float32";
    const states = snapshotArray(where, snapshot, "randoms", "uint32", size * 4);
    const saved = snapshotArray(where, snapshot, "observations", kind, observations.length);
    const steps = snapshotArray(where, snapshot, "steps", "int32", size);
    const returns = snapshotArray(where, snapshot, "returns", "float64", size);
    const environments = snapshotSection(where, snapshot, "environments");
    const sections = this.#environments.map((_, i) => snapshotSection(where, environments, String(i)));
    // reset gives each environment its stream; the stream's state is restored below.
    this.reset(new RandomStreams(0));
    this.#state = "failed";
    this.#environments.forEach((environment, i) => {
      inPart(`${this.id} environment ${i}`, "restore", () => environment.restore(sections[i]));
      this.#randoms[i].restore(states.subarray(i * 4, i * 4 + 4));
    });
    observations.set(saved);
    this.#steps.set(steps);
    this.#returns.set(returns);
    this.#state = "running";
  }

  close(): void {
    this.#state = "closed";
  }

  #start(i: number): void {
    this.#steps[i] = 0;
    this.#returns[i] = 0;
    try {
      this.#environments[i].reset(this.#randoms[i], this.#rows[i]);
    } catch (error) {
      this.#rethrow(i, "reset", error);
    }
    this.#requireFinite(i);
  }

  #stepOne(i: number, action: number): void {
    const steps = ++this.#steps[i];
    const { reward, terminated, truncated } = this.#outcome(i, action);
    if (typeof terminated !== "boolean" || typeof truncated !== "boolean") {
      const name = typeof terminated !== "boolean" ? "terminated" : "truncated";
      fail(this.#place(i), `${name} is not a boolean`, {
        expected: "true or false",
        got: describeNumber(name === "terminated" ? terminated : truncated),
      });
    }
    if (typeof reward !== "number" || !Number.isFinite(reward)) {
      fail(this.#place(i), "the reward is not finite", {
        expected: "a finite number",
        got: describeNumber(reward),
      });
    }
    this.#requireFinite(i);
    const late = truncated || steps >= this.#limit;
    this.#returns[i] += reward;
    this.rewards[i] = reward;
    this.terminated[i] = terminated ? 1 : 0;
    this.truncated[i] = late ? 1 : 0;
    this.episodeEnded[i] = terminated || late ? 1 : 0;
    if (!terminated && !late) return;
    this.episodeReturns[i] = this.#returns[i];
    this.episodeLengths[i] = steps;
    this.#finalRows[i].set(this.#rows[i]);
    this.#start(i);
  }

  #outcome(i: number, action: number): StepOutcome {
    let outcome: StepOutcome | null | undefined;
    try {
      outcome = this.#environments[i].step(action, this.#rows[i]);
    } catch (error) {
      this.#rethrow(i, "step", error);
    }
    if (typeof outcome === "object" && outcome !== null) return outcome;
    return fail(this.#place(i), "step did not return an outcome", {
      expected: "{ reward, terminated, truncated }",
      got: describeNumber(outcome),
    });
  }

  #clearOutcomes(): void {
    this.rewards.fill(0);
    this.terminated.fill(0);
    this.truncated.fill(0);
    this.episodeEnded.fill(0);
  }

  #place(i: number): string {
    return `${this.id} environment ${i}, step ${this.#steps[i]}`;
  }

  #rethrow(i: number, what: string, error: unknown): never {
    const details = error instanceof SoftrlError ? { code: error.code } : {};
    throw new SoftrlError(this.#place(i), `${what} failed: ${thrownText(error)}`, details, { cause: error });
  }

  #requireFinite(i: number): void {
    const row = this.#rows[i];
    if (row instanceof Uint8Array) return;
    for (let j = 0; j < row.length; j++) {
      if (!Number.isFinite(row[j])) {
        fail(this.#place(i), `element ${j} of the observation is not finite`, {
          expected: "a finite number",
          got: String(row[j]),
        });
      }
    }
  }

  #requireActions(actions: Int32Array): void {
    requireLength(this.id, "actions", actions.length, this.size, "give one action per environment");
    for (let i = 0; i < actions.length; i++) {
      if (!(actions[i] >= 0 && actions[i] < this.#actions)) {
        fail(`${this.id} environment ${i}, step ${this.#steps[i] + 1}`, "the action is out of range", {
          expected: `an integer in [0, ${this.#actions - 1}]`,
          got: String(actions[i]),
        });
      }
    }
  }

  #requireSpaces(observationSpace: Space, actionSpace: Space): void {
    this.#environments.forEach((environment, i) => {
      // The first one's were checked before the others were made.
      if (i === 0) return;
      const where = `${this.id} environment ${i}`;
      requireSpaces(where, environment);
      if (!sameSpace(environment.observationSpace, observationSpace)) {
        fail(where, "observationSpace differs from that of environment 0", {
          expected: describeSpace(observationSpace),
          got: describeSpace(environment.observationSpace),
        });
      }
      if (!sameSpace(environment.actionSpace, actionSpace)) {
        fail(where, "actionSpace differs from that of environment 0", {
          expected: describeSpace(actionSpace),
          got: describeSpace(environment.actionSpace),
        });
      }
    });
  }

  #requireOpen(what: string): void {
    if (this.#state === "closed") {
      fail(`${this.id} ${what}`, "the environment is closed", { remedy: "make a new one" });
    }
  }

  #requireRunning(what: string): void {
    this.#requireOpen(what);
    if (this.#state === "fresh") {
      fail(`${this.id} ${what}`, "no episode has begun", { remedy: "call reset(streams) first" });
    }
    if (this.#state === "failed") {
      fail(`${this.id} ${what}`, "an earlier call failed", { remedy: "call reset(streams) to start again" });
    }
  }
}

function requireSpaces(where: string, { observationSpace, actionSpace }: Environment): void {
  validateSpace(where, "observationSpace", observationSpace);
  validateSpace(where, "actionSpace", actionSpace);
}
