import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { findPython } from "@softrl/gymnasium";
import { decodeCheckpoint, encodeCheckpoint } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import {
  eventsOf,
  eventually,
  expectRefusal,
  fakeGymnasium,
  softrl,
  softrlAlone,
  startSoftrl,
} from "./command.js";

const place = temporaryFolder("trouble");

const events = (run: string) => eventsOf(join(place, run));
const posix = process.platform !== "win32";
const linux = process.platform === "linux";

/** The exit code of the command, not of what reads its pipe. */
const ITS_CODE = ["exit $", "{PIPESTATUS[0]}"].join("");

describe("stdout", () => {
  const shell = (script: string) => softrlAlone([], place, { shell: script });

  test.runIf(posix)("that nobody reads is no error, and the run is whole", async () => {
    const run = await shell(`"$@" train --steps 2000 --json --run-folder unread | true; ${ITS_CODE}`);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(join(place, "unread"))).toContain("result.json");
    for (const command of ["evaluate unread --episodes 2", "train --help", "--version"]) {
      expect(await shell(`"$@" ${command} | true; ${ITS_CODE}`)).toMatchObject({
        code: 0,
        stderr: "",
      });
    }
  });

  test.runIf(linux)("that is full is one line and exit code 1, and the run is whole", async () => {
    const run = await shell('"$@" train --steps 2000 --json --run-folder untold > /dev/full');
    expectRefusal(run, 1, /stdout: could not write the result, got ENOSPC.*result\.json/);
    expect(readdirSync(join(place, "untold"))).toContain("result.json");
    for (const command of ["evaluate untold --episodes 2 --json", "--help"]) {
      expectRefusal(await shell(`"$@" ${command} > /dev/full`), 1, /stdout: .*ENOSPC/);
    }
    const both = await shell('"$@" evaluate nowhere > /dev/full 2>&1');
    expect(both).toMatchObject({ code: 1, stdout: "", stderr: "" });
  });
});

describe.runIf(posix)("signals", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s while Python starts", async (signal) => {
    const python = join(place, "slow-python");
    writeFileSync(python, "#!/bin/sh\ntouch python-starts\nexec sleep 20\n");
    chmodSync(python, 0o755);
    rmSync(join(place, "python-starts"), { force: true });
    const args = ["train", "--env", "Nobody-v0", "--json", "--run-folder", "unborn"];
    const { child, finished } = startSoftrl(args, place, { env: { SOFTRL_PYTHON: python } });
    await eventually(() => existsSync(join(place, "python-starts")));
    child.kill(signal);
    const { code, stdout, stderr } = await finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/^\nsoftrl: stopping before the first step; nothing is written; press.*\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      interrupted: true,
      steps: 0,
      meanReturn: null,
      runFolder: null,
    });
    expect(existsSync(join(place, "unborn"))).toBe(false);
  });

  test("SIGHUP leaves a folder that is complete up to then", async () => {
    const args = ["train", "--steps", "50000000", "--run-folder", "hung-up", "--json"];
    const { child, finished } = startSoftrl(args, place);
    await eventually(() => events("hung-up").length > 50);
    child.kill("SIGHUP");
    const { code, stdout } = await finished;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true });
    expect(readdirSync(join(place, "hung-up"))).toContain("result.json");
    expect(events("hung-up").at(-1)).toMatchObject({ event: "interrupted" });
  });

  test("an evaluation that is interrupted says so, and speaks of no run folder", async () => {
    await softrl(["train", "--steps", "40", "--run-folder", "played"], place);
    const { child, finished } = startSoftrl(["evaluate", "played", "--episodes", "9007199254740991"], place);
    // Its first line shows that it plays.
    await new Promise((resolve) => child.stderr?.once("data", resolve));
    child.kill("SIGINT");
    const { code, stdout, stderr } = await finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/softrl: stopping; the summary covers the episodes that were played/);
    expect(stderr).not.toContain("run folder");
    expect(stdout).toMatch(/^A2C on CartPole-v1, \d+ episodes?, interrupted, sampled actions/);
  });
});

describe.runIf(posix)("softrl setup gymnasium", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("%s ends all that it started", async (signal) => {
    const here = mkdtempSync(join(place, "setup-"));
    const python = join(here, "python3");
    const answer = JSON.stringify({ version: "3.11.0", packages: {}, missing: [] });
    const venv = "sleep 60 & echo $! > sleeper.part; mv sleeper.part sleeper; wait";
    writeFileSync(python, `#!/bin/sh\nif [ "$1" = -c ]; then echo '${answer}'; else ${venv}; fi\n`);
    chmodSync(python, 0o755);
    const env = { PATH: `${here}:${process.env.PATH}`, SOFTRL_HOME: join(here, "home") };
    const { child, finished } = startSoftrl(["setup", "gymnasium"], here, { env });
    await eventually(() => existsSync(join(here, "sleeper")));
    const sleeper = Number(readFileSync(join(here, "sleeper"), "utf8"));
    expect(isAlive(sleeper)).toBe(true);
    child.kill(signal);
    expect(await finished).toMatchObject({
      code: 130,
      stderr: expect.stringContaining("softrl: stopping and removing the partial installation;"),
    });
    await eventually(() => !isAlive(sleeper));
    expect(existsSync(join(here, "home", "gymnasium"))).toBe(false);
  });
});

