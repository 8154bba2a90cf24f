import { fail } from "../base/errors.js";
import { alignedBytes, sharedMemory, sharedView } from "../base/shared-memory.js";
import { PooledMoments } from "../data/pooled-moments.js";
import type { PlacedParameter } from "../nn/parameters.js";
import type { Buffer, Executor, SharedAccess } from "../tensor/executor.js";
import { sharedAccessOf } from "./shared-access.js";
import { SharedStates } from "./shared-states.js";

/** The memory of a {@link SharedParameters}, which can be sent to a thread. */
export interface SharedMemory {
  /** θ [P] in the executor's precision, then the optimiser's states ({@link SharedStates}). */
  readonly parameters: SharedArrayBuffer;
  /** How many learners share it. */
  readonly learners: number;
  /** The moments that the threads pool, by name. */
  readonly moments: Readonly<Record<string, SharedArrayBuffer>>;
}

/** What a thread is to the memory that it shares. */
export type SharedRole =
  /** It makes the memory, for so many learners in other threads. */
  | { readonly learners: number }
  /** It learns in the memory that another has made, as number 0, 1, …. */
  | { readonly memory: SharedMemory; readonly learner: number };

/** The arrays of a learner that is shared: views of its executor's memory. */
export interface LearnerMemory {
  /** θ [P] */
  readonly theta: Buffer;
  /** The optimiser's states. */
  readonly states: readonly Buffer[];
  readonly parameters: readonly PlacedParameter[];
}

/**
 * θ and the optimiser's states in memory that the learners of several threads share, updated without locks (Hogwild, Niu
 * et al. 2011, as A3C does, Mnih et al. 2016).
 *
 * A learner has a copy in its executor's memory. It takes θ over at the start of a rollout, and the optimiser's states
 * right before each step; after the step it adds θ_new − θ_old to the shared θ and writes the states. What can go wrong
 * between the threads, and is accepted, as in the papers:
 *
 * - A copy of θ may have elements from before and after another learner's step. A copy of the states is that of one step.
 * - Where two learners add to the same elements within microseconds, one of the two additions is lost. A thread that the
 *   system pauses in these microseconds undoes all that others have added to that block meanwhile: with more threads than
 *   processors this happens, though rarely.
 * - Of steps that overlap, the states keep the last one to end: the mean square then leaves out the gradients of the others.
 *
 * Nothing is lost while no other learner steps: where nobody has written in between, θ_new itself is written, so that the
 * numbers of a lone learner are those of one without shared memory, bit for bit.
 */
export class SharedParameters {
  readonly #role: SharedRole;
  readonly #moments: Record<string, SharedArrayBuffer> = {};
  #memory: SharedArrayBuffer | null = null;
  #local: LearnerMemory | null = null;
  /** θ in the shared memory. */
  #theta: Buffer = new Float32Array(0);
  #states: SharedStates | null = null;
  /** θ as it was before the step. */
  #before: Buffer = new Float32Array(0);
  #access: SharedAccess | null = null;

  constructor(role: SharedRole) {
    this.#role = role;
  }

  /**
   * Takes a learner's arrays. The thread that makes the memory fills it from them.
   * @param executor reads and writes the memory
   */
  attach(local: LearnerMemory, executor: Executor): void {
    if (this.#local !== null) {
      fail("SharedParameters.attach", "called twice", { expected: "one learner in each thread" });
    }
    this.#local = local;
    const { theta, states } = local;
    const learners = this.#learners;
    const thetaBytes = alignedBytes(theta);
    const bytes = thetaBytes + SharedStates.bytes(states, learners);
    const role = this.#role;
    const memory = "memory" in role ? role.memory.parameters : sharedMemory("SharedParameters", bytes);
    if (memory.byteLength !== bytes) {
      fail("SharedParameters.attach", "the learner does not fit the shared memory", {
        expected: `${memory.byteLength} bytes`,
        got: String(bytes),
        remedy: "make it from the same configuration, with the same executor",
      });
    }
    this.#theta = sharedView(memory, 0, theta);
    const learner = "memory" in role ? role.learner : null;
    this.#states = new SharedStates(memory, thetaBytes, states, learners, learner);
    this.#before = local.theta.slice();
    this.#access = sharedAccessOf(executor, local.theta.length);
    this.#memory = memory;
    this.publish();
  }

  /** The memory, for the threads. @throws SoftrlError before a learner is attached. */
  get memory(): SharedMemory {
    const parameters = this.#memory ?? fail("SharedParameters.memory", "no learner is attached");
    return { parameters, learners: this.#learners, moments: this.#moments };
  }

  get #learners(): number {
    return "memory" in this.#role ? this.#role.memory.learners : this.#role.learners;
  }

  /** Moments that the learners pool. */
  pool(name: string, elements: number): PooledMoments {
    const role = this.#role;
    if ("memory" in role) {
      const memory = role.memory.moments[name] ?? fail("SharedParameters.pool", `there is no pool ${name}`);
      return new PooledMoments(memory, elements, role.learner);
    }
    this.#moments[name] = PooledMoments.memory(elements, role.learners);
    return new PooledMoments(this.#moments[name], elements, null);
  }

  /** Writes the learner's θ and states into the shared memory, where this thread has made it: after a restore. */
  publish(): void {
    if ("memory" in this.#role || this.#local === null) return;
    this.#theta.set(this.#local.theta);
    this.#states?.set(this.#local.states);
  }

  /** Takes θ and the states over. */
  fetch(): void {
    this.fetchTheta();
    this.#fetchStates();
  }

  /** Takes θ over, at the start of a rollout. */
  fetchTheta(): void {
    if (this.#local !== null) this.#access?.read(this.#theta, this.#local.theta);
  }

  #fetchStates(): void {
    if (this.#local !== null && this.#access !== null) this.#states?.read(this.#local.states, this.#access);
  }

  /** Takes the states over and remembers θ: right before a step. */
  beforeStep(): void {
    if (this.#local === null) return;
    this.#fetchStates();
    this.#before.set(this.#local.theta);
  }

  /** Adds θ_new − θ_old to the shared θ and writes the states: right after a step. */
  afterStep(): void {
    if (this.#local === null || this.#access === null) return;
    const { theta, states, parameters } = this.#local;
    this.#access.addStep(this.#before, theta, this.#theta);
    // A statistic of the observations is not a sum of steps: the newest one is the best.
    for (const { statistic, offset, size } of parameters) {
      if (statistic !== undefined) this.#theta.set(theta.subarray(offset, offset + size), offset);
    }
    this.#states?.write(states, this.#access);
  }
}
