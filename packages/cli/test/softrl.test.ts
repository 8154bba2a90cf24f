import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeCheckpoint, encodeCheckpoint, readRunSnapshot, savedConfig } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { eventsOf, eventually, expectRefusal, softrl, softrlAlone, startSoftrl, widest } from "./command.js";

const place = temporaryFolder("command");

const wholeFolder = ["chart.svg", "checkpoint.safetensors", "config.json", "events.jsonl", "result.json"];
const text = (...path: string[]) => readFileSync(join(place, ...path), "utf8");
const json = (...path: string[]): unknown => JSON.parse(text(...path));
const events = (folder: string) => eventsOf(join(place, folder));

describe("softrl train", () => {
  test.each(["a2c", "soft-q"])("%s ends with one JSON line and a whole run folder", async (algorithm) => {
    // Too few steps for the check of the learning, so that nothing is warned of.
    const args = [
      "train",
      "--algorithm",
      algorithm,
      "--env",
      "CartPole-v1",
      "--seed",
      "7",
      "--steps",
      "8000",
    ];
    const run = await softrlAlone([...args, "--run-folder", `${algorithm}-1`, "--json"], place);
    expect(run.stderr).not.toContain("softrl:");
    expect(run.code).toBe(0);
    expect(run.stdout.trimEnd().split("\n")).toHaveLength(1);
    const result: unknown = JSON.parse(run.stdout);
    expect(result).toMatchObject({
      algorithm,
      environment: "CartPole-v1",
      seed: 7,
      steps: 8000,
      interrupted: false,
      runFolder: `${algorithm}-1`,
      meanReturn: expect.any(Number),
      episodes: expect.any(Number),
      stepsPerSecond: expect.any(Number),
    });

    const folder = `${algorithm}-1`;
    expect(readdirSync(join(place, folder)).sort()).toEqual(wholeFolder);
    expect(result).toMatchObject(Object(json(folder, "result.json")));
    expect(json(folder, "config.json")).toMatchObject({
      algorithm: { name: algorithm },
      run: { seed: 7, steps: 8000 },
    });
    const log = events(folder);
    expect(log[0]).toMatchObject({ event: "started", version: expect.any(String) });
    expect(log.at(-1)).toEqual({ event: "finished", step: 8000 });
    expect(result).toMatchObject({ episodes: log.filter(({ event }) => event === "episode").length });
    expect(text(folder, "chart.svg")).toMatch(/^<svg .*<\/svg>\n$/s);

    // The config of a run, given again, is the run again.
    const again = ["train", "--config", `${folder}/config.json`, "--run-folder", `${algorithm}-2`, "--json"];
    expect((await softrl(again, place)).code).toBe(0);
    const bytes = readFileSync(join(place, folder, "checkpoint.safetensors"));
    expect(readFileSync(join(place, `${algorithm}-2`, "checkpoint.safetensors")).equals(bytes)).toBe(true);
    const other = [
      "train",
      "--config",
      `${folder}/config.json`,
      "--seed",
      "8",
      "--run-folder",
      `${algorithm}-3`,
    ];
    expect((await softrl(other, place)).code).toBe(0);
    expect(readFileSync(join(place, `${algorithm}-3`, "checkpoint.safetensors")).equals(bytes)).toBe(false);
    expect(savedConfig("test", readRunSnapshot("test", bytes))).toEqual(json(folder, "config.json"));
  });

  test("speaks to people without --json, and numbers its folders", async () => {
    const args = ["train", "--steps", "4000"];
    const [first, second] = [await softrl(args, place), await softrl(args, place)];
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(
      /A2C on CartPole-v1, seed 1: mean return \d+(\.\d+)? over the last \d+ of \d+ episodes/,
    );
    expect(first.stdout).toContain("run folder: runs/CartPole-v1-seed1-a2c\n");
    expect(second.stdout).toContain("run folder: runs/CartPole-v1-seed1-a2c-2\n");
  });

  test("runs on the executor that SOFTRL_EXECUTOR names", async () => {
    const args = ["train", "--steps", "80", "--json", "--run-folder"];
    const reference = await softrl([...args, "on-reference"], place, {
      env: { SOFTRL_EXECUTOR: "reference" },
    });
    expect(JSON.parse(reference.stdout)).toMatchObject({ executor: "reference" });
    const wasm = await softrl([...args, "on-wasm"], place, { env: { SOFTRL_EXECUTOR: "wasm" } });
    expect(JSON.parse(wasm.stdout)).toMatchObject({ executor: "wasm" });
    const native = await softrl([...args, "on-native"], place, { env: { SOFTRL_EXECUTOR: "native" } });
    if (native.code === 0) expect(JSON.parse(native.stdout)).toMatchObject({ executor: "native" });
    else expectRefusal(native, 1, /native.*--executor wasm/);
    const chosen = await softrl([...args, "on-the-best"], place, { env: { SOFTRL_EXECUTOR: "" } });
    expect(JSON.parse(chosen.stdout)).toMatchObject({ executor: native.code === 0 ? "native" : "wasm" });
    const unknown = await softrl([...args, "on-wsam"], place, { env: { SOFTRL_EXECUTOR: "wsam" } });
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toBe(
      'softrl: SOFTRL_EXECUTOR: unknown executor, expected native or wasm or wasm-relaxed or reference, got "wsam"; did you mean wasm?\n',
    );
  });
});

