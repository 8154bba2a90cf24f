import { createNativeExecutor, createNativeMachine, inspectNative } from "@softrl/native";
import { type Kernel, SoftrlError } from "softrl";
import { afterEach, expect, it, vi } from "vitest";
import { describeNative, variants } from "./native-machines.js";

const fill = (out: number, count: number, value: number): Kernel => ({ kind: "fill", out, count, value });

afterEach(() => {
  vi.unstubAllEnvs();
});

describeNative("the native machine", () => {
  it.each(variants)("gives each instance its own zeroed arena (%s)", (_, options) => {
    const machine = createNativeMachine(options);
    expect(machine.name).toBe("native");
    const first = machine.instantiate(10, [[fill(0, 2, 1)], [], [fill(2, 3, 2), fill(4, 2, 3)]]);
    const second = machine.instantiate(10, [[fill(0, 10, 7)]]);
    expect([...first.arena]).toEqual(Array(10).fill(0));
    first.run(0);
    expect([...first.arena]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    first.run(1);
    first.run(2);
    expect([...first.arena]).toEqual([1, 1, 2, 2, 3, 3, 0, 0, 0, 0]);
    expect([...second.arena]).toEqual(Array(10).fill(0));
  });

  it("accepts large and empty arenas, and keeps an arena alive as long as a program can run on it", () => {
    const machine = createNativeMachine();
    const length = 3_000_000;
    const { arena, run } = machine.instantiate(length, [[fill(length - 1, 1, 5)]]);
    run(0);
    expect(arena.length).toBe(length);
    expect(arena[length - 1]).toBe(5);
    expect(machine.instantiate(0, []).arena.length).toBe(0);
  });

  it("refuses an unknown program, and a kernel that reaches outside the arena", () => {
    const instance = createNativeMachine().instantiate(4, [[]]);
    expect(() => instance.run(1)).toThrow(
      "KernelInstance.run: no such program, expected an index below 1, got 1.",
    );
    expect(() => createNativeMachine().instantiate(4, [[fill(2, 3, 1)]])).toThrow(SoftrlError);
    expect(() => createNativeMachine().instantiate(2 ** 31, [[]])).toThrow(
      "length of the arena is out of range",
    );
  });

  it("is out of memory for an arena that is too long, and names the bytes", () => {
    for (const [length, programs] of [
      [2 ** 31 - 1, [[]]],
      [2 ** 31, [[]]],
      [2 ** 31, []],
    ] as const) {
      expect(() => createNativeMachine().instantiate(length, programs)).toThrow(
        expect.objectContaining({
          code: "out-of-memory",
          details: expect.objectContaining({ bytes: 4 * length }),
        }),
      );
    }
  });

  it("runs the instruction set in SOFTRL_NATIVE_ISA, and refuses an unknown one", () => {
    vi.stubEnv("SOFTRL_NATIVE_ISA", "baseline");
    expect(inspectNative()).toMatchObject({ available: true, instructionSet: "baseline" });
    expect(createNativeExecutor().name).toBe("native");
    vi.stubEnv("SOFTRL_NATIVE_ISA", "avx51");
    expect(() => createNativeMachine()).toThrow("SOFTRL_NATIVE_ISA: unknown instruction set");
    expect(() => inspectNative()).toThrow("SOFTRL_NATIVE_ISA: unknown instruction set");
  });
});
