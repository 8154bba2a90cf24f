import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { RandomStreams, readRunSnapshot, savedPieceFiles } from "softrl";
import { beforeAll, describe, expect, test } from "vitest";
import { runDifferences } from "../../../test/break/compare-runs.js";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { ReplayFolder } from "../src/runs/replay-folder.js";
import { expectRefusal, softrl, softrlAlone, startSoftrl } from "./command.js";

const folder = temporaryFolder("replay");

const options =
  "--env CartPole-v1 --seed 5 --steps 1600 --envs 2 --checkpoint-every 400 --hidden-sizes 16 --executor wasm " +
  "--replay-capacity 500 --replay-start 100 --train-every 8 --batch-size 16 --replay prioritised";
const trained = (name: string, ...more: string[]) => [
  "train",
  "--algorithm",
  "dqn",
  ...options.split(" "),
  ...more,
  "-o",
  name,
  "--json",
];

const watch = new URL("../../../test/break/watch-calls.js", import.meta.url).href;
/** Counts the calls of node:fs in a run folder; see test/break/watch-calls.js. */
const watched = (name: string, more: Record<string, string>) => ({
  env: { NODE_OPTIONS: `--import ${watch}`, SOFTRL_BREAK_FOLDER: join(folder, name), ...more },
});

const pieces = (name: string) => readdirSync(join(folder, name, "replay")).sort();
const namesOf = (name: string) => {
  const path = join(folder, name, "checkpoint.safetensors");
  return savedPieceFiles(path, readRunSnapshot(path, readFileSync(path)));
};

/** Resumes a killed run to its end, and compares. */
async function resumesToTheWhole(name: string) {
  const { code, stderr } = await softrl(["resume", name, "--json"], folder);
  expect([code, stderr]).toEqual([0, ""]);
  expect(runDifferences(join(folder, "whole"), join(folder, name))).toEqual([]);
}

