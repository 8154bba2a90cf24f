import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { gradient } from "../../src/tensor/gradient.js";
import { add, constant, exp, input, pad, slice, sum } from "../../src/tensor/operations.js";
import type { Tensor } from "../../src/tensor/tensor.js";

/** A value that a caller in plain JavaScript may pass. */
const plain = <T>(value: unknown): T => value as T;

describe("a call from plain JavaScript throws an error instead of giving NaN for", () => {
  const x = input("x", [4]);
  it.each<[string, () => unknown, string]>([
    [
      "nested constants",
      () =>
        constant(
          plain([
            [1, 2],
            [3, 4],
          ]),
        ),
      "constant: the values are not a flat array of numbers",
    ],
    ["text as a constant", () => constant(plain("abc")), 'got "abc"'],
    ["no constant", () => constant(plain(undefined)), "constant: the values are not a flat array of numbers"],
    [
      "an array as an operand",
      () => add(x, plain([1, 2, 3, 4])),
      "expected a tensor, got [1,2,3,4]; wrap numbers",
    ],
    ["text as an operand", () => add(x, plain("3")), 'expected a tensor, got "3"'],
    ["no operand", () => exp(plain(undefined)), "exp: an operand is not a tensor"],
    ["no shape", () => input("a", plain(undefined)), 'input "a": invalid shape'],
    ["a tensor instead of a list", () => gradient(sum(x), plain<Tensor[]>(x)), "gradient: wrt is not a list"],
    ["slice: a fraction of an element", () => slice(x, [0.5], [2.5]), "slice: invalid range"],
    ["pad: a fraction of an element", () => pad(x, [0.5], [0]), "pad: invalid widths"],
    [
      "a uniform number without bounds",
      () => new RandomStreams(1).stream("a").uniform(plain(undefined), 1),
      "Random.uniform",
    ],
    [
      "swapped bounds",
      () => new RandomStreams(1).stream("a").uniform(2, 1),
      "expected low ≤ high, got 2 and 1",
    ],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
