import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import {
  eventually,
  expectRefusal,
  type Running,
  slowCheckpoints,
  softrl,
  startSoftrl,
  wholeLines,
  widest,
} from "./command.js";
import { writeDefinition } from "./write-definition.js";

const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));

const place = temporaryFolder("sweep");
beforeAll(() => symlinkSync(packages, join(place, "node_modules"), "junction"));
const at = (...names: string[]) => join(place, ...names);
const command = (...args: string[]) => softrl(args, place);
const posix = process.platform !== "win32";

/** Writes a definition into a folder of its own. */
function define(folder: string, changes: object = {}): string {
  writeDefinition(at(folder), { seeds: "1..2", ...changes });
  return folder;
}

/** An environment whose step throws from some step on, as long as a file is there. */
function failing(folder: string, step: number): string {
  const corridor = fileURLToPath(new URL("fixtures/corridor.js", import.meta.url));
  copyFileSync(corridor, at(folder, "corridor.js"));
  const marker = JSON.stringify(at(folder, "broken"));
  writeFileSync(
    at(folder, "mine.mjs"),
    `import { existsSync } from "node:fs";
import corridor from "./corridor.js";
export default { ...corridor, id: "Mine-v0", make(...parts) {
  const made = corridor.make(...parts);
  const step = made.step;
  let steps = 0;
  made.step = function (...actions) {
    if (++steps > ${step} && existsSync(${marker})) throw new Error("the corridor is closed");
    return step.apply(this, actions);
  };
  return made;
} };`,
  );
  return "./mine.mjs";
}

const names = (folder: string) => readdirSync(at(folder)).sort();
const table = (folder: string, name = "results.csv") => readFileSync(at(folder, name), "utf8");
const json = (text: string) => JSON.parse(text);

