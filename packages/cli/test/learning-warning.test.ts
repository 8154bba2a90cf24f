import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { softrl } from "./command.js";

const folder = temporaryFolder("warning");

const text = (name: string, file: string) => readFileSync(join(folder, name, file), "utf8");
const warnings = (name: string) =>
  text(name, "events.jsonl")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === "warning");
const flat =
  "--env MountainCar-v0 --steps 24000 --seed 1 --bodies shared --inputs unit --normalise-returns false".split(
    " ",
  );

test("a run that does not leave its start is warned of once: on stderr, in its events, result and summary", async () => {
  const run = await softrl(["train", ...flat, "-o", "flat"], folder);
  expect(run.code).toBe(0);
  const lines = run.stderr.split("\n").filter((line) => line.startsWith("softrl:"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^softrl: A2C on MountainCar-v0: after 6 000 of 24 000 steps the mean return has not risen: -200 over the newest \d+ episodes, -200 over the first \d+; try --normalise-returns true, another --learning-rate \(now 0\.\d+(:0)?\), another --tau \(now 0\.\d+\), --bodies separate, --inputs normalised, more --steps or another --algorithm \(soft-q, npg, ppo, a3c, async-soft-q, dqn, pqn\)$/,
  );
  expect(run.stdout).toMatch(
    /\nwarning: after 6 000 of 24 000 steps the mean return has not risen: -200 over/,
  );
  const [{ event: _, ...warning }, ...others] = warnings("flat");
  expect(others).toEqual([]);
  expect(warning).toMatchObject({ reason: "no-rise", step: 6000, steps: 24_000, firstMean: -200 });
  expect(JSON.parse(text("flat", "result.json"))).toMatchObject({ warning });

  // A run that is extended after its warning keeps it, and is not warned of again.
  const resumed = await softrl(["resume", "flat", "--steps", "28000"], folder);
  expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
  expect(resumed.stdout).toMatch(/\nwarning: after 6 000 of 24 000 steps/);
  expect(warnings("flat")).toHaveLength(1);
});

test("a run that ends before its first update is warned of, unless it is extended", async () => {
  const short = "--algorithm dqn --env CartPole-v1 --steps 400 --replay-start 1000 --batch-size 8".split(" ");
  const run = await softrl(["train", ...short, "-o", "short"], folder);
  expect(run.stderr).toMatch(
    /^softrl: DQN on CartPole-v1: no update is made in 400 steps: learning starts after more; try more --steps or another --replay-start \(now 1000\)$/m,
  );
  expect(warnings("short")).toMatchObject([{ reason: "no-update", steps: 400 }]);
  const resumed = await softrl(["resume", "short", "--steps", "2000"], folder);
  expect(resumed.stdout).not.toContain("warning");
});

test.each([
  [
    "dqn",
    /; try another --learning-rate \(now 0\.\d+:0\), another --epsilon \(now 0\.\d+\), more --steps or another --algorithm \(a2c, soft-q, npg, ppo, a3c, async-soft-q, pqn\)\n$/,
  ],
  [
    "pqn",
    /; try another --learning-rate \(now 0\.\d+:0\), another --epsilon \(now [\d.:]+\), --inputs normalised, more --steps or another --algorithm \(a2c, soft-q, npg, ppo, a3c, async-soft-q, dqn\)\n$/,
  ],
])("%s is advised to change options that it has", async (algorithm, advice) => {
  const args = [
    "--env",
    "MountainCar-v0",
    "--algorithm",
    algorithm,
    "--envs",
    "4",
    "--steps",
    "24000",
    "-o",
    algorithm,
  ];
  const run = await softrl(["train", ...args], folder);
  expect(run.code).toBe(0);
  expect(run.stderr).toMatch(advice);
});

test("a run without an episode at a quarter of its steps is warned of, with other remedies", async () => {
  const args = ["train", "--env", "CliffWalking-v1", "--envs", "64", "--steps", "10000", "-o", "endless"];
  const run = await softrl(args, folder);
  expect(run.stderr).toMatch(
    /softrl: A2C on CliffWalking-v1: after 2 \d+ of 10 000 steps no episode has ended, so there is no mean return; try more --steps or fewer --envs\n/,
  );
  expect(warnings("endless")).toMatchObject([{ reason: "no-episode", firstMean: null }]);
});

test("compare warns of both of its runs", async () => {
  const run = await softrl(["compare", ...flat, "-o", "both"], folder);
  expect(run.stderr.match(/^softrl: .* on MountainCar-v0: after/gm)).toHaveLength(2);
  expect(run.stdout.match(/^warning: (A2C|soft Q-learning): after/gm)).toHaveLength(2);
  const { runs } = JSON.parse(text("both", "result.json"));
  for (const { warning, host } of runs) {
    expect(warning).toMatchObject({ reason: "no-rise" });
    expect(host).toMatchObject({ cores: expect.any(Number) });
  }
});
