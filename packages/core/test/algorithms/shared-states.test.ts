import { createReferenceExecutor } from "softrl";
import { describe, expect, test } from "vitest";
import { sharedAccessOf } from "../../src/algorithms/shared-access.js";
import { SharedStates } from "../../src/algorithms/shared-states.js";
import type { SharedAccess } from "../../src/tensor/executor.js";

const plain = sharedAccessOf(createReferenceExecutor(), 4);

/** Two states of different sizes, all of whose elements are the number of a step. */
const statesOf = (step: number) => [new Float64Array(4).fill(step), new Float64Array(2).fill(step)];

/** @param learner null for a thread that does not learn */
function shared(learners: number) {
  const memory = new SharedArrayBuffer(128 + SharedStates.bytes(statesOf(0), learners));
  return (learner: number | null) => new SharedStates(memory, 128, statesOf(0), learners, learner);
}

/** Copies as `plain` does, and calls this before the second array of each copy. */
function interrupted(between: () => void): SharedAccess {
  let copies = 0;
  const counted = (copy: SharedAccess["read"]) => (from: Float64Array, to: Float64Array) => {
    if (copies++ % 2 === 1) between();
    copy(from, to);
  };
  return { ...plain, read: counted(plain.read), write: counted(plain.write) } as SharedAccess;
}

function read(states: SharedStates, access = plain) {
  const into = statesOf(-1);
  states.read(into, access);
  return into;
}

describe("an optimiser's states in shared memory", () => {
  test("are those that were set, then those of the newest step", () => {
    const of = shared(2);
    const [first, second, observer] = [of(0), of(1), of(null)];
    observer.set(statesOf(1));
    for (const states of [first, second, observer]) expect(read(states)).toEqual(statesOf(1));
    for (let step = 2; step < 12; step++) {
      (step % 3 === 0 ? first : second).write(statesOf(step), plain);
      for (const states of [first, second, observer]) expect(read(states)).toEqual(statesOf(step));
    }
    observer.set(statesOf(20));
    expect(read(first)).toEqual(statesOf(20));
  });

  test("are those of the step before while another learner is writing", () => {
    const of = shared(2);
    const [first, second] = [of(0), of(1)];
    first.write(statesOf(1), plain);
    const seen: unknown[] = [];
    first.write(
      statesOf(2),
      interrupted(() => seen.push(read(second))),
    );
    expect(seen).toEqual([statesOf(1)]);
    expect(read(second)).toEqual(statesOf(2));
  });

  test("are those of the last of two steps that were written at the same time", () => {
    const of = shared(2);
    const [first, second] = [of(0), of(1)];
    first.write(
      statesOf(1),
      interrupted(() => second.write(statesOf(2), plain)),
    );
    expect(read(second)).toEqual(statesOf(1));
  });

  test("are read again where the slot was written meanwhile", () => {
    const of = shared(2);
    const [first, second] = [of(0), of(1)];
    first.write(statesOf(1), plain);
    let step = 1;
    const access = interrupted(() => {
      // The second of two steps writes the slot that is being read.
      if (step < 3) for (let i = 0; i < 2; i++) first.write(statesOf(++step), plain);
    });
    expect(read(second, access)).toEqual(statesOf(3));
  });

  test("of a random interleaving are never of two steps", () => {
    const of = shared(3);
    const learners = [of(0), of(1), of(2)];
    let random = 1;
    const draw = (n: number) => {
      random = (random * 48271) % 2147483647;
      return random % n;
    };
    let step = 0;
    const act = (depth: number, free: readonly number[]): void => {
      const i = free[draw(free.length)];
      const rest = free.filter((other) => other !== i);
      const access = interrupted(() => {
        for (let k = draw(3); k > 0 && rest.length > 0 && depth < 3; k--) act(depth + 1, rest);
      });
      if (draw(2) === 0) learners[i].write(statesOf(++step), access);
      else expect(new Set(read(learners[i], access).flatMap((array) => [...array])).size).toBe(1);
    };
    for (let k = 0; k < 2000; k++) act(0, [0, 1, 2]);
    expect(step).toBeGreaterThan(1000);
  });
});
