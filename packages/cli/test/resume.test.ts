import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { endAll, expectRefusal, softrl, startSoftrl } from "./command.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "softrl-resume-"));
});
afterEach(endAll);
afterAll(() => rmSync(folder, { recursive: true }));

const STEPS = 60_000;
const settings =
  `--algorithm soft-q --seed 3 --steps ${STEPS} --checkpoint-every 4000 --log-every 1500`.split(" ");
const wasm = { env: { SOFTRL_EXECUTOR: "wasm" } };
const reference = { env: { SOFTRL_EXECUTOR: "reference" } };
const trained = (name: string) => ["train", ...settings, "-o", name, "--json"];

const bytesOf = (name: string) => readFileSync(join(folder, name, "checkpoint.safetensors"));
const events = (name: string): { event: string; step?: number }[] =>
  readFileSync(join(folder, name, "events.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Runs until a checkpoint after `step` stands, then sends the signal. */
async function stopAfter(step: number, signal: NodeJS.Signals, args: string[], name: string) {
  const { child, finished } = startSoftrl(args, folder, wasm);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    try {
      if (events(name).some((event) => event.event === "checkpoint" && Number(event.step) >= step)) break;
    } catch {
      // Not there yet, or read in the middle of a line.
    }
  }
  child.kill(signal);
  return finished;
}

describe("softrl resume", () => {
  test("a run that is stopped, killed and resumed is the run that never stopped, byte for byte", async () => {
    const whole = await softrl(trained("whole"), folder, wasm);
    expect(whole.code).toBe(0);

    const stopped = await stopAfter(4_000, "SIGINT", trained("parts"), "parts");
    expect(stopped.code).toBe(130);
    const killed = await stopAfter(28_000, "SIGKILL", ["resume", "parts", "--json"], "parts");
    expect(killed.code).toBeNull();
    const resumed = await softrl(["resume", "parts", "--json"], folder, wasm);
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);

    const told = ({ stdout }: { stdout: string }) => {
      const { stepsPerSecond, runFolder, ...report } = JSON.parse(stdout);
      return report;
    };
    expect(told(resumed)).toEqual(told(whole));
    expect(bytesOf("parts").equals(bytesOf("whole"))).toBe(true);
    const resumptions = events("parts").filter(({ event }) => event === "resumed");
    expect(resumptions).toHaveLength(2);
    const places = new Set(resumptions.map(({ step }) => step));
    // An interrupt writes a checkpoint that the whole run has not.
    const isOfBoth = ({ event, step }: { event: string; step?: number }) =>
      event !== "resumed" && !(event === "checkpoint" && places.has(step) && Number(step) % 4_000 !== 0);
    expect(events("parts").filter(isOfBoth)).toEqual(events("whole").filter(isOfBoth));
  });

  test("says how to go on with an interrupted run", async () => {
    const args = trained("words").filter((argument) => argument !== "--json");
    const stopped = await stopAfter(4_000, "SIGINT", args, "words");
    expect(stopped.stdout).toMatch(/to go on: softrl resume words\n$/);
  });

  test("refuses what cannot be resumed, and changes nothing", async () => {
    await stopAfter(4_000, "SIGINT", trained("kept"), "kept");
    const before = events("kept");
    expectRefusal(await softrl(["resume", "kept"], folder, reference), 1, /float/);
    expect(events("kept")).toEqual(before);

    await softrl(["train", "--steps", "200", "-o", "short"], folder, wasm);
    expectRefusal(await softrl(["resume", "short"], folder, wasm), 1, /short: the run is finished.*--steps/);
    expectRefusal(await softrl(["resume", "none"], folder, wasm), 1, /the checkpoint cannot be read/);
  });
});
