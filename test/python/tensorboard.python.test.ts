import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../source-tree.js";
import { runPython } from "./run-python.js";

interface Read {
  readonly scalars: Readonly<Record<string, readonly (readonly [step: number, value: number])[]>>;
  readonly hparams: Readonly<Record<string, { readonly hparams?: object; readonly status?: string }>>;
  readonly images: Readonly<Record<string, readonly object[]>>;
}

let place = "";
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "softrl-tensorboard-"));
  const options =
    "--env GridWorld-v0 --steps 12000 --log-every 1000 --oracle-every 4000 --evaluate-every 6000 --tensorboard";
  softrl("train", ...options.split(" "), "-o", "run");
  softrl("resume", "run", "--steps", "16000", "--tau", "0.002");
  softrl("record", "run", "--tensorboard", "--max-steps", "9", "--out", "film.gif");
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function softrl(...args: string[]): void {
  execFileSync(process.execPath, [join(root, "packages/cli/bin/softrl.js"), ...args], { cwd: place });
}

function readBy(folder: string): Read {
  const program = fileURLToPath(new URL("read_events.py", import.meta.url));
  return JSON.parse(runPython(program, [folder], { cwd: place }));
}

type Numbers = Readonly<Record<string, unknown>>;

/** Every number of events.jsonl by its tag; the episodes that end at a step as their mean. */
function numbersOf(folder: string): Record<string, [number, number][]> {
  const points: Record<string, [number, number][]> = {};
  const add = (group: string, step: unknown, numbers: Numbers) => {
    for (const [name, value] of Object.entries(numbers)) {
      if (typeof value !== "number") continue;
      points[`${group}/${name}`] ??= [];
      points[`${group}/${name}`].push([Number(step), value]);
    }
  };
  const episodes = new Map<number, { return: number; length: number }[]>();
  for (const line of readFileSync(join(place, folder, "events.jsonl"), "utf8")
    .trimEnd()
    .split("\n")) {
    const {
      event,
      step,
      figures,
      settings,
      best,
      environment,
      episodes: played,
      ...numbers
    } = JSON.parse(line);
    if (event === "episode") episodes.set(step, [...(episodes.get(step) ?? []), numbers]);
    if (event === "update" || event === "evaluation") add(event, step, numbers);
    if (event === "update") add("figures", step, figures);
    if (event === "oracle") add("oracle", step, figures);
    if (event === "set") add("set", step, settings);
  }
  for (const [step, ended] of episodes) {
    const mean = (name: "return" | "length") =>
      ended.reduce((sum, episode) => sum + episode[name], 0) / ended.length;
    add("episode", step, { return: mean("return"), length: mean("length") });
  }
  return points;
}

const inFloat32 = (points: Read["scalars"]) =>
  Object.fromEntries(
    Object.entries(points).map(([tag, list]) => [tag, list.map(([step, x]) => [step, Math.fround(x)])]),
  );

test("TensorBoard reads every number of a resumed run at its step, its settings, its end and its film", () => {
  const { scalars, hparams, images } = readBy("run");
  const expected = numbersOf("run");
  expect(Object.keys(expected)).toEqual(
    expect.arrayContaining([
      "figures/entropy",
      "oracle/regret",
      "evaluation/meanReturn",
      "set/tau",
      "set/steps",
    ]),
  );
  expect(expected["episode/return"].length).toBeGreaterThan(100);
  expect(scalars).toEqual(inFloat32(expected));

  expect(hparams["_hparams_/session_start_info"].hparams).toMatchObject({
    "algorithm.name": "a2c",
    "algorithm.tau": 0.001,
    "environment.id": "GridWorld-v0",
    "algorithm.normaliseReturns": false,
    "optimiser.learningRate": "0.02:0",
    "network.hiddenSizes": "[]",
  });
  expect(hparams["_hparams_/session_end_info"].status).toBe("STATUS_SUCCESS");
  const bytes = readFileSync(join(place, "film.gif"));
  expect(images).toEqual({
    film: [
      {
        step: 16_000,
        width: bytes.readUInt16LE(6),
        height: bytes.readUInt16LE(8),
        begins: "GIF89a",
        bytes: bytes.length,
      },
    ],
  });
});

test("TensorBoard reads what softrl tensorboard writes of the same run, and a file that was cut", () => {
  softrl("tensorboard", "run", "--out", "board");
  const { scalars } = readBy("board/run");
  expect(scalars).toEqual(inFloat32(numbersOf("run")));

  cpSync(join(place, "board/run"), join(place, "cut"), { recursive: true });
  const [name] = readdirSync(join(place, "cut"));
  const path = join(place, "cut", name);
  truncateSync(path, Math.floor(readFileSync(path).length / 2));
  const cut = readBy("cut").scalars["episode/return"];
  expect(cut.length).toBeGreaterThan(10);
  expect(cut.length).toBeLessThan(scalars["episode/return"].length);
  expect(cut).toEqual(scalars["episode/return"].slice(0, cut.length));
});
