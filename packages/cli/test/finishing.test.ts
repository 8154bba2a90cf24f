import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { RunFolder } from "../src/runs/run-folder.js";
import { expectRefusal, softrl, softrlAlone } from "./command.js";

const folder = temporaryFolder("finishing");
beforeAll(async () => {
  const settings = "--steps 2000 --log-every 600 --checkpoint-every 900 --evaluate-every 1000".split(" ");
  await softrl(["train", ...settings, "--evaluation-episodes", "3", "-o", "whole"], folder, wasm);
});

const wasm = { env: { SOFTRL_EXECUTOR: "wasm" } };
const at = (run: string, file: string) => join(folder, run, file);
const linesOf = (run: string) => readFileSync(at(run, "events.jsonl"), "utf8").trimEnd().split("\n");
const resultOf = (run: string) => {
  const { stepsPerSecond, ...result } = JSON.parse(readFileSync(at(run, "result.json"), "utf8"));
  return { speed: Number(stepsPerSecond), text: JSON.stringify(result) };
};

/** A copy of the whole run that has lost something. */
function copyOf(name: string, lose: (run: string) => void): string {
  cpSync(join(folder, "whole"), join(folder, name), { recursive: true });
  lose(name);
  return name;
}

function expectWhole(run: string): void {
  expect(linesOf(run)).toEqual(linesOf("whole"));
  expect(resultOf(run).text).toBe(resultOf("whole").text);
  // The events have seconds with three decimals.
  const seconds = (of: string) => 2000 / resultOf(of).speed;
  expect(Math.abs(seconds(run) - seconds("whole"))).toBeLessThan(0.001);
  for (const file of ["chart.svg", "checkpoint.safetensors", "best.safetensors", "config.json"]) {
    expect(readFileSync(at(run, file)).equals(readFileSync(at("whole", file)))).toBe(true);
  }
  expect(readdirSync(join(folder, run)).sort()).toEqual(readdirSync(join(folder, "whole")).sort());
}

const shorten = (run: string, count: number, rest = "") =>
  writeFileSync(at(run, "events.jsonl"), `${linesOf(run).slice(0, -count).join("\n")}\n${rest}`);
const losePictureAndResult = (run: string) => {
  rmSync(at(run, "chart.svg"));
  rmSync(at(run, "result.json"));
};

describe("a run that lost its end", () => {
  test.each([
    [
      "its last events and its report",
      "no-end",
      (run: string) => {
        shorten(run, 2);
        losePictureAndResult(run);
      },
    ],
    [
      "half of its last event",
      "half-an-end",
      (run: string) => {
        shorten(run, 1, '{"event":"fini');
        losePictureAndResult(run);
      },
    ],
    ["its chart", "no-chart", (run: string) => rmSync(at(run, "chart.svg"))],
    [
      "its report after an earlier interrupt",
      "old-report",
      (run: string) => {
        const { text } = resultOf(run);
        writeFileSync(
          at(run, "result.json"),
          JSON.stringify({ ...JSON.parse(text), steps: 40, interrupted: true }),
        );
        writeFileSync(at(run, "chart.svg"), "an older chart");
      },
    ],
  ])("%s: resume completes it, byte for byte, and report does too", async (_, name, lose) => {
    copyOf(name, lose);
    const resumed = await softrl(["resume", name, "--json"], folder, wasm);
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
    expectWhole(name);

    copyOf(`${name}-reported`, lose);
    const reported = await softrl(["report", `${name}-reported`, "--json"], folder, {
      env: { SOFTRL_EXECUTOR: "reference" },
    });
    expect([reported.code, reported.stderr]).toEqual([0, ""]);
    expect(JSON.parse(reported.stdout)).toMatchObject({ steps: 2000, interrupted: false, executor: "wasm" });
    expectWhole(`${name}-reported`);
  });

  test("is refused by resume when nothing is missing, and reported again by report", async () => {
    copyOf("complete", () => {});
    expectRefusal(
      await softrl(["resume", "complete"], folder, wasm),
      1,
      /^softrl: complete: the run is already finished; pass --steps to extend it\.\n$/,
    );
    const reported = await softrl(["report", "complete"], folder, wasm);
    expect(reported.stdout).toMatch(
      /A2C on CartPole-v1, seed 1: mean return.*\n.*\n.*\nrun folder: complete\n$/,
    );
    expectWhole("complete");
  });

  test("keeps its result when a picture cannot be written", async () => {
    copyOf("no-place", (run) => {
      losePictureAndResult(run);
      mkdirSync(at(run, "chart.svg"));
    });
    const resumed = await softrl(["resume", "no-place"], folder, wasm);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(
      /^softrl: warning: a picture could not be drawn: .*chart\.svg.*The result is in no-place\/result\.json\.\n$/,
    );
    expect(resultOf("no-place").text).toBe(resultOf("whole").text);
    expect((await softrl(["report", "no-place"], folder, wasm)).code).toBe(1);
  });
});

