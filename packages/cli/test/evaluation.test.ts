import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { learningCurveSvg } from "../src/figures/chart.js";
import {
  eventsOf,
  expectRefusal,
  fakeGymnasium,
  type LoggedEvent,
  slowCheckpoints,
  softrl,
  startSoftrl,
  stopAt,
} from "./command.js";

const folder = temporaryFolder("evaluation");

const wasm = { env: { SOFTRL_EXECUTOR: "wasm" } };
const settings =
  "--seed 3 --steps 60000 --checkpoint-every 4000 --log-every 1500 --evaluate-every 3000 --evaluation-episodes 3";
const trained = (name: string) => ["train", ...settings.split(" "), "-o", name, "--json"];

const bytesOf = (name: string, file: string) => readFileSync(join(folder, name, file));
const events = (name: string) => eventsOf(join(folder, name));

/** Runs until there is such an event, then sends the signal. */
const stopOnce = (
  args: readonly string[],
  name: string,
  signal: NodeJS.Signals,
  isIt: (event: LoggedEvent) => boolean,
  env: Record<string, string> = wasm.env,
) =>
  stopAt(
    startSoftrl(args, folder, { env: { ...env, ...slowCheckpoints } }),
    join(folder, name),
    signal,
    isIt,
  );

const after = (step: number) => (event: LoggedEvent) =>
  event.event === "evaluation" && Number(event.step) >= step;

describe("a run with --evaluate-every", () => {
  test("that is stopped, killed and resumed is the run that never stopped, byte for byte", async () => {
    const whole = await softrl(trained("whole"), folder, wasm);
    expect(whole.code, whole.stderr).toBe(0);

    expect(await stopOnce(trained("parts"), "parts", "SIGINT", after(6_000))).toMatchObject({ code: 130 });
    const resume = ["resume", "parts", "--json"];
    expect(await stopOnce(resume, "parts", "SIGKILL", after(27_000))).toMatchObject({ code: null });
    const resumed = await softrl(resume, folder, wasm);
    expect(resumed.code, resumed.stderr).toBe(0);

    const told = ({ stdout }: { stdout: string }) => {
      const { stepsPerSecond, runFolder, ...report } = JSON.parse(stdout);
      return report;
    };
    expect(told(resumed)).toEqual(told(whole));
    for (const file of ["checkpoint", "best", "last"]) {
      const name = `${file}.safetensors`;
      expect(bytesOf("parts", name).equals(bytesOf("whole", name)), name).toBe(true);
    }
    expect(bytesOf("parts", "chart.svg").equals(bytesOf("whole", "chart.svg"))).toBe(true);
    const evaluated = (name: string) => events(name).filter(({ event }) => event === "evaluation");
    expect(evaluated("whole").map(({ step }) => step)).toEqual(
      Array.from({ length: 21 }, (_, i) => 3000 * i),
    );
    expect(evaluated("parts")).toEqual(evaluated("whole"));
  });

  test("has best and last policies that evaluate and record play", async () => {
    const result = JSON.parse(bytesOf("whole", "result.json").toString());
    expect(result.evaluation.last).toMatchObject({ step: 60_000, episodes: 3, cut: 0 });
    const play = async (policy: string) => {
      const args = ["evaluate", "whole", "--policy", policy, "--episodes", "4", "--json"];
      return JSON.parse((await softrl(args, folder, wasm)).stdout);
    };
    const [best, last, checkpoint] = [await play("best"), await play("last"), await play("checkpoint")];
    expect([best.policy, last.policy, checkpoint.policy]).toEqual(["best", "last", "checkpoint"]);
    expect(last.returns).toEqual(checkpoint.returns);
    if (result.evaluation.best.step !== 60_000) expect(best.returns).not.toEqual(last.returns);
    const args = ["record", "whole", "--policy", "best", "--max-steps", "3", "--json"];
    expect(JSON.parse((await softrl(args, folder, wasm)).stdout)).toMatchObject({
      policy: "best",
      frames: 4,
    });
  });

  test("reports the newest evaluation and the best", async () => {
    const args = ["train", "--steps", "400", "--evaluate-every", "400", "-o", "short"];
    const { stdout } = await softrl(args, folder, wasm);
    expect(stdout).toMatch(
      /\nevaluation at step 400: mean return [\d.]+ of 10 episodes, standard deviation [\d.]+; best [\d.]+ at step \d+\n/,
    );
  });

  test("compare evaluates both runs", async () => {
    const args = ["compare", "--steps", "400", "--evaluate-every", "400", "-o", "both", "--json"];
    const { runs } = JSON.parse((await softrl(args, folder, wasm)).stdout);
    expect(runs).toHaveLength(2);
    for (const { evaluation } of runs) expect(evaluation.last).toMatchObject({ step: 400, episodes: 10 });
    expect(readdirSync(join(folder, "both", "soft-q"))).toContain("best.safetensors");
  });

  test("settings of evaluations without it, and policies of a run without it, are refused", async () => {
    expectRefusal(
      await softrl(["train", "--evaluation-mode", "mode"], folder, wasm),
      1,
      /--evaluation-mode: this setting has no effect without --evaluate-every, got mode; set --evaluate-every above 0/,
    );
    await softrl(["train", "--steps", "80", "-o", "plain"], folder, wasm);
    expectRefusal(
      await softrl(["evaluate", "plain", "--policy", "best"], folder, wasm),
      1,
      /plain\/best\.safetensors: the run has kept no such policy.*--evaluate-every; leave --policy out/,
    );
    expectRefusal(
      await softrl(["evaluate", "plain", "--policy", "worst"], folder, wasm),
      1,
      /--policy: invalid value, expected "checkpoint", "best" or "last", got "worst"/,
    );
  });
});

