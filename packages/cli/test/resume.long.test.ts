import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import {
  eventsOf,
  expectRefusal,
  type LoggedEvent,
  slowCheckpoints,
  softrl,
  startSoftrl,
  stopAt,
} from "./command.js";

const folder = temporaryFolder("resume");

const STEPS = 60_000;
const settings =
  `--algorithm soft-q --seed 3 --steps ${STEPS} --checkpoint-every 4000 --log-every 1500`.split(" ");
const wasm = { env: { SOFTRL_EXECUTOR: "wasm" } };
const reference = { env: { SOFTRL_EXECUTOR: "reference" } };
const trained = (name: string) => ["train", ...settings, "-o", name, "--json"];

const bytesOf = (name: string) => readFileSync(join(folder, name, "checkpoint.safetensors"));
const events = (name: string) => eventsOf(join(folder, name));
const isTimed = ({ seconds }: LoggedEvent) => Number(seconds) > 0;

/** Runs until a checkpoint after `step` stands, then sends the signal. */
const stopAfter = (step: number, signal: NodeJS.Signals, args: string[], name: string) =>
  stopAt(
    startSoftrl(args, folder, { env: { ...wasm.env, ...slowCheckpoints } }),
    join(folder, name),
    signal,
    (event) => event.event === "checkpoint" && Number(event.step) >= step,
  );

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
    const isOfBoth = ({ event, step }: LoggedEvent) =>
      event !== "resumed" && !(event === "checkpoint" && places.has(step) && Number(step) % 4_000 !== 0);
    // Measured, and counted from each start of a process.
    const unmeasured = ({ seconds, ...event }: LoggedEvent) => event;
    const comparable = (name: string) => events(name).filter(isOfBoth).map(unmeasured);
    expect(comparable("parts")).toEqual(comparable("whole"));
    const [started] = events("whole");
    for (const key of ["host", "commit", "executor", "precision"] as const) {
      for (const resumption of resumptions) expect(resumption[key]).toEqual(started[key]);
    }
    expect(started.host).toMatchObject({
      cores: expect.any(Number),
      runtime: `node ${process.versions.node}`,
    });
    expect(
      events("whole")
        .filter(({ event }) => event === "update")
        .every(isTimed),
    ).toBe(true);
  });

  test("prints how to continue an interrupted run; refuses what cannot be resumed, and changes nothing", async () => {
    const args = trained("kept").filter((argument) => argument !== "--json");
    const stopped = await stopAfter(4_000, "SIGINT", args, "kept");
    expect(stopped.stdout).toMatch(/to continue: softrl resume kept\n$/);
    const before = events("kept");
    expectRefusal(
      await softrl(["resume", "kept"], folder, reference),
      1,
      /SOFTRL_EXECUTOR: the run in kept was started with another executor, expected wasm, got reference; unset/,
    );
    expect(events("kept")).toEqual(before);

    await softrl(["train", "--steps", "200", "-o", "short"], folder, wasm);
    expectRefusal(
      await softrl(["resume", "short"], folder, wasm),
      1,
      /^softrl: short: the run is already finished; pass --steps to extend it\.\n$/,
    );
    expectRefusal(await softrl(["resume", "none"], folder, wasm), 1, /the checkpoint could not be read/);
  });

  test("extends a finished run, and changes live settings", async () => {
    await softrl(["train", "--steps", "2000", "--tau", "0.5", "-o", "long"], folder, wasm);
    const more = ["resume", "long", "--steps", "4000", "--learning-rate", "0.001", "--tau", "0.25", "--json"];
    const resumed = await softrl(more, folder, wasm);
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
    const changes = [{ step: 2000, settings: { steps: 4000, learningRate: 0.001, tau: 0.25 } }];
    expect(JSON.parse(resumed.stdout)).toMatchObject({ steps: 4000, interrupted: false, changes });
    expect(events("long").filter(({ event }) => event === "set")).toMatchObject(changes);

    // A second change keeps the first one in the events, and the length of the run.
    const again = await softrl(["resume", "long", "--steps", "6000"], folder, wasm);
    expect(again.stdout).toContain("changed at step 2 000: steps 4000, learningRate 0.001, tau 0.25\n");
    expect(again.stdout).toContain("changed at step 4 000: steps 6000\n");
    expect(JSON.parse(readFileSync(join(folder, "long", "result.json"), "utf8")).changes).toHaveLength(2);
    const help = await softrl(["resume", "long", "--help"], folder, wasm);
    expect(help.stdout.replaceAll(/\s+/g, " ")).toMatch(/--steps .*\(now 6000\).*--tau .*\(now 0\.25\)/);
  });

  test("extends a run again that went past its length, to the end of a rollout", async () => {
    const train = "train --steps 200 --hidden-sizes 4 --executor wasm --json -o again".split(" ");
    expect((await softrl(train, folder)).code).toBe(0);
    for (const steps of ["210", "300"]) {
      const extended = await softrl(["resume", "again", "--steps", steps, "--json"], folder);
      expect([extended.code, extended.stderr]).toEqual([0, ""]);
    }
    expect(events("again").at(-1)).toEqual({ event: "finished", step: 320 });
  });

  test("refuses settings that cannot change during a run, and invalid values", async () => {
    await softrl(["train", "--steps", "200", "-o", "fixed"], folder, wasm);
    for (const [args, message] of [
      [
        ["--horizon", "7"],
        /--horizon: this cannot change during a run, expected --steps, --learning-rate, .*--tau/,
      ],
      [["--seed", "7"], /--seed: this cannot change.*softrl train --config fixed\/config\.json --seed/],
      [["--trust-region", "7"], /--trust-region: a2c has no --trust-region; npg has/],
      [["--tau", "0"], /--tau: invalid value/],
      [
        ["--tau", "1:0.1"],
        /--tau: invalid value, expected a number, got "1:0\.1"; a resumed run cannot start a new schedule/,
      ],
      [
        ["--steps", "100"],
        /--steps: 100 is below the 200 steps already taken; name more, to extend the run\.\n$/,
      ],
      [["--steps", "200"], /--steps: 200 steps are already taken; name more/],
    ] as const) {
      const before = events("fixed");
      expectRefusal(await softrl(["resume", "fixed", ...args], folder, wasm), 1, message);
      expect(events("fixed")).toEqual(before);
    }
  });

  test("refuses a change without effect before anything is written", async () => {
    const train = "train --algorithm pqn --backup soft-kl --steps 200 --hidden-sizes 4 --json -o soft";
    expect((await softrl(train.split(" "), folder, wasm)).code).toBe(0);
    const before = events("soft");
    const message = /--epsilon: this setting has no effect without the backup hard, got 0\.5; leave it out/;
    const resume = ["resume", "soft", "--steps", "400", "--epsilon", "0.5"];
    expectRefusal(await softrl(resume, folder, wasm), 1, message);
    expect(events("soft")).toEqual(before);
  });

  test("refuses a config.json that was edited or damaged, and needs none", async () => {
    await softrl(["train", "--steps", "200", "-o", "edited"], folder, wasm);
    const path = join(folder, "edited", "config.json");
    const text = readFileSync(path, "utf8");
    const resume = () => softrl(["resume", "edited", "--steps", "400"], folder, wasm);
    const config = JSON.parse(text);
    writeFileSync(path, JSON.stringify({ ...config, algorithm: { ...config.algorithm, tau: 0.5 } }));
    expectRefusal(
      await resume(),
      1,
      /edited\/config\.json: algorithm\.tau is 0\.5, the checkpoint has 0\.001; restore it, or start a new run with softrl train --config/,
    );
    const { network: _, ...others } = config;
    writeFileSync(path, JSON.stringify(others));
    expectRefusal(await resume(), 1, /config\.json: network is missing, the checkpoint has/);
    writeFileSync(path, JSON.stringify({ ...config, run: { ...config.run, tempo: 1 } }));
    expectRefusal(await resume(), 1, /config\.json: run\.tempo is 1, the checkpoint has no such setting/);
    writeFileSync(path, text.slice(0, 40));
    expectRefusal(await resume(), 1, /edited\/config\.json: not JSON/);
    rmSync(path);
    expect(await resume()).toMatchObject({ code: 0, stderr: "" });
  });

  test("continues on the executor of the run, and refuses another one", async () => {
    await softrl(["train", "--steps", "80", "--executor", "reference", "-o", "float64"], folder, wasm);
    const resume = ["resume", "float64", "--steps", "160", "--json"];
    expectRefusal(
      await softrl(resume, folder, wasm),
      1,
      /SOFTRL_EXECUTOR: the run in float64 was started with another executor, expected reference, got wasm/,
    );
    const free = await softrl(resume, folder, { env: { SOFTRL_EXECUTOR: "" } });
    expect(JSON.parse(free.stdout)).toMatchObject({
      executor: "reference",
      precision: "float64",
      steps: 160,
    });
  });
});