describe("softrl sweep", () => {
  test("makes every run once, writes its tables, and leaves nothing else", async () => {
    define("plain");
    const first = await command("sweep", "plain", "--json", "--jobs", "2");
    expect(first.code).toBe(0);
    expect(json(first.stdout)).toMatchObject({ runs: 2, done: 2, made: 2, failed: [], interrupted: false });
    expect(first.stderr).toMatch(/^2 of 2: A2C, CartPole-v1, seed [12]: \d+/m);
    expect(names("plain")).toEqual(["curves.csv", "results.csv", "runs.json", "times.csv"]);
    expect(wholeLines(at("plain", "results.csv"))).toHaveLength(3);
    const before = table("plain");

    define("plain", { seeds: "1..3" });
    const second = await command("sweep", "plain/runs.json");
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/3 of 3 runs have a result, 1 new/);
    expect(widest(second.stdout.replace(/^results: .*/m, ""))).toBeLessThanOrEqual(60);
    expect(table("plain").startsWith(before)).toBe(true);

    // A changed definition under the old name.
    define("plain", { options: { steps: 480 }, seeds: [1] });
    expectRefusal(await command("sweep", "plain"), 1, /"A2C" on CartPole-v1 with seed 1 has other settings/);
    const fresh = await command("sweep", "plain", "--fresh", "--keep-runs", "--json");
    expect(json(fresh.stdout)).toMatchObject({ runs: 1, made: 1 });
    expect(names("plain/runs")).toHaveLength(1);
    // Other seeds are of the earlier definition: they stay.
    const steps = wholeLines(at("plain", "results.csv")).map((line) => line.split(",")[5]);
    expect(steps).toEqual(["steps", "480", "400", "400"]);
  });

  test("counts results of another machine and another version, and says so", async () => {
    define("older", { seeds: [1] });
    writeFileSync(
      at("older", "results.csv"),
      "variant,environment,seed,meanReturn,episodes,steps,executor\nA2C,CartPole-v1,1,20,12,400,native avx512\n",
    );
    const run = await command("sweep", "older", "--json");
    expect(json(run.stdout)).toMatchObject({ runs: 1, done: 1, made: 0 });
    expect(run.stderr).toMatch(/1 result of another version \(an older one; this is .*\) count/);
    expect(names("older")).toEqual(["results.csv", "runs.json"]);
  });

  test("tries a failed run once more and reports it while the others go on", async () => {
    define("failing", { options: { steps: 400, envs: 2, "checkpoint-every": 100 } });
    writeFileSync(at("failing", "broken"), "");
    const mine = failing("failing", 60);
    const definition = json(readFileSync(at("failing", "runs.json"), "utf8"));
    writeFileSync(
      at("failing", "runs.json"),
      JSON.stringify({ ...definition, environments: ["CartPole-v1", mine], seeds: [1] }),
    );
    const run = await command("sweep", "failing", "--json");
    expect(run.code).toBe(1);
    expect(json(run.stdout)).toMatchObject({
      done: 1,
      made: 1,
      failed: [{ environment: mine, seed: 1, error: expect.stringMatching(/corridor is closed/) }],
    });
    expect(run.stderr).toMatch(/^softrl: failed: A2C, \.\/mine\.mjs, seed 1\n {2}.*corridor is closed/m);
    // Without its variant it is named, with what removes it.
    const [key] = readdirSync(at("failing", "runs"));
    writeFileSync(at("failing", "runs.json"), JSON.stringify({ ...definition, seeds: [1] }));
    const without = await command("sweep", "failing", "--json");
    expect(without.code).toBe(0);
    expect(without.stderr).toMatch(
      /^softrl: 1 unfinished run with other settings .*; to remove:\n {2}a2c, Mine-v0, seed 1: rm -r \S*failing\/runs\/[0-9a-f]{16}$/m,
    );
    expect(without.stderr).toContain(key);
    expect(names("failing")).toContain("runs");
    writeFileSync(
      at("failing", "runs.json"),
      JSON.stringify({ ...definition, environments: ["CartPole-v1", mine], seeds: [1] }),
    );
    // The run goes on where it failed, and no other is made again.
    rmSync(at("failing", "broken"));
    const again = await command("sweep", "failing", "--json");
    expect(json(again.stdout)).toMatchObject({ done: 2, made: 1, failed: [] });
    expect(names("failing")).not.toContain("runs");
  });

  test.runIf(posix)("stops at Ctrl-C, and goes on with the same bytes", async () => {
    const options = { steps: 80_000, "checkpoint-every": 10_000 };
    define("whole", { options });
    define("stopped", { options });
    const arguments_ = ["--jobs", "2", "--json"];
    const undisturbed = command("sweep", "whole", ...arguments_);
    const running = startSoftrl(["sweep", "stopped", ...arguments_], place, { env: slowCheckpoints });
    await eventually(() => checkpoints("stopped") > 0);
    running.child.kill("SIGINT");
    const stopped = await running.finished;
    expect(stopped.code).toBe(130);
    expect(json(stopped.stdout)).toMatchObject({ interrupted: true });
    expect(stopped.stderr).toMatch(/they can be continued/);
    expect(names("stopped")).toContain("runs");
    expect(names("stopped")).not.toContain(".sweep");
    const done = json(stopped.stdout).made;

    const killed = startSoftrl(["sweep", "stopped", ...arguments_], place);
    await eventually(() => names("stopped").includes(".sweep"));
    killed.child.kill("SIGKILL");
    await killed.finished;
    // Two at once share the rest.
    const both = await Promise.all(
      [1, 2].map(() => startSoftrl(["sweep", "stopped", ...arguments_], place).finished),
    );
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const made = both.map(({ stdout }) => json(stdout).made);
    expect(done + made[0] + made[1]).toBe(2);
    expect((await undisturbed).code).toBe(0);
    for (const name of ["results.csv", "curves.csv"])
      expect(table("stopped", name)).toBe(table("whole", name));
    expect(names("stopped")).toEqual(names("whole"));
  });

  test("names the claim of another machine that it waits for, and goes on once it is removed", async () => {
    define("elsewhere", { seeds: [1] });
    await command("sweep", "elsewhere", "--slurm", "key.sh");
    const [, run] = /keys=\(\n {2}([0-9a-f]{16})/.exec(readFileSync(at("key.sh"), "utf8")) ?? [];
    const lock = at("elsewhere", ".sweep", run, ".lock-1");
    mkdirSync(at("elsewhere", ".sweep", run), { recursive: true });
    const holder = { pid: 7, host: "another-machine", boot: "another", namespace: "one", began: "1" };
    writeFileSync(lock, JSON.stringify(holder));
    const { child, finished } = startSoftrl(["sweep", "elsewhere", "--json"], place);
    let printed = "";
    child.stderr?.on("data", (text: string) => {
      printed += text;
    });
    await eventually(() => printed.includes("another-machine"));
    rmSync(lock);
    const { code, stdout } = await finished;
    expect(code).toBe(0);
    expect(json(stdout)).toMatchObject({ made: 1 });
    expect(printed.match(/^softrl: waiting for a run: .*$/gm)).toEqual([
      expect.stringMatching(/got process 7 on another-machine; if it no longer runs, remove .*\.lock-1\.$/),
    ]);
  });

  test("refuses what it cannot do, in one line", async () => {
    expectRefusal(await command("sweep", "nowhere"), 1, /nowhere: there is no such definition/);
    define("odd", { seeds: "x" });
    expectRefusal(await command("sweep", "odd"), 1, /odd\/runs\.json: seeds: invalid seeds/);
    define("odd");
    expectRefusal(await command("sweep", "odd", "--jobs", "0"), 1, /--jobs: invalid value/);
    expectRefusal(
      await command("sweep", "odd", "--out", "odd/runs.json/x"),
      1,
      /folder of the sweep could not/,
    );
  });
});

