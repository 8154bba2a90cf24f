import { describe, expect, it } from "vitest";
import { type Snapshot, snapshotArray, snapshotNumber, snapshotSection } from "../../src/base/snapshot.js";

const snapshot: Snapshot = {
  states: Float64Array.of(1, 2),
  flags: Uint8Array.of(1),
  step: 3,
  nothing: null,
  inner: { deeper: 4 },
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
    for (const name of ["states", "step", "nothing", "missing"]) {
      expect(() => snapshotSection("here", snapshot, name)).toThrow("expected a snapshot");
    }
  });
});