test("a config may begin with a byte order mark, as some editors write", async () => {
  writeFileSync(join(place, "bom.json"), '\uFEFF{"run": {"steps": 40}}');
  const run = await softrl(["train", "--config", "bom.json", "--run-folder", "bom"], place);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  // Forty steps end no episode.
  expect(run.stdout).toContain("no episode ended, so there is no mean return");
});

test("the config.json of a network of frames, given again, is the run again", async () => {
  const args = ["train", "--env", "MinAtar/Breakout-v1", "--steps", "160", "--run-folder"];
  expect((await softrl([...args, "board"], place)).code).toBe(0);
  const again = ["train", "--config", "board/config.json", "--run-folder", "board-again"];
  expect((await softrl(again, place)).code).toBe(0);
});

test("an instruction set that is none is refused, not passed over", async () => {
  const native = await softrl(["doctor", "--json"], place);
  const { executors } = JSON.parse(native.stdout);
  const works = executors.some(
    ({ name, works }: { name: string; works: boolean }) => name === "native" && works,
  );
  const run = await softrlAlone(["train", "--steps", "40"], place, { env: { SOFTRL_NATIVE_ISA: "avx9" } });
  if (works) expectRefusal(run, 1, /SOFTRL_NATIVE_ISA: unknown instruction set.*"avx9"/);
});

describe("Ctrl-C", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s leaves a folder that is complete up to then",
    async (signal) => {
      const folder = `stopped-by-${signal}`;
      const args = ["train", "--steps", "50000000", "--run-folder", folder, "--json"];
      const { child, finished } = startSoftrl(args, place);
      await eventually(() => events(folder).length > 50);
      child.kill(signal);
      const { code, stdout, stderr } = await finished;
      expect(code).toBe(130);
      expect(stderr).toContain("stopping after this update");
      expect(readdirSync(join(place, folder)).sort()).toEqual(wholeFolder);
      const result: { interrupted: boolean; steps: number } = JSON.parse(stdout);
      expect(result).toMatchObject({ interrupted: true, episodes: expect.any(Number) });
      expect(result.steps).toBeGreaterThan(0);
      expect(events(folder).at(-1)).toEqual({ event: "interrupted", step: result.steps });
      const checkpoint = readFileSync(join(place, folder, "checkpoint.safetensors"));
      expect(readRunSnapshot("test", checkpoint)).toMatchObject({ live: { step: result.steps } });

      const evaluation = await softrl(["evaluate", folder, "--episodes", "3", "--json"], place);
      expect(evaluation.code).toBe(0);
    },
  );
});