/** The processes that were started with this folder's Python. */
function children(): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/environ`, "utf8").includes(`SOFTRL_PYTHON=${folder}`) &&
        readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("fake-child")
      );
    } catch {
      return false;
    }
  });
}

describe.runIf(process.platform === "linux")("environments in other processes", () => {
  const args = (name: string, ...more: string[]) =>
    ["train", "--env", "Fake-v0", "--evaluate-every", "40", ...more, "-o", name].concat("--envs", "2");

  test("are all closed after an error", async () => {
    const env = { ...wasm.env, ...fakeGymnasium(folder, "dies in step 7") };
    const run = await softrl(args("dead", "--evaluation-max-steps", "2"), folder, { env });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/the last words/);
    expect(children()).toEqual([]);
  });

  test("are all closed after an interrupt in an evaluation that goes on and on", async () => {
    const env = { ...wasm.env, ...fakeGymnasium(folder, "works") };
    let running = 0;
    const isStarted = ({ event }: { event: string }) => {
      running = children().length;
      return event === "started";
    };
    const endless = args("endless", "--evaluation-max-steps", "1000000000", "--json");
    const run = await stopOnce(endless, "endless", "SIGINT", isStarted, env);
    expect(running).toBeGreaterThanOrEqual(2);
    expect(run.code).toBe(130);
    expect(JSON.parse(run.stdout)).toMatchObject({ interrupted: true, steps: 0 });
    expect(children()).toEqual([]);
  });
});

test("a chart shows evaluations beside the training, with a band", () => {
  const curve = { name: "A2C", steps: [0, 10], meanReturns: [1, 2] };
  const point = (step: number, meanReturn: number) => ({
    step,
    meanReturn,
    episodes: 4,
    standardDeviation: 2,
    cut: 0,
  });
  const text = { title: "CartPole-v1", subtitle: "seed 1" };
  const svg = learningCurveSvg([curve], text, [point(0, 1), point(10, 9)]);
  expect(svg).toContain("A2C, training: last 100 episodes");
  expect(svg).toContain("evaluation: 4 episodes, ± 1 standard error");
  expect(svg.match(/aria-label="area"/g)).toHaveLength(1);
  // 9 + 2 / √4 is beyond the largest mean.
  expect(svg).toContain(">10<");
  expect(svg).not.toMatch(/NaN|undefined/);
  expect(learningCurveSvg([curve], text)).not.toContain("evaluation");
});
