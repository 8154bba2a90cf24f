import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bytesOfText } from "../../src/base/byte-text.js";
import { SoftrlError } from "../../src/base/errors.js";
import type { WorkerHost } from "../../src/base/worker-host.js";
import type { Kernel } from "../../src/tensor/compiled/kernel.js";
import { threadedKernelsText } from "../../src/tensor/compiled/kernels-threads-wasm.js";
import { kernelsText } from "../../src/tensor/compiled/kernels-wasm.js";
import { createWasmMachine, createWasmMachineFrom } from "../../src/tensor/compiled/wasm-machine.js";
import { compileWasm } from "../../src/tensor/compiled/wasm-module.js";
import { createThreadedWasmMachine } from "../../src/tensor/compiled/wasm-threads.js";

const fill = (out: number, count: number, value: number): Kernel => ({ kind: "fill", out, count, value });

/** Workers that never do anything. */
const idleHost: WorkerHost = {
  start: () => ({ post: () => {}, stop: async () => {} }),
  wait: () => true,
  every: () => () => {},
};

describe("the WebAssembly machine", () => {
  it("gives each instance its own zeroed arena, and runs the program with an index", async () => {
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

  it("grows its memory for a large arena", async () => {
    const machine = await createWasmMachine();
    const length = 3_000_000;
    const { arena, run } = machine.instantiate(length, [[fill(length - 1, 1, 5)]]);
    run(0);
    expect(arena.length).toBe(length);
    expect(arena[length - 1]).toBe(5);
  });

  it("accepts an empty arena", async () => {
    const machine = await createWasmMachine();
    expect(machine.instantiate(0, []).arena.length).toBe(0);
  });

  it("refuses an unknown program, and more memory than is available", async () => {
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

const fileOf = (name: string) => readFileSync(createRequire(import.meta.url).resolve(`softrl/${name}.wasm`));

describe("a runtime that does not compile the kernels", () => {
  afterEach(() => vi.restoreAllMocks());
  const compile = () => compileWasm("here", kernelsText, "WebAssembly SIMD");
  const refuse = (reason: string) =>
    vi.spyOn(WebAssembly, "compile").mockRejectedValue(new WebAssembly.CompileError(reason));

  it("for a page's policy is told from one without SIMD", async () => {
    refuse("violates the Content Security Policy");
    await expect(compile()).rejects.toMatchObject({
      what: "this runtime supports the kernels but refused to compile them",
      details: {
        got: "violates the Content Security Policy",
        remedy: expect.stringContaining("script-src 'self' 'wasm-unsafe-eval'"),
      },
      cause: expect.any(WebAssembly.CompileError),
    });
    vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    refuse("invalid opcode 0xfd");
    await expect(compile()).rejects.toThrow(
      "here: the kernels cannot be compiled, expected a runtime with WebAssembly SIMD, got invalid opcode 0xfd.",
    );
  });
});

describe("a WebAssembly machine from a module", () => {
  it.each([
    ["kernels", kernelsText],
    ["kernels-threads", threadedKernelsText],
  ])("finds in the file %s.wasm what core embeds", (name, text) => {
    // After a change of the kernels: npm run build.
    expect(fileOf(name).equals(bytesOfText(text))).toBe(true);
  });

  it("runs on one thread", async () => {
    const machine = createWasmMachineFrom(await WebAssembly.compile(fileOf("kernels")));
    const { arena, run } = machine.instantiate(4, [[fill(1, 2, 5)]]);
    run(0);
    expect([...arena]).toEqual([0, 5, 5, 0]);
  });

  it("runs on several threads", async () => {
    const module = await WebAssembly.compile(fileOf("kernels-threads"));
    const host = idleHost;
    const machine = await createThreadedWasmMachine({ threads: 2, host, module });
    const { arena, run } = machine.instantiate(4, [[fill(1, 2, 5)]]);
    run(0);
    expect([...arena]).toEqual([0, 5, 5, 0]);
    machine.dispose();
  });

  it("refuses another module, another version and what is no module", async () => {
    const other = await WebAssembly.compile(fileOf("kernels-threads"));
    expect(() => createWasmMachineFrom(other)).toThrow(
      /^createWasmMachineFrom: the module does not hold this version's kernels, expected kernels [0-9a-f]{16}, got kernels-threads [0-9a-f]{16}; compile the file softrl\/kernels\.wasm of the same version\.$/,
    );
    const bytes = fileOf("kernels");
    bytes[bytes.length - 1] ^= 1;
    const older = await WebAssembly.compile(bytes);
    expect(() => createWasmMachineFrom(older)).toThrow(SoftrlError);
    const empty = await WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    expect(() => createWasmMachineFrom(empty)).toThrow("got a module of something else");
    expect(() => createWasmMachineFrom({})).toThrow("got a value that is not a WebAssembly.Module");
    const host = idleHost;
    const single = await WebAssembly.compile(bytes);
    await expect(createThreadedWasmMachine({ threads: 2, host, module: single })).rejects.toThrow(
      "compile the file softrl/kernels-threads.wasm",
    );
  });
});
