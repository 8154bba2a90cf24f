import { type FiniteMdp, validateFiniteMdp } from "softrl";
import { describe, expect, it } from "vitest";

/** Two states, two actions; state 1 is terminal. */
const mdp = (changes: Partial<FiniteMdp> = {}): FiniteMdp => ({
  states: 2,
  actions: 2,
  transitions: Float64Array.of(0.25, 0.75, 1, 0, 0, 1, 0, 1),
  rewards: Float64Array.of(1, 2, 0, 0),
  terminal: Uint8Array.of(0, 1),
  initial: Float64Array.of(1, 0),
  ...changes,
});

describe("validateFiniteMdp", () => {
  it("accepts a valid process, including rows that sum to one within 1e-9", () => {
    validateFiniteMdp(mdp());
    validateFiniteMdp(mdp({ transitions: Float64Array.of(0.25, 0.75 + 9e-10, 1, 0, 0, 1, 0, 1) }));
  });

  it.each<[Partial<FiniteMdp>, RegExp]>([
    [{ states: 0 }, /states/],
    [{ actions: 1.5 }, /actions/],
    [{ transitions: new Float64Array(7) }, /transitions has the wrong length, expected 8, got 7/],
    [{ rewards: new Float64Array(3) }, /rewards has the wrong length/],
    [{ terminal: new Uint8Array(1) }, /terminal has the wrong length/],
    [{ initial: new Float64Array(3) }, /initial has the wrong length/],
    [
      { transitions: Float64Array.of(0.25, 0.75 + 3e-9, 1, 0, 0, 1, 0, 1) },
      /transitions of state 0, action 0 does not sum to one/,
    ],
    [
      { transitions: Float64Array.of(0.25, 0.75, 1, 0, 0, 1, 0, 0.5) },
      /transitions of state 1, action 1 does not sum to one, expected 1 within 1e-9, got 0\.5/,
    ],
    [
      { transitions: Float64Array.of(0.25, 0.75, 1.5, -0.5, 0, 1, 0, 1) },
      /transitions of state 0, action 1 has an invalid probability at state 1.*got -0\.5/,
    ],
    [
      { transitions: Float64Array.of(0.25, 0.75, Number.NaN, 0, 0, 1, 0, 1) },
      /transitions of state 0, action 1 has an invalid probability at state 0.*got NaN/,
    ],
    [
      { rewards: Float64Array.of(1, 2, Infinity, 0) },
      /rewards of state 1, action 0 is not finite, got Infinity/,
    ],
    [{ terminal: Uint8Array.of(0, 2) }, /terminal of state 1 is not a flag/],
    [{ initial: Float64Array.of(0.5, 0.4) }, /initial does not sum to one/],
  ])("refuses %o", (changes, message) => {
    expect(() => validateFiniteMdp(mdp(changes), "here")).toThrow(message);
  });
});
