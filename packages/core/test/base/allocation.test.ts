import { allocate, outOfMemory, SoftrlError } from "softrl";
import { expect, test } from "vitest";

const tooMany = 2 ** 45;

function refusal(attempt: () => unknown): SoftrlError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof SoftrlError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("an array that fits is allocated, all zero", () => {
  expect(allocate("here", Float32Array, 3)).toEqual(new Float32Array(3));
  expect(allocate("here", Int32Array, 0)).toHaveLength(0);
});

test("an array that does not fit is out of memory, with the bytes that it needs", () => {
  const error = refusal(() => allocate("here", Float64Array, tooMany));
  expect(error).toMatchObject({ code: "out-of-memory", details: { bytes: tooMany * 8 } });
  expect(error.message).toBe(
    "here: not enough memory for 268435456.0 MiB, expected at most 8192 MiB; use a smaller batch or network.",
  );
});

test("the error names more bytes and another remedy when told to", () => {
  const options = { needed: 2 ** 50, remedy: "make fewer environments" };
  const error = refusal(() => allocate("here", Uint8Array, tooMany, options));
  expect(error.details).toMatchObject({ bytes: 2 ** 50, remedy: "make fewer environments" });
});

test("what the runtime has no room for is out of memory with its error as the cause", () => {
  const cause = new RangeError("Array buffer allocation failed");
  class NoRoom {
    static readonly BYTES_PER_ELEMENT = 8;
    constructor() {
      throw cause;
    }
  }
  expect(refusal(() => allocate("here", NoRoom, 2 ** 17))).toMatchObject({
    message: "here: not enough memory for 1.0 MiB; use a smaller batch or network.",
    cause,
  });
});

test("a length that is none stays an error of the caller's", () => {
  expect(() => allocate("here", Float64Array, -1)).toThrow(RangeError);
});

test("an error for memory that the runtime refused otherwise has no cause", () => {
  expect(outOfMemory("here", 2 ** 21)).toMatchObject({ code: "out-of-memory", details: { bytes: 2 ** 21 } });
  expect("cause" in outOfMemory("here", 2 ** 21)).toBe(false);
});
