import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl, softrlAlone } from "./command.js";

const place = temporaryFolder("definition-module");
const definition = {
  options: { steps: 400 },
  variants: [{ name: "A2C", algorithm: "a2c" }],
  environments: ["CartPole-v1"],
  seeds: [1],
};
const exported = `export default ${JSON.stringify(definition)};`;
/** Sweeps with a module that runs some code of its own. */
function sweep(name: string, code: string) {
  mkdirSync(join(place, name));
  writeFileSync(join(place, name, "runs.mjs"), `${code}\n${exported}`);
  return softrlAlone(["sweep", `${name}/runs.mjs`, "--jobs", "1"], place);
}

describe("a module with a definition", () => {
  test.each([0, 3])("that calls process.exit(%i) is named", async (code) => {
    const run = await sweep(`exits-${code}`, `process.exit(${code});`);
    expectRefusal(
      run,
      1,
      new RegExp(`runs\\.mjs ended the process with process\\.exit\\(${code}\\); remove that`),
    );
  });

  test("that waits for a promise that never settles is named, as before", async () => {
    expectRefusal(
      await sweep("waits", "await new Promise(() => {});"),
      1,
      /runs\.mjs never finished loading/,
    );
  });

  test.each([
    ["rejects", "Promise.reject(new TypeError('no such thing'));"],
    ["throws-late", "setTimeout(() => { throw new TypeError('no such thing'); }, 1);"],
    ["rejects-nothing", "Promise.reject(undefined);"],
  ])("that %s is one error", async (name, code) => {
    expectRefusal(await sweep(name, code), 1, /runs\.mjs.* failed, got .*; fix the file/);
  });

  test("that leaves a timer does not keep the sweep from ending", async () => {
    const run = await sweep("timer", "setInterval(() => {}, 1000);");
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("1 of 1 runs have a result, 1 new");
    expect(run.stderr).toMatch(/runs\.mjs kept the process from ending, with a timer or a connection/);
  });
});

describe("a command that fails leaves no folder behind", () => {
  test("sweep --slurm with a script in a missing folder", async () => {
    mkdirSync(join(place, "slurm"));
    writeFileSync(join(place, "slurm/runs.json"), JSON.stringify(definition));
    const run = await softrl(["sweep", "slurm", "--slurm", "nowhere/x.sh"], place);
    expectRefusal(run, 1, /--slurm: the script could not be written/);
    expect(readdirSync(join(place, "slurm"))).toEqual(["runs.json"]);
  });

  test("csv on a full disk", async () => {
    mkdirSync(join(place, "run"));
    const event = JSON.stringify({ event: "started", version: "0.1.0", config: {} });
    writeFileSync(join(place, "run/events.jsonl"), `${event}\n`);
    const run = await softrlAlone(["csv", "run", "--out", "some/tables"], place, {
      shellPrefix: "ulimit -f 0",
    });
    expectRefusal(run, 1, /EFBIG/);
    expect(existsSync(join(place, "some"))).toBe(false);
  });
});