describe("a run with a replay", () => {
  let calls: [call: string, path: string, milliseconds: number][] = [];
  beforeAll(async () => {
    const trace = join(folder, "trace.json");
    const whole = await softrlAlone(
      trained("whole"),
      folder,
      watched("whole", { SOFTRL_BREAK_TRACE: trace }),
    );
    expect([whole.code, whole.stderr]).toEqual([0, ""]);
    ({ calls } = JSON.parse(readFileSync(trace, "utf8")));
  });

  test("keeps it beside the checkpoint, in the files that the checkpoint names", () => {
    expect(pieces("whole").map((name) => name.replace(/[0-9a-f]{8}/, "*"))).toEqual([
      "entries-0-*.safetensors",
      "priorities-0-*.safetensors",
    ]);
    expect(pieces("whole")).toEqual(
      namesOf("whole")
        .map((name) => `${name}.safetensors`)
        .sort(),
    );
    expect(readFileSync(join(folder, "whole", "checkpoint.safetensors")).toString("latin1")).not.toContain(
      "replay/observations",
    );
  });

  test("killed at each kind of call around its replay, is the run that never stopped", async () => {
    const kindOf = (path: string) => basename(path).replace(/^\.?([a-z]+)-.*?(\.unfinished)?$/, "$1$2");
    const isCheckpoint = ([call, path]: (typeof calls)[number]) =>
      call === "rename" && path.includes("checkpoint");
    const first = calls.findIndex(isCheckpoint);
    const next = calls.findIndex((call, i) => i > first && isCheckpoint(call));
    // Between two checkpoints, and the removals after the second. After a call is before the one that follows it.
    const seen = new Map<string, number>();
    calls.slice(first + 1, next + 6).forEach(([call, path], i) => {
      if (/entries-/.test(path) || call === "rename") seen.set(`${call} ${kindOf(path)}`, first + 2 + i);
    });
    const kinds = [...seen.keys()].sort();
    expect(kinds).toEqual([
      "open entries.unfinished",
      "rename checkpoint.safetensors",
      "rename entries",
      "rename priorities",
      "rm entries",
      "rm entries.unfinished",
      "sync entries.unfinished",
      "writeFile entries.unfinished",
    ]);
    const cases = [...seen].map(([kind, number]) => [kind, number, "after"] as const);
    const torn = seen.get("writeFile entries.unfinished") ?? 0;
    for (const [kind, number, how] of [...cases, ["torn", torn, "torn"] as const]) {
      const name = `killed-${number}-${how}`;
      const { child, finished } = startSoftrl(
        trained(name),
        folder,
        watched(name, { SOFTRL_BREAK_KILL: `${number}:${how}` }),
      );
      await finished;
      expect([kind, child.signalCode]).toEqual([kind, "SIGKILL"]);
      for (const piece of namesOf(name)) expect(pieces(name)).toContain(`${piece}.safetensors`);
      await resumesToTheWhole(name);
    }
  }, 900_000);

  test("killed at random moments, again and again, is the run that never stopped", async () => {
    const random = new RandomStreams(14).stream("kills");
    const hasCheckpoint = () => existsSync(join(folder, "random", "checkpoint.safetensors"));
    let args = trained("random");
    for (let kills = 0; kills < 6; ) {
      const { child, finished } = startSoftrl(args, folder);
      const timer = setTimeout(() => child.kill("SIGKILL"), 400 + 1200 * random.float());
      const { code } = await finished;
      clearTimeout(timer);
      if (code !== null) break;
      kills++;
      if (hasCheckpoint()) args = ["resume", "random", "--json"];
      else rmSync(join(folder, "random"), { recursive: true, force: true });
    }
    if (!hasCheckpoint()) expect((await softrl(args, folder)).code).toBe(0);
    const { code, stderr } = await softrl(["resume", "random", "--json"], folder);
    if (code !== 0) expect(stderr).toMatch(/the run is already finished/);
    expect(runDifferences(join(folder, "whole"), join(folder, "random"))).toEqual([]);
  });

  test("whose replay is damaged is not resumed; evaluate, record and report do not need it", async () => {
    cpSync(join(folder, "whole"), join(folder, "damaged"), { recursive: true });
    const replay = join(folder, "damaged", "replay");
    const [entries] = pieces("damaged");
    const path = join(replay, entries);
    const bytes = readFileSync(path);
    const resume = () => softrl(["resume", "damaged", "--steps", "2000"], folder);
    const changes: [change: () => void, message: RegExp][] = [
      [
        () =>
          writeFileSync(
            path,
            bytes.map((byte, i) => (i === 1000 ? byte ^ 1 : byte)),
          ),
        /entries-0-\w+\.safetensors: this file of the replay is damaged, .*; restore the run's files from a copy, or pass --without-replay; evaluate and record work without the replay\.\n$/,
      ],
      [
        () => writeFileSync(path, bytes.subarray(1)),
        /this file of the replay is damaged, expected \d+ bytes, got \d+; restore/,
      ],
      [() => {}, /entries-0-\w+\.safetensors: this file of the replay is missing; restore/],
      [
        () => symlinkSync(join(folder, "whole", "replay", entries), path),
        /not a regular file, got a symbolic link/,
      ],
      [() => execFileSync("mkfifo", [path]), /not a regular file, got a named pipe/],
      [() => renameSync(replay, join(folder, "moved")), /this file of the replay is missing/],
      [() => symlinkSync(join(folder, "moved"), replay), /replay: not a folder/],
    ];
    for (const [change, message] of changes) {
      if (existsSync(replay)) rmSync(path, { force: true });
      change();
      expectRefusal(await resume(), 1, message);
    }
    const evaluate = (name: string) => softrl(["evaluate", name, "--episodes", "2", "--json"], folder);
    const [sound, without] = [await evaluate("whole"), await evaluate("damaged")];
    expect(without.code).toBe(0);
    expect(without.stdout.replaceAll("damaged", "whole")).toBe(sound.stdout);
    expect((await softrl(["report", "damaged"], folder)).code).toBe(0);
  });

  test("whose replay is damaged goes on without it where the user asks for that", async () => {
    cpSync(join(folder, "whole"), join(folder, "lossy"), { recursive: true });
    rmSync(join(folder, "lossy", "replay", pieces("lossy")[0]));
    const resume = ["resume", "lossy", "--json", "--steps"];
    const resumed = await softrl([...resume, "2000", "--without-replay"], folder);
    expect([resumed.code, resumed.stderr]).toEqual([
      0,
      "softrl: the replay starts empty, and learning waits for 100 new steps: " +
        "the result differs from that of a run that never stopped\n",
    ]);
    const events = readFileSync(join(folder, "lossy", "events.jsonl"), "utf8");
    expect(events).toMatch(/"event":"resumed","step":1600,.*"withoutReplay":true/);
    // From here on it is a run like any other.
    expect(await softrl([...resume, "2400"], folder)).toMatchObject({ code: 0, stderr: "" });
  });

  test("without it in its checkpoints, has none to leave out", async () => {
    const options = ["--steps", "100", "--save-replay", "false"];
    expect((await softrl([...trained("none"), ...options], folder)).code).toBe(0);
    const refused = await softrl(["resume", "none", "--steps", "200", "--without-replay"], folder);
    expectRefusal(refused, 1, /--without-replay: none\/checkpoint\.safetensors has no replay; leave/);
  });

  test("without it in its checkpoints, says so when it is resumed", async () => {
    const whole = await softrl(trained("forgetful", "--save-replay", "false"), folder);
    expect([whole.code, whole.stderr]).toEqual([0, ""]);
    expect(existsSync(join(folder, "forgetful", "replay"))).toBe(false);
    const resumed = await softrl(["resume", "forgetful", "--steps", "2000", "--json"], folder);
    expect([resumed.code, resumed.stderr]).toEqual([
      0,
      "softrl: the replay starts empty, and learning waits for 100 new steps: " +
        "the result differs from that of a run that never stopped\n",
    ]);
  });
});

