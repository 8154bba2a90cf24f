import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeCheckpoint, encodeCheckpoint, version } from "softrl";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { openSavedRun } from "../src/runs/saved-run.js";
import { expectRefusal, fakeGymnasium, softrl, startSoftrl } from "./command.js";

const place = temporaryFolder("messages");
const at = (...names: string[]) => join(place, ...names);
const env = { SOFTRL_EXECUTOR: "wasm" };
const command = (...args: string[]) => softrl(args, place, { env });

beforeAll(async () => {
  expect(await command("train", "--steps", "400", "-o", "run")).toMatchObject({ code: 0, stderr: "" });
});

test("a run that was stopped before its first checkpoint is told from a folder of something else", () => {
  mkdirSync(at("begun"));
  for (const name of ["config.json", "events.jsonl"]) writeFileSync(at("begun", name), "");
  expect(() => openSavedRun(at("begun"))).toThrow(
    /begun: the run ended before its first checkpoint, .*; start it again: softrl train --config \S*config\.json\.$/,
  );
  expect(() => openSavedRun(at("nothing"))).toThrow(/the checkpoint could not be read/);
});

describe("a checkpoint", () => {
  const snapshotOf = () => decodeCheckpoint("test", readFileSync(at("run", "checkpoint.safetensors")));
  const write = (name: string, snapshot: Parameters<typeof encodeCheckpoint>[0]) =>
    writeFileSync(at(name, "checkpoint.safetensors"), encodeCheckpoint(snapshot));

  /** The run `run` with another configuration in its checkpoint. */
  function changed(
    name: string,
    writer: string,
    change: (config: Record<string, Record<string, unknown>>) => void,
  ) {
    mkdirSync(at(name));
    copyFileSync(at("run", "events.jsonl"), at(name, "events.jsonl"));
    const snapshot = snapshotOf();
    const config = JSON.parse(String(snapshot.config));
    change(config);
    write(name, { ...snapshot, version: writer, config: JSON.stringify(config) });
  }

  test.each([
    ["setting", "resume", ({ algorithm }) => Object.assign(algorithm, { later: 1 })],
    ["network", "record", ({ network }) => Object.assign(network, { name: "later" })],
    ["section", "evaluate", (config) => Object.assign(config, { later: {} })],
    ["missing-setting", "resume", ({ algorithm }) => delete algorithm.tau],
    ["value-reported", "report", ({ algorithm }) => Object.assign(algorithm, { tau: "later" })],
    ["algorithm", "resume", ({ algorithm }) => Object.assign(algorithm, { name: "later" })],
  ] as [string, string, Parameters<typeof changed>[2]][])(
    "of another version, %s: names the version as the cause",
    async (name, verb, change) => {
      changed(name, "9.8.7", change);
      const cause = `the checkpoint is of softrl 9.8.7, this is ${version}: use the version that wrote it.\n`;
      const run = await command(verb, name);
      expectRefusal(run, 1, /checkpoint\.safetensors/);
      expect(run.stderr).toContain(cause);
    },
  );

  test.each(["resume", "report"])("of a version that did not count events: %s says so", async (verb) => {
    const name = `uncounted-${verb}`;
    changed(name, "0.0.1", () => {});
    const { events, ...snapshot } = snapshotOf();
    expect(events).toBeGreaterThan(0);
    write(name, { ...snapshot, version: "0.0.1" });
    expectRefusal(
      await command(verb, name),
      1,
      /checkpoint\.safetensors: the checkpoint does not hold the number of its events, got a checkpoint of softrl 0\.0\.1; use the version that wrote it; evaluate and record play its policy\.\n$/,
    );
    expect((await command("evaluate", name, "--episodes", "1")).code).toBe(0);
  });

  test("of this version keeps its remedy", async () => {
    changed("own", version, ({ network }) => Object.assign(network, { name: "mlpp" }));
    const run = await command("evaluate", "own");
    expectRefusal(run, 1, /checkpoint\.safetensors: network: unknown name.*; did you mean mlp\?\n$/);
  });

  test("that names an algorithm with commands to the terminal: they are left out", async () => {
    changed("coloured", version, ({ algorithm }) =>
      Object.assign(algorithm, { name: `\u001b[31mred\u001b]0;title\u0007\n${"x".repeat(1000)}` }),
    );
    const run = await command("evaluate", "coloured", "--episodes", "1");
    expect(run).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^red x+… \(\d+ characters\) on CartPole-v1, 1 episode/),
    });
    expect(run.stdout).not.toContain("\u001b");
  });
});

test.runIf(process.platform !== "win32")(
  "an environment that cannot save its state: a comparison says so, too",
  async () => {
    const args = ["compare", "--env", "Fake-v0", "--envs", "2", "--steps", "40", "-o", "unsaved-pair"];
    const run = await softrl(args, place, { env: { ...env, ...fakeGymnasium(place, "works") } });
    expect(run).toMatchObject({
      code: 0,
      stderr: "softrl: Fake-v0 cannot save its state: these runs cannot be resumed once they have stopped\n",
    });
  },
);

test.runIf(process.platform !== "win32")(
  "an environment that cannot save its state: the run says so at its start, not after Ctrl-C",
  async () => {
    const gymnasium = { ...env, ...fakeGymnasium(place, "works") };
    const args = ["train", "--env", "Fake-v0", "--envs", "2", "--steps", "50000000", "-o", "unsaved"];
    const { child, finished } = startSoftrl(args, place, { env: gymnasium });
    let stderr = "";
    await new Promise<void>((resolve) => {
      child.stderr?.on("data", (text) => {
        stderr += text;
        if (stderr.includes("cannot save its state")) resolve();
      });
      child.once("close", () => resolve());
    });
    child.kill("SIGINT");
    const run = await finished;
    expect(run.code, run.stderr).toBe(130);
    expect(run.stderr).toMatch(
      /^softrl: Fake-v0 cannot save its state: this run cannot be resumed once it has stopped\n/,
    );
    expect(run.stdout).not.toContain("softrl resume");
    const report = await softrl(["report", "unsaved"], place, { env });
    expect(report).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("interrupted") });
    expect(report.stdout).not.toContain("softrl resume");
    expectRefusal(
      await softrl(["resume", "unsaved"], place, { env: gymnasium }),
      1,
      /^softrl: unsaved\/checkpoint\.safetensors: Fake-v0 cannot save its state, .*; this run cannot be continued; evaluate and record play its policy\.\n$/,
    );
  },
);
