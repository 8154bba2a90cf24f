import { alignedBytes, sharedView } from "../base/shared-memory.js";
import type { Buffer, SharedAccess } from "../tensor/executor.js";

/** In the header: the number of the slot that has the newest states, then how often each slot has been written. */
const NEWEST = 0;
const writesOf = (slot: number): number => 1 + slot;

/**
 * An optimiser's states in memory that several learners share without locks, always read as one step has left them.
 *
 * There is a slot for the newest states and one for each learner. After a step, a learner writes all states into its own
 * slot and exchanges it for the newest one. So no reader finds the first moment of one step beside the second moment of
 * another: Adam would divide the former by the root of the latter, which is 0 for a parameter that only the first of the two
 * steps had a gradient of, and would throw that parameter away.
 *
 * Nobody waits: a reader whose slot is written anew meanwhile reads again, which takes two steps of another learner.
 */
export class SharedStates {
  readonly #header: Int32Array;
  readonly #slots: readonly (readonly Buffer[])[];
  /** The slot that this learner may write. */
  #own: number | null;

  /**
   * @param offset where the states begin in the memory: {@link SharedStates.bytes} from there are theirs
   * @param states arrays of the sizes and the precision of the states
   * @param learners of all threads together
   * @param learner the number of this thread's learner, each once; null for a thread that does not learn
   */
  constructor(
    memory: SharedArrayBuffer,
    offset: number,
    states: readonly Buffer[],
    learners: number,
    learner: number | null,
  ) {
    const slots = learners + 1;
    this.#header = new Int32Array(memory, offset, 1 + slots);
    let at = offset + alignedBytes(this.#header);
    this.#slots = Array.from({ length: slots }, () =>
      states.map((state) => {
        const view = sharedView(memory, at, state);
        at += alignedBytes(state);
        return view;
      }),
    );
    this.#own = learner === null ? null : 1 + learner;
  }

  /** Bytes of memory for the states of so many learners. */
  static bytes(states: readonly Buffer[], learners: number): number {
    const slots = learners + 1;
    const slot = states.reduce((sum, state) => sum + alignedBytes(state), 0);
    return alignedBytes(new Int32Array(1 + slots)) + slots * slot;
  }

  /** Writes the newest states while no learner is at work. */
  set(states: readonly Buffer[]): void {
    const newest = this.#slots[Atomics.load(this.#header, NEWEST)];
    states.forEach((state, i) => void newest[i].set(state));
  }

  /** into ← the newest states, those of one step. */
  read(into: readonly Buffer[], access: SharedAccess): void {
    const header = this.#header;
    for (;;) {
      const slot = Atomics.load(header, NEWEST);
      const writes = Atomics.load(header, writesOf(slot));
      // Where it is still the newest one, it was not being written when `writes` was read.
      if (Atomics.load(header, NEWEST) !== slot) continue;
      for (let i = 0; i < into.length; i++) access.read(this.#slots[slot][i], into[i]);
      // An addition in place of a load: processors may not move it before the copying.
      if (Atomics.add(header, writesOf(slot), 0) === writes) return;
    }
  }

  /** Makes a learner's states the newest ones: right after its step. */
  write(states: readonly Buffer[], access: SharedAccess): void {
    if (this.#own === null) return;
    Atomics.add(this.#header, writesOf(this.#own), 1);
    for (let i = 0; i < states.length; i++) access.write(states[i], this.#slots[this.#own][i]);
    this.#own = Atomics.exchange(this.#header, NEWEST, this.#own);
  }
}
