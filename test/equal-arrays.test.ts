import { expect, test } from "vitest";

test("arrays are equal as their numbers are, not as their bytes", () => {
  const numbers = Float64Array.of(1, Number.NaN, -0);
  expect(numbers.slice()).toEqual(numbers);
  expect({ numbers: numbers.slice() }).toStrictEqual({ numbers });
  expect(numbers.subarray(1)).not.toEqual(numbers);
  expect(Float64Array.of(1, Number.NaN, 0)).not.toEqual(numbers);
  expect(Float32Array.from(numbers)).not.toEqual(numbers);
  expect(new Uint8Array(8)).not.toEqual(new Float32Array(2));
  const otherNaN = new Float64Array(new BigUint64Array([0x7ff8000000000001n]).buffer);
  expect(otherNaN).toEqual(Float64Array.of(Number.NaN));
});

test("large arrays are compared at once", () => {
  const [a, b] = [new Float32Array(3_000_000).fill(1), new Float32Array(3_000_000).fill(1)];
  const began = process.cpuUsage();
  expect({ a }).toEqual({ a: b });
  // Element by element it takes ten seconds.
  expect(process.cpuUsage(began).user).toBeLessThan(2e6);
});
