import type { Buffer, Executor } from "softrl";
import { expect, test } from "vitest";
import { sharedAccessOf } from "../../src/algorithms/shared-access.js";

/** What every executor's access to shared memory does, wherever an array begins and ends. */
export function sharedAccessContract(executor: Executor): void {
  const round = executor.precision === "float32" ? Math.fround : (x: number) => x;
  const Numbers = executor.precision === "float32" ? Float32Array : Float64Array;
  const numbersFrom = (length: number, number: (i: number) => number) => {
    const numbers: Buffer = new Numbers(length);
    for (let i = 0; i < length; i++) numbers[i] = number(i);
    return numbers;
  };
  const short = [0, 1, 7, 15, 16, 17].flatMap((at) => [1, 5, 16, 40].map((length) => ({ at, length })));
  const places = [...short, { at: 3, length: 8200 }];
  const access = sharedAccessOf(executor, 8200);

  /** An array in shared memory, and whether what is around it is still as it was. */
  function arrayAt({ at, length }: (typeof places)[number]) {
    const memory = new SharedArrayBuffer((at + length + 20) * Numbers.BYTES_PER_ELEMENT);
    const all: Buffer = Numbers === Float32Array ? new Float32Array(memory) : new Float64Array(memory);
    all.fill(-1);
    const around = () => [...all.subarray(0, at), ...all.subarray(at + length)];
    return { array: all.subarray(at, at + length), isAloneChanged: () => around().every((x) => x === -1) };
  }

  test(`${executor.name}: writes and reads an array`, () => {
    for (const place of places) {
      const { array, isAloneChanged } = arrayAt(place);
      const from = numbersFrom(place.length, Math.sqrt);
      access.write(from, array);
      expect(array).toEqual(from);
      expect(isAloneChanged()).toBe(true);
      const read = new Numbers(place.length);
      access.read(array, read);
      expect(read).toEqual(from);
    }
  });

  test(`${executor.name}: adds a step, or writes its end where nobody else has stepped`, () => {
    for (const place of places) {
      const { array, isAloneChanged } = arrayAt(place);
      array.set(numbersFrom(place.length, Math.cos));
      const before = numbersFrom(place.length, (i) => Math.cos(i % 3 === 0 ? i + 1 : i));
      const after = numbersFrom(place.length, (i) => Math.sin(i) * 1e-9);
      const expected = numbersFrom(place.length, (i) =>
        array[i] === before[i] ? after[i] : array[i] + round(after[i] - before[i]),
      );
      access.addStep(before, after, array);
      expect(array).toEqual(expected);
      expect(isAloneChanged()).toBe(true);
    }
  });
}
