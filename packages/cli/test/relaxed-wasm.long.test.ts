import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import {
  eventsOf,
  expectRefusal,
  type LoggedEvent,
  relaxedNeedsFlag,
  relaxedShell,
  slowCheckpoints,
  softrlAlone,
  startSoftrl,
  stopAt,
} from "./command.js";

const here = temporaryFolder("relaxed");
const shell = relaxedShell;
const train = (name: string, steps: number, ...more: string[]) =>
  `train --algorithm a2c --seed 5 --steps ${steps} --checkpoint-every 4000 --no-chart -o ${name}`
    .split(" ")
    .concat("--executor", "wasm-relaxed", more);
const bytesOf = (name: string) => readFileSync(join(here, name, "checkpoint.safetensors"));
const runOf = (name: string) => JSON.parse(readFileSync(join(here, name, "config.json"), "utf8")).run;

describe("--executor wasm-relaxed", () => {
  test("trains, is recorded, and resumes bit for bit", async () => {
    expect(await softrlAlone(train("whole", 40_000), here, { shell })).toMatchObject({ code: 0 });
    const run = runOf("whole");
    expect(run).toMatchObject({ executor: "wasm-relaxed", precision: "float32" });
    expect(run.instructionSet).toMatch(/^(no-)?fma$/);
    expect(eventsOf(join(here, "whole"))[0]).toMatchObject({
      executor: "wasm-relaxed",
      instructionSet: run.instructionSet,
    });

    const parts = startSoftrl(train("parts", 40_000), here, { shell, env: slowCheckpoints });
    const isSaved = ({ event, step }: LoggedEvent) => event === "checkpoint" && Number(step) >= 8_000;
    expect((await stopAt(parts, join(here, "parts"), "SIGKILL", isSaved)).code).toBeNull();
    expect(await softrlAlone(["resume", "parts"], here, { shell })).toMatchObject({ code: 0 });
    expect(bytesOf("parts").equals(bytesOf("whole"))).toBe(true);
  });

  test("is never chosen by default, and doctor reports it", async () => {
    const env = { SOFTRL_EXECUTOR: "", SOFTRL_NATIVE_ADDON: join(here, "none.node") };
    const { stdout } = await softrlAlone(["doctor", "--json"], here, { env, shell });
    const found = JSON.parse(stdout);
    expect(found.chosen).toBe("wasm");
    expect(found.executors.at(-1)).toMatchObject({
      name: "wasm-relaxed",
      works: true,
      about: expect.stringMatching(
        /^WebAssembly relaxed SIMD \((no-)?fma\), 1 thread; only with --executor wasm-relaxed$/,
      ),
    });
    const threads = { ...env, SOFTRL_THREADS: "3" };
    const threaded = await softrlAlone(["doctor", "--json"], here, { env: threads, shell });
    expect(JSON.parse(threaded.stdout).executors.at(-1).about).toContain("3 threads");
  });

  test("refuses a configuration of another arithmetic", async () => {
    const write = (instructionSet: string) =>
      writeFileSync(
        join(here, "config.json"),
        JSON.stringify({ run: { steps: 200, executor: "wasm-relaxed", instructionSet } }),
      );
    const own = runOf("whole").instructionSet;
    const other = own === "fma" ? "no-fma" : "fma";
    write(own);
    const accepted = await softrlAlone(["train", "--config", "config.json", "-o", "accepted"], here, {
      shell,
    });
    expect(accepted.code).toBe(0);
    write(other);
    expectRefusal(
      await softrlAlone(["train", "--config", "config.json", "-o", "refused"], here, { shell }),
      1,
      new RegExp(`run\\.executor: relaxed SIMD has another arithmetic here, expected ${other}, got ${own}; `),
    );
  });

  test.runIf(relaxedNeedsFlag)("is refused with one line where the engine lacks relaxed SIMD", async () => {
    const line = (where: string, remedy: string) =>
      new RegExp(
        `^softrl: ${where}: the executor wasm-relaxed does not work here, expected an engine with WebAssembly relaxed SIMD, as Node\\.js has from version 22 on, got Node\\.js ${process.versions.node}; ${remedy}\\.\\n$`,
      );
    const choose = "choose another, for instance --executor wasm";
    expectRefusal(await softrlAlone(train("none", 200), here), 1, line("--executor", choose));
    const env = { SOFTRL_EXECUTOR: "wasm-relaxed" };
    const forced = await softrlAlone(["train", "--steps", "200"], here, { env });
    expectRefusal(forced, 1, line("SOFTRL_EXECUTOR", choose));

    const trained = await softrlAlone(train("begun", 200), here, { shell });
    expect(trained.code).toBe(0);
    const resumed = await softrlAlone(["resume", "begun", "--steps", "400"], here);
    expectRefusal(resumed, 1, line(".*run\\.executor", "continue the run on a machine where it works"));
    const { stdout } = await softrlAlone(["doctor"], here);
    expect(stdout).toMatch(
      /^wasm-relaxed +does not work +Node\.js \d+\.\d+\.\d+ has no WebAssembly relaxed SIMD *$/m,
    );
  });
});