describe("softrl evaluate", () => {
  test("plays with what a run has learned, the same way for the same seed", async () => {
    await softrl(["train", "--steps", "4000", "--run-folder", "learned"], place);
    const args = ["evaluate", "learned", "--episodes", "5", "--json"];
    const [first, second, other] = await Promise.all([
      softrl(args, place),
      softrl(args, place),
      softrl([...args, "--mode", "mode"], place),
    ]);
    expect(first.code).toBe(0);
    const result: { returns: number[]; meanReturn: number } = JSON.parse(first.stdout);
    expect(result.returns).toHaveLength(5);
    expect(result.meanReturn).toBeCloseTo(result.returns.reduce((a, b) => a + b) / 5, 9);
    expect(second.stdout).toBe(first.stdout);
    expect(JSON.parse(other.stdout)).toMatchObject({ mode: "mode", episodes: 5 });
    expect(result).toMatchObject({
      version: expect.any(String),
      executor: expect.any(String),
      runFolder: "learned",
    });
    const words = await softrl(["evaluate", "learned", "--episodes", "2"], place);
    expect(words.stdout).toMatch(/^A2C on CartPole-v1, 2 episodes, sampled actions: mean return \d/);
  });

  test("ends where the most likely actions loop, and names the remedy", async () => {
    await softrl(["train", "--env", "CliffWalking-v1", "--steps", "400", "--run-folder", "cliff"], place);
    const args = ["evaluate", "cliff", "--episodes", "3", "--max-steps", "50"];
    const [loop, drawn, json] = await Promise.all([
      softrl([...args, "--mode", "mode"], place),
      softrl(args, place),
      softrl([...args, "--json"], place),
    ]);
    expect(loop).toMatchObject({ code: 0, stderr: "" });
    expect(loop.stdout).toMatch(
      /3 episodes, most likely actions: mean return -\d+.*\n3 episodes were cut after 50 steps and count with the return so far; the most likely actions may loop: --mode sample draws/,
    );
    expect(drawn.stdout).toMatch(/3 episodes were cut after 50 steps.*; --max-steps sets the limit\n$/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      maxSteps: 50,
      cut: 3,
      wasCut: [true, true, true],
      lengths: [50, 50, 50],
    });
    expectRefusal(await softrl([...args, "--max-steps", "0"], place), 1, /--max-steps: invalid value/);
  });

  test("plays what float64 has learned on any executor", async () => {
    const env = { SOFTRL_EXECUTOR: "reference" };
    await softrl(["train", "--steps", "80", "--run-folder", "in-float64"], place, { env });
    for (const executor of ["wasm", "reference"]) {
      const args = ["evaluate", "in-float64", "--episodes", "2", "--json"];
      const run = await softrl(args, place, { env: { SOFTRL_EXECUTOR: executor } });
      expect(run).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(run.stdout)).toMatchObject({ executor, episodes: 2 });
    }
  });

  test("names the checkpoint whose parameters are none, or whose bytes changed", async () => {
    await softrl(["train", "--steps", "80", "--run-folder", "spoilt"], place);
    const file = join(place, "spoilt", "checkpoint.safetensors");
    const bytes = readFileSync(file);
    const snapshot = structuredClone(decodeCheckpoint("test", bytes));
    const { parameters } = snapshot as { parameters: { "policy.head.bias": Float32Array } };
    parameters["policy.head.bias"][1] = Number.NaN;
    writeFileSync(file, encodeCheckpoint(snapshot));
    const message =
      /spoilt\/checkpoint\.safetensors: policy\.head\.bias\[1\] is not finite, expected a finite number/;
    expectRefusal(await softrl(["evaluate", "spoilt"], place), 1, message);
    bytes[bytes.length - 1000] ^= 4;
    writeFileSync(file, bytes);
    const changed =
      /spoilt\/checkpoint\.safetensors: not a checkpoint, or damaged, expected bytes whose CRC-32/;
    expectRefusal(await softrl(["evaluate", "spoilt"], place), 1, changed);
  });

  test.each([
    [["evaluate", "nowhere"], /nowhere\/checkpoint.safetensors: the checkpoint could not be read/],
    [["evaluate", "damaged"], /damaged\/checkpoint.safetensors: not a checkpoint, or damaged/],
    [
      ["evaluate", "learned", "--episodes", "0"],
      /--episodes: invalid value, expected an integer of at least 1/,
    ],
    [
      ["evaluate", "learned", "--mode", "best"],
      /--mode: invalid value, expected "sample" or "mode", got "best"/,
    ],
  ])("%j is refused", async (args, message) => {
    mkdirSync(join(place, "damaged"), { recursive: true });
    writeFileSync(join(place, "damaged", "checkpoint.safetensors"), "not a checkpoint at all");
    expectRefusal(await softrl(args, place), 1, message);
  });
});