describe("a replay folder", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const name = "entries-0-0123abcd";
  const make = (at: string) =>
    new ReplayFolder(join(folder, at), (path, what, error) => {
      throw error instanceof Error && error.name === "SoftrlError"
        ? error
        : new Error(`${path}: ${what}: ${error}`);
    });

  test("writes, reads and keeps only what it is told, and leaves other files", async () => {
    const store = make("pieces");
    store.keepOnly([]);
    expect(store.read(name, 3)).toBeNull();
    await store.write(name, bytes);
    await store.write("entries-1-00000000", bytes);
    expect(Array.from(store.read(name, 3) ?? [])).toEqual([1, 2, 3]);
    expect(() => store.read(name, 4)).toThrow("this file of the replay is damaged, expected 4 bytes, got 3");
    for (const other of [
      "notes.txt",
      "entries-1.safetensors",
      ".entries-9-00000000.safetensors.unfinished",
    ]) {
      writeFileSync(join(store.path, other), "");
    }
    store.keepOnly([name]);
    expect(readdirSync(store.path).sort()).toEqual(
      [`${name}.safetensors`, "entries-1.safetensors", "notes.txt"].sort(),
    );
  });

  test("follows no link", async () => {
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, `${name}.safetensors`), "abc");
    symlinkSync(elsewhere, join(folder, "linked"));
    const linked = make("linked");
    await expect(linked.write("entries-1-00000000", bytes)).rejects.toThrow("not a folder");
    expect(() => linked.read(name, 3)).toThrow("not a folder");
    expect(() => linked.keepOnly([])).toThrow("not a folder");

    const store = make("links");
    await store.write("entries-1-00000000", bytes);
    symlinkSync(join(elsewhere, `${name}.safetensors`), join(store.path, `${name}.safetensors`));
    expect(() => store.read(name, 3)).toThrow("not a regular file");
    await store.write(name, bytes);
    expect(Array.from(store.read(name, 3) ?? [])).toEqual([1, 2, 3]);
    expect(readdirSync(elsewhere)).toEqual([`${name}.safetensors`]);
    expect(readFileSync(join(elsewhere, `${name}.safetensors`), "utf8")).toBe("abc");
  });
});