/** The checkpoints of the runs that a sweep is making. */
const checkpoints = (folder: string): number =>
  existsSync(at(folder, "runs"))
    ? names(`${folder}/runs`).filter((run) => existsSync(at(folder, "runs", run, "checkpoint.safetensors")))
        .length
    : 0;

/** The processes that run in a folder of the test. */
const processesOf = (folder: string): readonly string[] =>
  readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${folder}/runs/`);
    } catch {
      return false;
    }
  });

describe.runIf(process.platform === "linux")("no process is left", () => {
  const long = { options: { steps: 50_000_000 } };
  async function begun(folder: string): Promise<Running> {
    define(folder, long);
    const running = startSoftrl(["sweep", folder, "--jobs", "1"], place);
    await eventually(() => existsSync(at(folder, "runs")) && names(`${folder}/runs`).length === 1);
    expect(processesOf(folder)).toHaveLength(1);
    return running;
  }

  test("by a second Ctrl-C, which quits at once", async () => {
    const { child, finished } = await begun("twice");
    child.kill("SIGINT");
    child.kill("SIGTERM");
    expect((await finished).code).toBe(130);
    await eventually(() => processesOf("twice").length === 0);
  });

  test("by a kill of the sweep", async () => {
    const { child, finished } = await begun("killed");
    child.kill("SIGKILL");
    await finished;
    await eventually(() => processesOf("killed").length === 0);
  });
});

describe("softrl train --seeds", () => {
  test("trains a run folder for each seed, and compares them", async () => {
    const options = ["train", "--steps", "400", "--tau", "0.01", "--jobs", "2", "--run-folder", "seeds"];
    const run = await command(...options, "--seeds", "1..2", "--json", "--no-chart");
    expect(run.code).toBe(0);
    const [score] = json(run.stdout).scores;
    expect(score).toMatchObject({ variant: "A2C", environment: "CartPole-v1", runs: 2 });
    expect(score.interval.low).toBeLessThanOrEqual(score.mean);
    expect(names("seeds")).toEqual(["curves.csv", "results.csv", "seed-1", "seed-2", "times.csv"]);
    expect(names("seeds/seed-2")).not.toContain("chart.svg");
    expect(json(table("seeds/seed-2", "config.json")).algorithm.tau).toBe(0.01);

    const more = await command(...options, "--seeds", "1..3");
    expect(more.stdout).toMatch(/3 of 3 runs have a result, 1 new/);
    expect(names("seeds/seed-3")).toContain("chart.svg");
    expectRefusal(
      await command(...options, "--seeds", "1", "--tau", "0.5"),
      1,
      /seeds: the runs in this folder have other settings; choose another folder with --run-folder/,
    );
  });

  test("goes on with the runs of this version alone", async () => {
    const options = ["train", "--steps", "400", "--run-folder", "versions", "--seeds", "1", "--json"];
    expect((await command(...options)).code).toBe(0);
    // As of a command that was killed before it could write the result.
    rmSync(at("versions", "results.csv"));
    const again = await command(...options);
    expect(json(again.stdout)).toMatchObject({ done: 1, made: 1 });
    rmSync(at("versions", "results.csv"));
    const events = at("versions", "seed-1", "events.jsonl");
    writeFileSync(events, readFileSync(events, "utf8").replace(/"version":"[^"]*"/, '"version":"0.0.9"'));
    expectRefusal(
      await command(...options),
      1,
      /seed-1: the run was begun by another version of the code, expected .*, got 0\.0\.9.*; continue it with that version/,
    );
  });

  test("refuses what does not fit", async () => {
    const refused = (...args: string[]) => command("train", "--steps", "40", ...args);
    expectRefusal(await refused("--jobs", "2"), 1, /--jobs: one run is one job; name several seeds/);
    expectRefusal(await refused("--seeds", "3..1"), 1, /--seeds: invalid seeds/);
    expectRefusal(await refused("--seeds", "1", "--seed", "2"), 1, /--seed: --seeds names the seeds/);
    define("other");
    expectRefusal(
      await refused("--seeds", "1", "-o", "other"),
      1,
      /--run-folder: .*got other with runs\.json/,
    );
    expect(names("other")).toEqual(["runs.json"]);
  });
});