describe("softrl compare", () => {
  test("trains both algorithms side by side and names its chart", async () => {
    const run = await softrl(["compare", "--steps", "8000", "--seed", "2", "--run-folder", "both"], place);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("● A2C   ○ soft Q-learning   ◉ both");
    expect(run.stdout).toMatch(/A2C +\d+\.\d .* 8 000/);
    expect(run.stdout).toMatch(/soft Q-learning +\d+\.\d .* 8 000/);
    expect(run.stdout.match(/ {3}\d\.\de-1[3-9]$/gm)).toHaveLength(2);
    expect(widest(run.stdout)).toBeLessThanOrEqual(60);
    expect(run.stdout).toContain("bound 1e-12: holds");
    expect(run.stdout).toContain("chart: both/chart.svg");
    expect(readdirSync(join(place, "both")).sort()).toEqual(["a2c", "chart.svg", "result.json", "soft-q"]);
    for (const name of ["a2c", "soft-q"]) {
      expect(readdirSync(join(place, "both", name)).sort()).toEqual(wholeFolder);
    }
    const chart = text("both", "chart.svg");
    expect(chart).toContain("A2C");
    expect(chart).toContain("soft Q-learning");

    // Each is the run that train makes of the same settings.
    const alone = ["train", "--config", "both/soft-q/config.json", "--run-folder", "alone"];
    expect((await softrl(alone, place)).code).toBe(0);
    expect(text("alone", "checkpoint.safetensors")).toBe(text("both", "soft-q", "checkpoint.safetensors"));
  });
});

describe("softrl compare --algorithms --seeds", () => {
  test("trains a run of each algorithm for each seed, which are those that train makes", async () => {
    const args = ["compare", "--algorithms", "dqn,a2c", "--seeds", "1,3", "--steps", "2000"];
    const run = await softrl([...args, "--run-folder", "four"], place);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/^CartPole-v1, seeds 1, 3$/m);
    expect(run.stdout).toMatch(/^DQN, seed 3 +\d+\.\d .* 2 000/m);
    expect(run.stdout).toMatch(/^A2C +\d+\.\d +\d+\.\d to \d+\.\d +2$/m);
    expect(run.stdout).toContain("bound 1e-12: holds");
    const folders = ["a2c-seed-1", "a2c-seed-3", "dqn-seed-1", "dqn-seed-3"];
    expect(readdirSync(join(place, "four")).sort()).toEqual([...folders, "chart.svg", "result.json"].sort());
    const alone = ["train", "--config", "four/dqn-seed-3/config.json", "--run-folder", "alone-of-four"];
    expect((await softrl(alone, place)).code).toBe(0);
    expect(text("alone-of-four", "checkpoint.safetensors")).toBe(
      text("four", "dqn-seed-3", "checkpoint.safetensors"),
    );
    const { theorem } = JSON.parse(
      (await softrl(["compare", "--algorithms", "dqn,pqn", "--steps", "100", "--json", "-o", "q"], place))
        .stdout,
    );
    expect(theorem).toBeNull();
  });
});

describe("softrl compare --subtract-gap", () => {
  test("finds A2C's parameters in soft Q-learning's, update by update", async () => {
    const args = ["compare", "--subtract-gap", "--steps", "800", "--json", "--run-folder"];
    const run = await softrl([...args, "without-gap"], place);
    expect(run.code).toBe(0);
    const { parameterDistance } = JSON.parse(run.stdout);
    expect(parameterDistance.updates).toBe(20);
    expect(parameterDistance.largest).toBeLessThan(1e-12);
    expect(JSON.parse(text("without-gap", "result.json")).parameterDistance).toEqual(parameterDistance);
  });
});

