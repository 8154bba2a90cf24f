import { describe, expect, it } from "vitest";
import { SoftrlError } from "../../src/base/errors.js";
import type { Kernel } from "../../src/tensor/compiled/kernel.js";
import { createWasmMachine } from "../../src/tensor/compiled/wasm-machine.js";

const fill = (out: number, count: number, value: number): Kernel => ({ kind: "fill", out, count, value });

describe("the WebAssembly machine", () => {
  it("gives each instance a zeroed arena of its own, and runs the program of an index", async () => {
    const machine = await createWasmMachine();
    expect(machine.name).toBe("wasm");
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

  it("holds arenas beyond its first memory", async () => {
    const machine = await createWasmMachine();
    const length = 3_000_000;
    const { arena, run } = machine.instantiate(length, [[fill(length - 1, 1, 5)]]);
    run(0);
    expect(arena.length).toBe(length);
    expect(arena[length - 1]).toBe(5);
  });

  it("takes an empty arena", async () => {
    const machine = await createWasmMachine();
    expect(machine.instantiate(0, []).arena.length).toBe(0);
  });

  it("refuses a program that it does not have, and more memory than there is", async () => {
    const machine = await createWasmMachine();
    const instance = machine.instantiate(4, [[]]);
    expect(() => instance.run(1)).toThrow(
      "KernelInstance.run: no such program, expected an index below 1, got 1.",
    );
    expect(() => machine.instantiate(2 ** 30, [])).toThrow(SoftrlError);
    expect(() => machine.instantiate(2 ** 30, [])).toThrow("not enough memory for 4096");
    const bytes = (least: number) =>
      expect.objectContaining({
        code: "out-of-memory",
        details: expect.objectContaining({ bytes: expect.closeTo(least, -6) }),
      });
    expect(() => machine.instantiate(2 ** 30, [])).toThrow(bytes(2 ** 32));
    expect(() => machine.instantiate(2 ** 31, [])).toThrow(bytes(2 ** 33));
  });
});
