import { addedStep } from "../optim/added-step.js";
import type { Buffer, Executor, SharedAccess } from "../tensor/executor.js";
import { input } from "../tensor/operations.js";
import { program } from "../tensor/program.js";

/**
 * Elements that are added at a time. Another thread's addition to the same elements is lost in the microseconds between
 * reading and writing them: so a block is small. It also stays in a processor's nearest cache.
 */
const BLOCK = 8192;

/**
 * How an executor reads and writes shared memory: in its own way, or else with a program.
 * @param most elements of an array
 */
export function sharedAccessOf(executor: Executor, most: number): SharedAccess {
  return executor.sharedAccess ?? accessByProgram(executor, most);
}

function accessByProgram(executor: Executor, most: number): SharedAccess {
  const size = Math.min(BLOCK, most);
  const names = ["shared", "before", "after"];
  const [shared, before, after] = names.map((name) => input(name, [size]));
  const { add } = executor.load({
    add: program({ outputs: { sum: addedStep(shared, before, after) } }),
  }).programs;
  const [inShared, inBefore, inAfter] = names.map((name) => add.input(name));
  const sum = add.output("sum");
  return {
    read: (from, to) => to.set(from),
    write: (from, to) => to.set(from),
    addStep(before, after, to) {
      for (let at = 0; at < to.length; at += size) {
        const end = Math.min(at + size, to.length);
        const part = (array: Buffer) => array.subarray(at, end);
        inBefore.set(part(before));
        inAfter.set(part(after));
        const block = part(to);
        inShared.set(block);
        add.run();
        block.set(end - at === size ? sum : sum.subarray(0, end - at));
      }
    },
  };
}