describe("a run folder from somebody else", () => {
  const precious = () => readFileSync(join(folder, "precious"), "utf8");
  beforeAll(() => writeFileSync(join(folder, "precious"), "precious\n"));

  test.skipIf(process.platform === "win32")(
    "has no link followed, neither to read nor to write",
    async () => {
      copyOf("linked-events", (run) => {
        copyFileSync(at(run, "events.jsonl"), join(folder, "other-events"));
        rmSync(at(run, "events.jsonl"));
        symlinkSync(join(folder, "other-events"), at(run, "events.jsonl"));
      });
      const before = readFileSync(join(folder, "other-events"), "utf8");
      expectRefusal(
        await softrl(["resume", "linked-events", "--steps", "4000"], folder, wasm),
        1,
        /linked-events\/events\.jsonl: not a regular file, got a symbolic link/,
      );
      expect(readFileSync(join(folder, "other-events"), "utf8")).toBe(before);

      copyOf("linked-others", (run) => {
        for (const name of ["checkpoint.safetensors", "result.json", "chart.svg", "events.jsonl"]) {
          symlinkSync(join(folder, "precious"), at(run, `.${name}.unfinished`));
        }
        for (const name of ["result.json", "chart.svg"]) {
          rmSync(at(run, name));
          symlinkSync(join(folder, "precious"), at(run, name));
        }
      });
      const resumed = await softrl(["resume", "linked-others", "--steps", "2400"], folder, wasm);
      expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
      expect(precious()).toBe("precious\n");
      expect(JSON.parse(readFileSync(at("linked-others", "result.json"), "utf8"))).toMatchObject({
        steps: 2400,
      });
    },
  );

  test.skipIf(process.platform === "win32")("has no pipe waited for", async () => {
    copyOf("pipes", (run) => {
      for (const name of ["config.json", "events.jsonl"]) rmSync(at(run, name));
    });
    execFileSync("mkfifo", [at("pipes", "events.jsonl")]);
    const resume = () => softrl(["resume", "pipes", "--steps", "4000"], folder, wasm);
    expectRefusal(await resume(), 1, /events\.jsonl: not a regular file, got a named pipe/);
    execFileSync("mkfifo", [at("pipes", "config.json")]);
    expectRefusal(await resume(), 1, /config\.json: not a regular file, got a named pipe/);
    rmSync(at("pipes", "checkpoint.safetensors"));
    execFileSync("mkfifo", [at("pipes", "checkpoint.safetensors")]);
    for (const command of ["resume", "evaluate", "report"]) {
      expectRefusal(
        await softrl([command, "pipes"], folder, wasm),
        1,
        /checkpoint\.safetensors: not a regular file/,
      );
    }
  });
});

describe("two processes at once", () => {
  test("do not write one run", async () => {
    copyOf("locked", () => {});
    const held = RunFolder.reopen(join(folder, "locked"));
    for (const command of [
      ["resume", "locked", "--steps", "4000"],
      ["report", "locked"],
    ]) {
      const message = new RegExp(
        `^softrl: locked: another process is writing this run, got process ${process.pid} on .*; wait`,
      );
      expectRefusal(await softrl(command, folder, wasm), 1, message);
    }
    held.close();
    expectWhole("locked");

    const pair = [1, 2].map(() => softrlAlone(["resume", "locked", "--steps", "40000"], folder, wasm));
    const runs = await Promise.all(pair);
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 1]);
    expect(runs.find(({ code }) => code === 1)?.stderr).toMatch(
      /^softrl: (locked: another process is writing this run|--steps: 40000 steps are already taken).*\n$/,
    );
    const events = linesOf("locked").map((line) => JSON.parse(line).event);
    expect(events.filter((event) => event === "finished" || event === "resumed")).toEqual([
      "resumed",
      "finished",
    ]);
  });

  test("make two numbered folders in a fresh directory", async () => {
    const fresh = join(folder, "fresh");
    mkdirSync(fresh);
    const pair = [1, 2].map(() => softrlAlone(["train", "--steps", "400"], fresh, wasm));
    const runs = await Promise.all(pair);
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ""],
      [0, ""],
    ]);
    expect(readdirSync(join(fresh, "runs")).sort()).toEqual([
      "CartPole-v1-seed1-a2c",
      "CartPole-v1-seed1-a2c-2",
    ]);
    expect(existsSync(join(fresh, "runs/CartPole-v1-seed1-a2c-2/result.json"))).toBe(true);
  });
});
