import { isErrorCode, makeEnvironment, readEnvironmentOptions, SoftrlError } from "softrl";
import { describe, expect, it } from "vitest";
import { describeValue, fail, requireInteger, requireLength, requireNumber } from "../../src/base/errors.js";

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
    expect(() => fail("here", "it broke", {}, { cause })).toThrow(expect.objectContaining({ cause }));
  });

  it("has no cause where none is known", () => {
    expect("cause" in new SoftrlError("here", "it broke", {}, { cause: undefined })).toBe(false);
  });

  it("has the code bad-input, unless another is given", () => {
    expect(new SoftrlError("here", "it broke").code).toBe("bad-input");
    const error = new SoftrlError("here", "it broke", { code: "out-of-memory", bytes: 2 ** 40 });
    expect(error.code).toBe("out-of-memory");
    expect(error.details.bytes).toBe(2 ** 40);
    expect(error.message).toBe("here: it broke.");
  });

  it("can be thrown again with another place, without a look at its message", () => {
    const details = { expected: "a", got: "b", remedy: "c", code: "diverged", setting: "tau" } as const;
    const inner = new SoftrlError("inside", "it broke", details);
    const outer = new SoftrlError("--tau", inner.what, inner.details, { cause: inner });
    expect(outer.message).toBe("--tau: it broke, expected a, got b; c.");
    expect(outer).toMatchObject({ code: "diverged", details: { setting: "tau" }, cause: inner });
  });

  it("knows its codes when they come from elsewhere", () => {
    expect(isErrorCode("no-python")).toBe(true);
    for (const value of ["", "bad", null, undefined, 3]) expect(isErrorCode(value)).toBe(false);
  });
});

describe("an error about a lot of input", () => {
  const megabytes = "x".repeat(9_000_000);

  it("has a short message, whichever part repeats the input", () => {
    const details = { expected: megabytes, got: megabytes, remedy: megabytes };
    const all = new SoftrlError(megabytes, megabytes, details);
    expect(all.message.length).toBeLessThanOrEqual(1501);
    expect(all.where).toHaveLength(300);
    expect(all.what).toHaveLength(800);
    expect(all.details.got).toHaveLength(300);
    const echo = new SoftrlError("here", "it broke", { got: megabytes, remedy: "use less" });
    expect(echo.message).toMatch(/^here: it broke, got x{200,}… \(9000000 characters\); use less\.$/);
  });

  it("is refused with a short message by functions that take names and values", () => {
    const attempts = [
      () => makeEnvironment(megabytes, 1),
      () => makeEnvironment("CartPole-v1", 1, JSON.parse(`{"${megabytes}": 1}`)),
      () => readEnvironmentOptions(megabytes, "CartPole-v1", { [megabytes]: megabytes }),
      () => readEnvironmentOptions("--env-options", "CartPole-v1", { maxEpisodeSteps: megabytes }),
    ];
    for (const attempt of attempts) {
      let message = "";
      try {
        attempt();
      } catch (error) {
        message = String(error);
      }
      expect(message).toMatch(/^SoftrlError: /);
      expect(message.length).toBeLessThan(1600);
    }
  });

  it("has one line without commands for the terminal", () => {
    const [ESC, BEL] = [27, 7].map((code) => String.fromCharCode(code));
    const got = `a\n\tb\r${ESC}[31;1mred${ESC}[0m ${ESC}]0;title${BEL}${ESC}c${BEL}c\u2028d\u202ee\u009b2J`;
    expect(new SoftrlError("here", "it broke", { got }).message).toBe("here: it broke, got a b red c de2J.");
  });

  it("stays the same when its parts go into another error", () => {
    const first = new SoftrlError(`${megabytes}\n`, "it broke", { got: `\n${megabytes}` });
    const second = new SoftrlError(first.where, first.what, first.details);
    expect(second.message).toBe(first.message);
  });

  it("is not cut inside a character of two code units", () => {
    const { got } = new SoftrlError("here", "no", { got: "𝜏".repeat(1000) }).details;
    expect(got).toMatch(/^(𝜏)+… \(2000 characters\)$/u);
  });
});

describe("a value in words", () => {
  it("is JSON where it has any, and never an error", () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(["a", [1], null, undefined, 1n, circle].map(describeValue)).toEqual([
      '"a"',
      "[1]",
      "null",
      "undefined",
      "1n",
      "a value without JSON",
    ]);
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
