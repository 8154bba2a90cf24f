import { SoftrlError } from "softrl";
import { describe, expect, it } from "vitest";
import { fail, requireInteger, requireLength, requireNumber } from "../../src/base/errors.js";

describe("SoftrlError", () => {
  it("says where, what, expected, got and the remedy, and keeps them apart", () => {
    const details = { expected: "T + 1 = 6", got: "5", remedy: "append the bootstrap value" };
    const error = new SoftrlError("nStepTargets", "values has the wrong length", details);
    expect(error.message).toBe(
      "nStepTargets: values has the wrong length, expected T + 1 = 6, got 5; append the bootstrap value.",
    );
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("SoftrlError");
    expect(error.where).toBe("nStepTargets");
    expect(error.details).toEqual(details);
  });

  it("leaves out what is not said, and ends in one stop", () => {
    expect(new SoftrlError("here", "it broke").message).toBe("here: it broke.");
    expect(new SoftrlError("here", "it broke", { got: "1" }).message).toBe("here: it broke, got 1.");
    expect(new SoftrlError("here", "no", { remedy: "did you mean a?" }).message).toBe(
      "here: no; did you mean a?",
    );
  });

  it("keeps the cause", () => {
    const cause = new Error("deep");
    expect(new SoftrlError("here", "it broke", {}, { cause }).cause).toBe(cause);
  });
});

describe("guards", () => {
  it("fail stands where a value is wanted", () => {
    const missing: string | undefined = new Map<string, string>().get("a");
    expect(() => missing ?? fail("here", "nothing came", { got: "nothing" })).toThrow(SoftrlError);
  });

  it("requireNumber lets the bounds through, and neither NaN nor infinity", () => {
    requireNumber("here", "gamma", 0, 0, 1);
    requireNumber("here", "gamma", 1, 0, 1);
    for (const value of [Number.NaN, -1e-9, 1.001]) {
      expect(() => requireNumber("here", "gamma", value, 0, 1)).toThrow(
        `here: gamma is out of range, expected a number in [0, 1], got ${value}.`,
      );
    }
    expect(() => requireNumber("here", "x", Infinity, 0, Infinity)).toThrow(/got Infinity/);
  });

  it("requireInteger takes whole numbers from the bound on", () => {
    requireInteger("here", "n", 1, 1);
    for (const value of [0, 1.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(() => requireInteger("here", "n", value, 1)).toThrow(
        `here: n is out of range, expected an integer of at least 1, got ${value}.`,
      );
    }
  });

  it("requireLength names both lengths, and the remedy if there is one", () => {
    requireLength("here", "actions", 3, 3);
    expect(() => requireLength("here", "actions", 2, 3)).toThrow(
      "here: actions has the wrong length, expected 3, got 2.",
    );
    expect(() => requireLength("here", "actions", 2, 3, "give one an environment")).toThrow(
      "here: actions has the wrong length, expected 3, got 2; give one an environment.",
    );
    expect(() => requireLength("here", "actions", Number.NaN, 3)).toThrow(/got NaN/);
  });
});