describe("bad input", () => {
  const cases: [string, string[], number, RegExp][] = [
    ["an unknown command", ["trian"], 2, /unknown command 'trian' \(Did you mean train\?\)/],
    [
      "an unknown option",
      ["train", "--stepps", "5"],
      2,
      /unknown option '--stepps' \(Did you mean --steps\?\); use --help/,
    ],
    [
      "an option like none",
      ["train", "--quizzical"],
      2,
      /unknown option '--quizzical'; use --help for a list\n$/,
    ],
    [
      "an option without a value",
      ["train", "--tau"],
      2,
      /option '--tau <number\|schedule>' argument missing/,
    ],
    ["a word too many", ["train", "CartPole-v1"], 2, /too many arguments/],
    ["an unknown algorithm", ["train", "--algorithm", "softq"], 1, /--algorithm: .*did you mean soft-q\?/],
    [
      "a game that MinAtar has not",
      ["train", "--env", "MinAtar/Pong-v1"],
      1,
      /--env: unknown environment.*MinAtar\/Breakout-v1.*got "MinAtar\/Pong-v1"/,
    ],
    ["an id without its version", ["train", "--env", "CartPole"], 1, /--env: .*did you mean CartPole-v1\?/],
    ["an unknown environment", ["train", "--env", "CartPole-v2"], 1, /--env: .*did you mean CartPole-v1\?/],
    [
      "a text for a number",
      ["train", "--tau", "warm"],
      1,
      /--tau: .*expected a number in \(0, ∞\), .*got "warm"/,
    ],
    ["NaN", ["train", "--gamma", "NaN"], 1, /--gamma: .*expected a number in \[0, 1\], .*got "NaN"/],
    [
      "a number out of range",
      ["train", "--envs", "0"],
      1,
      /--envs: .*expected an integer in \[1, 4096\], got 0/,
    ],
    [
      "a config that is missing",
      ["train", "--config", "missing.json"],
      1,
      /--config: missing.json could not be read.*; name a file of settings/,
    ],
    ["a config that is no JSON", ["train", "--config", "broken.json"], 1, /broken.json: not JSON/],
    [
      "a config of a wrong type",
      ["train", "--config", "type.json"],
      1,
      /type.json: algorithm\.tau: .*a number.*got "0.1"/,
    ],
    [
      "a config with a wrong key",
      ["train", "--config", "key.json"],
      1,
      /key.json: algorithm\.tua: a2c has no setting "tua"; did you mean tau/,
    ],
    [
      "the naive bonus in soft-q",
      ["train", "-a", "soft-q", "--entropy-bonus", "naive"],
      1,
      /--entropy-bonus: soft-q has no --entropy-bonus; a2c, ppo and a3c have/,
    ],
    [
      "a network that cannot see",
      ["train", "--network", "nature-cnn"],
      1,
      /--network: nature-cnn cannot read the observations of CartPole-v1, expected \[height, width, channels\].*got \[4\]; use another network, for instance mlp/,
    ],
    [
      "a protocol for what is not Atari",
      ["train", "--env", "CartPole-v1", "--atari-protocol", "sticky"],
      1,
      /--atari-protocol: CartPole-v1 has no --atari-protocol; Atari's environments have/,
    ],
    [
      "a protocol that the id rules out",
      ["train", "--env", "PongNoFrameskip-v4", "--atari-protocol", "sticky"],
      1,
      /--atari-protocol: .*does not go with PongNoFrameskip-v4.*ALE\/Pong-v5/,
    ],
    [
      "sizes for a network that has its own",
      ["train", "--env", "MinAtar/Breakout-v1", "--hidden-sizes", "4"],
      1,
      /--hidden-sizes: minatar-cnn has no --hidden-sizes; mlp has/,
    ],
    [
      "a network beyond all memory",
      ["train", "--hidden-sizes", "100000,100000"],
      1,
      /--hidden-sizes: .* do not fit in memory, .*got \d+\.\d GiB for --envs 8, --horizon 5, --hidden-sizes 100000,100000; make one of them smaller/,
    ],
    [
      "a rollout beyond all memory",
      ["train", "--envs", "4096", "--horizon", "65536"],
      1,
      /--envs, --horizon, .* do not fit in memory, .*got 11\.\d GiB for --envs 4096, --horizon 65536/,
    ],
    [
      "a seed that no number holds",
      ["train", "--seed", "9007199254740993"],
      1,
      /--seed: .*in \[0, 2\^53 − 1 = 9007199254740991\], got "9007199254740993"/,
    ],
    ["an infinite seed", ["train", "--seed", "1e400"], 1, /--seed: .*2\^53 − 1.*got "1e400"/],
    [
      "episodes that no number holds",
      ["evaluate", "x", "--episodes", "9007199254740993"],
      1,
      /--episodes: .*2\^53 − 1.*got "9007199254740993"/,
    ],
    [
      "two settings of a config that do not go together",
      ["train", "--config", "pair.json"],
      1,
      /pair\.json: algorithm\.entropyBonus: soft-q has no setting "entropyBonus"; a2c, ppo and a3c have/,
    ],
    [
      "an option that does not go with a config",
      ["train", "--config", "soft-q.json", "--entropy-bonus", "naive"],
      1,
      /--entropy-bonus: soft-q has no --entropy-bonus; a2c, ppo and a3c have/,
    ],
    [
      "an option's name as a key",
      ["train", "--config", "envs.json"],
      1,
      /envs\.json: environment\.envs: CartPole-v1 has no setting "envs"; choose one of count, options/,
    ],
    [
      "a result as a config",
      ["train", "--config", "result.json"],
      1,
      /this is the result of a run.*config\.json/,
    ],
    ["a folder as a config", ["train", "--config", "full"], 1, /got a folder; name a file.*config\.json/],
    [
      "a config of several lines",
      ["train", "--config", "lines.json"],
      1,
      /not JSON.*got Unexpected token 'o';/,
    ],
    ["a folder in use", ["train", "--run-folder", "full"], 1, /full: the run folder is not empty/],
    [
      "a folder below a file",
      ["train", "--run-folder", "broken.json/run"],
      1,
      /the run folder could not be made/,
    ],
  ];

  test("an environment of Gymnasium without Gymnasium", async () => {
    const env = { SOFTRL_HOME: join(place, "nowhere"), PATH: join(place, "nowhere"), SOFTRL_PYTHON: "" };
    const run = await softrl(["train", "--env", "ALE/Pong-v5"], place, { env });
    expectRefusal(
      run,
      1,
      /--env: ALE\/Pong-v5 is not built in, and Gymnasium is missing.*softrl setup gymnasium/,
    );
    expect(existsSync(join(place, "nowhere"))).toBe(false);
  });

  test.each(cases)("%s", async (_, args, code, message) => {
    const here = mkdtempSync(join(place, "bad-"));
    writeFileSync(join(here, "broken.json"), "{");
    writeFileSync(join(here, "type.json"), '{"algorithm": {"tau": "0.1"}}');
    writeFileSync(join(here, "key.json"), '{"algorithm": {"tua": 0.1}}');
    writeFileSync(join(here, "envs.json"), '{"environment": {"envs": 4}}');
    writeFileSync(join(here, "pair.json"), '{"algorithm": {"name": "soft-q", "entropyBonus": "naive"}}');
    writeFileSync(join(here, "soft-q.json"), '{"algorithm": {"name": "soft-q"}}');
    writeFileSync(join(here, "result.json"), '{"algorithm": "a2c", "steps": 40, "version": "0.1.0"}');
    writeFileSync(join(here, "lines.json"), '{\n  "tau": 1,\n  "seed": oops\n}');
    mkdirSync(join(here, "full"));
    writeFileSync(join(here, "full", "notes.txt"), "mine");
    const before = readdirSync(here, { recursive: true });
    expectRefusal(await softrl(args, here), code, message);
    expect(readdirSync(here, { recursive: true })).toEqual(before);
  });

  test("a full disk is one error, and leaves no half-written file", async () => {
    // A limit on the size of files fails writes in the middle, as a full disk does.
    const here = mkdtempSync(join(place, "disk-"));
    const run = await softrlAlone(["train", "--steps", "20000", "--run-folder", "run"], here, {
      shellPrefix: "ulimit -f 8",
    });
    expectRefusal(run, 1, /run\/(events.jsonl|checkpoint.safetensors): .*could not be written, got EFBIG/);
    expect(readdirSync(join(here, "run")).filter((name) => name.startsWith("."))).toEqual([]);
    for (const line of readFileSync(join(here, "run", "events.jsonl"), "utf8")
      .trimEnd()
      .split("\n")) {
      expect(() => JSON.parse(line)).not.toThrow();
    }
    expect(JSON.parse(readFileSync(join(here, "run", "config.json"), "utf8"))).toMatchObject({
      run: { steps: 20000 },
    });

    const atOnce = await softrlAlone(["train", "--run-folder", "nothing"], here, {
      shellPrefix: "ulimit -f 0",
    });
    expectRefusal(atOnce, 1, /nothing: the run folder could not be locked, got EFBIG/);
    expect(existsSync(join(here, "nothing"))).toBe(false);
  });

  // V8 reserves gigabytes of address space for the memory of an instance.
  test.skipIf(process.platform !== "linux")(
    "too little address space for WebAssembly is one error",
    async () => {
      const here = mkdtempSync(join(place, "addresses-"));
      const shellPrefix = "ulimit -v 2700000";
      const run = await softrlAlone(["train", "--steps", "40", "--executor", "wasm"], here, { shellPrefix });
      expectRefusal(
        run,
        1,
        /no room for WebAssembly, got .*; raise the limit on address space, or use another/,
      );
      expect(readdirSync(here)).toEqual([]);
    },
  );
});
