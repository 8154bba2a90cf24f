import { describe, expect, it } from "vitest";
import {
  isShapedArray,
  type Snapshot,
  shapedArray,
  snapshotArray,
  snapshotNumber,
  snapshotSection,
  snapshotShaped,
} from "../../src/base/snapshot.js";

const snapshot: Snapshot = {
  states: Float64Array.of(1, 2),
  flags: Uint8Array.of(1),
  step: 3,
  nothing: null,
  inner: { deeper: 4 },
  weight: shapedArray([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
  bias: shapedArray([2], Float32Array.of(1, 2)),
  scale: shapedArray([], Float64Array.of(7)),
};

describe("reading a snapshot", () => {
  it("returns the entries", () => {
    expect(snapshotArray("here", snapshot, "states", "float64", 2)).toBe(snapshot.states);
    expect(snapshotNumber("here", snapshot, "step")).toBe(3);
    expect(snapshotNumber("here", snapshotSection("here", snapshot, "inner"), "deeper")).toBe(4);
  });

  it("names the entry that does not fit, and what it is instead", () => {
    const array = (name: string, length: number) => () =>
      snapshotArray("here", snapshot, name, "float64", length);
    expect(array("states", 3)).toThrow(
      `here: entry "states" of the snapshot does not fit, expected a float64 array of 3, got a float64 array of 2;`,
    );
    expect(array("flags", 1)).toThrow("expected a float64 array of 1, got a uint8 array of 1;");
    expect(array("missing", 1)).toThrow("got nothing;");
    expect(array("toString", 1)).toThrow("does not fit");
    expect(() => snapshotNumber("here", snapshot, "nothing")).toThrow("expected a number, got null;");
    for (const name of ["states", "step", "nothing", "missing", "weight"]) {
      expect(() => snapshotSection("here", snapshot, name)).toThrow("expected a snapshot");
    }
  });
});

describe("a shaped array", () => {
  const shaped = (name: string, shape: readonly number[]) => () =>
    snapshotShaped("here", snapshot, name, "float32", shape);

  it("is read with its shape", () => {
    expect(shaped("weight", [2, 3])()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(snapshotShaped("here", snapshot, "scale", "float64", [])).toEqual(Float64Array.of(7));
  });

  it("with one axis may be a typed array", () => {
    expect(snapshotArray("here", snapshot, "bias", "float32", 2)).toEqual(Float32Array.of(1, 2));
    expect(shaped("bias", [2])()).toEqual(Float32Array.of(1, 2));
    expect(snapshotShaped("here", snapshot, "states", "float64", [2])).toBe(snapshot.states);
  });

  it("of another kind or shape is refused", () => {
    const got = "got a float32 array of shape [2, 3];";
    expect(shaped("weight", [3, 2])).toThrow(`expected a float32 array of shape [3, 2], ${got}`);
    expect(shaped("weight", [2, 3, 1])).toThrow(got);
    expect(shaped("weight", [6])).toThrow(`expected a float32 array of 6, ${got}`);
    expect(shaped("scale", [])).toThrow(
      "expected a float32 array of shape [], got a float64 array of shape []",
    );
    expect(shaped("inner", [1])).toThrow("got object;");
  });

  it.each([[[2, 2]], [[]], [[6, 1, 2]], [[-2, -3]], [[1.5, 4]], [[Number.NaN]]])(
    "of shape %j does not hold six values",
    (shape) => {
      expect(() => shapedArray(shape, new Float32Array(6))).toThrow(
        `shapedArray: the values do not fill the shape, expected a shape of 6 values, got [${shape.join(", ")}].`,
      );
    },
  );

  it("is told from a section, whatever the section's names", () => {
    expect(isShapedArray({ shape: [2], values: Uint8Array.of(1, 2) })).toBe(true);
    for (const section of [{ shape: Uint8Array.of(2), values: Uint8Array.of(1, 2) }, {}, { shape: {} }]) {
      expect(isShapedArray(section)).toBe(false);
      expect(snapshotSection("here", { section }, "section")).toBe(section);
    }
  });
});
