import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { main } from "../src/main.js";
import { listenForInterrupt } from "../src/terminal/interrupt.js";

/** A stream that keeps what is written to it, or fails as it is told to. */
function stream(failure?: Error) {
  const written: string[] = [];
  const write = (text: string) => {
    if (failure !== undefined) throw failure;
    written.push(text);
    return true;
  };
  return { written, stream: Object.assign(Object.create(process.stderr), { write, isTTY: false }) };
}

afterEach(() => vi.restoreAllMocks());

// The command keeps which files with parts it has loaded: these tests need one that has loaded none.
test("help and version are no errors, no command is one", async () => {
  const [out, err] = [stream(), stream()];
  const terminal = { out: out.stream, err: err.stream };
  expect(await main(["--version"], terminal)).toBe(0);
  expect(await main(["train", "--help"], terminal)).toBe(0);
  expect(out.written.join("")).toMatch(
    /^\d+\.\d+\.\d+\n.*--learning-rate <number\|schedule> +the step size/s,
  );
  expect(err.written).toEqual([]);
  expect(await main([], terminal)).toBe(2);
  expect(await main(["setup", "gymnasum"], terminal)).toBe(2);
  expect(err.written.join("")).toContain("Did you mean gymnasium?");
});

test("an error that is nobody's input shows its stack and asks to be reported", async () => {
  const place = mkdtempSync(join(tmpdir(), "softrl-main-"));
  const [out, err] = [stream(new TypeError("the pipe is broken")), stream()];
  const args = ["train", "--steps", "40", "--json", "--run-folder", join(place, "run")];
  expect(await main(args, { out: out.stream, err: err.stream })).toBe(70);
  expect(err.written.join("")).toMatch(
    /^TypeError: the pipe is broken\n +at .*softrl: this is a fault of softrl .*please report it/s,
  );
  rmSync(place, { recursive: true });
});

test("the first interrupt stops the run, the second one quits at once", () => {
  const err = stream();
  const listeners = process.listenerCount("SIGINT");
  const interrupt = listenForInterrupt(err.stream);
  const exit = vi.spyOn(process, "exit").mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  process.emit("SIGINT");
  expect(interrupt.signal.aborted).toBe(true);
  expect(err.written.join("")).toContain("press Ctrl-C again to quit at once");
  expect(exit).not.toHaveBeenCalled();
  expect(() => process.emit("SIGINT")).toThrow("exit 130");
  interrupt.dispose();
  expect(process.listenerCount("SIGINT")).toBe(listeners);
});