describe("an environment's id", () => {
  const nowhere = () => ({
    SOFTRL_HOME: join(place, "nowhere"),
    PATH: join(place, "nowhere"),
    SOFTRL_PYTHON: "",
  });

  test("that is near a built-in one may be Gymnasium's: without Gymnasium both are told", async () => {
    const run = await softrl(["train", "--env", "CartPole-v0"], place, { env: nowhere() });
    const message =
      /--env: CartPole-v0 is not built in.*did you mean CartPole-v1\? Else run `softrl setup gymnasium`/;
    expectRefusal(run, 1, message);
  });

  test("that Gymnasium registers is taken, however near a built-in one is", async () => {
    const found = await findPython({ id: "CartPole-v0" }).catch(() => null);
    const args = ["train", "--env", "CartPole-v0", "--steps", "80", "--run-folder", "cart-pole-v0"];
    const run = await softrl(args, place);
    if (found !== null) expect(run).toMatchObject({ code: 0, stderr: "" });
    else expectRefusal(run, 1, /softrl setup gymnasium/);
  });

  test.runIf(posix)("that gives Atari's raw pictures is refused, and the one to use is named", async () => {
    const message =
      /^softrl: --env: Breakout-v4 gives Atari's raw pictures, .* got \[3\]; train on ALE\/Breakout-v5\.\n$/;
    for (const command of ["train", "compare"]) {
      const args = [command, "--env", "Breakout-v4", "--run-folder", "raw"];
      expectRefusal(await softrl(args, place, { env: fakeGymnasium(place, "shows Breakout") }), 1, message);
    }
    expect(existsSync(join(place, "raw"))).toBe(false);
  });

  test("in a checkpoint, without Gymnasium: the checkpoint is named, not --env", async () => {
    await softrl(["train", "--steps", "40", "--run-folder", "elsewhere"], place);
    const file = join(place, "elsewhere", "checkpoint.safetensors");
    const snapshot = decodeCheckpoint("test", readFileSync(file));
    const saved = JSON.parse(String(snapshot.config));
    const config = JSON.stringify({ ...saved, environment: { ...saved.environment, id: "Nobody-v0" } });
    writeFileSync(file, encodeCheckpoint({ ...snapshot, config }));
    const run = await softrl(["evaluate", "elsewhere"], place, { env: nowhere() });
    expectRefusal(
      run,
      1,
      /^softrl: elsewhere\/checkpoint\.safetensors: environment\.id: Nobody-v0 is not built in, and Gymnasium/,
    );
  });
});

describe("a run that fails", () => {
  test("ends its events with why, and the error names the folder", async () => {
    // So large a step that the network's numbers are none after few updates.
    const args = ["train", "--learning-rate", "1e38", "--max-gradient-norm", "1e38", "--run-folder", "burst"];
    const run = await softrl(args, place);
    expectRefusal(run, 1, /(is|are) not finite.*lower .*The run so far is in burst\./);
    const [started, ...others] = events("burst");
    expect(started).toMatchObject({ event: "started" });
    expect(others.at(-1)).toEqual({ event: "failed", error: expect.stringMatching(/not finite/) });
    expect(existsSync(join(place, "burst", "result.json"))).toBe(false);
  });

  test.runIf(posix)("of its environments' process says which command continues it", async () => {
    const args = ["train", "--env", "Fake-v0", "--envs", "2", "--checkpoint-every", "200", "--no-chart"];
    const failed = (words: readonly string[], manner: string) =>
      softrl(words, place, { env: { SOFTRL_EXECUTOR: "wasm", ...fakeGymnasium(place, manner) } });
    const ended = (end: string) =>
      new RegExp(
        `^softrl: gymnasium Fake-v0: the Python process ended during step, expected an answer, got exit code 7, .*"\\. ${end}\n$`,
      );
    const late = await failed([...args, "-o", "late"], "saves, dies in step 300");
    const toResume = ended("The run so far is in late\\. To continue it: softrl resume late\\.");
    expectRefusal(late, 1, toResume);
    expectRefusal(await failed(["resume", "late"], "saves, dies in step 300"), 1, toResume);
    expect(events("late").at(-1)?.error).toMatch(/"the last words"\.$/);
    const early = await failed([...args, "-o", "early"], "saves, dies in step 50");
    const toTrain = ended(
      "The run so far is in early\\. To start it again: softrl train --config early/config\\.json\\.",
    );
    expectRefusal(early, 1, toTrain);
    const stuck = await failed([...args, "-o", "stuck"], "dies in step 300");
    expect(stuck.stderr).toMatch(
      /The run so far is in stuck\. To start it again: softrl train --config stuck/,
    );
    const evaluated = await failed(["evaluate", "late"], "dies in step 50");
    expectRefusal(evaluated, 1, /"; run the command again \(in code: make a new environment\)\.\n$/);
  });

  test.runIf(linux)("in a file system that takes no folder, ends at once", async () => {
    for (const folder of ["/proc/softrl-run", "/sys/softrl/run"]) {
      const run = await softrl(["train", "--steps", "40", "--run-folder", folder], place);
      expectRefusal(run, 1, /the run folder could not be made, got E\w+.*--run-folder/);
      expect(run.stderr).not.toContain("space,");
    }
  });

  test.each([
    ["", /--run-folder: invalid value, expected the path of a new or empty folder, got ""/],
    ["a-file", /a-file: the run folder could not be made, got a file/],
  ])("in %j, says that it is no folder", async (folder, message) => {
    writeFileSync(join(place, "a-file"), "");
    const run = await softrl(["train", "--steps", "40", "--run-folder", folder], place);
    expectRefusal(run, 1, message);
    expect(run.stderr).not.toContain("space,");
  });

  test("evaluating a comparison names the runs in it", async () => {
    mkdirSync(join(place, "pair", "a2c"), { recursive: true });
    writeFileSync(join(place, "pair", "a2c", "checkpoint.safetensors"), "");
    expectRefusal(
      await softrl(["evaluate", "pair"], place),
      1,
      /pair: this is the folder of a comparison.*name pair.a2c/,
    );
  });
});

/** Whether a process still runs; one that only waits to be reaped does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !linux || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}
