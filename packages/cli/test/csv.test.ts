import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { findRuns } from "../src/runs/find-runs.js";
import { csvText, runTables } from "../src/runs/run-tables.js";
import { expectRefusal, softrl } from "./command.js";

const place = temporaryFolder("csv");
beforeAll(() => {
  const config = {
    run: { seed: 4 },
    algorithm: { name: "a2c", tau: { from: 1, to: 0 } },
    network: { hiddenSizes: [64, 64] },
  };
  writeRun("runs/first", [
    { event: "started", version: "0.1.0", executor: "wasm", config },
    { event: "episode", step: 8, environment: 1, return: -2.5, length: 4 },
    { event: "update", step: 10, meanReturn: null, learningRate: 0.1, seconds: 1.5, figures: { loss: 3 } },
    {
      event: "evaluation",
      step: 10,
      episodes: 1,
      meanReturn: 5,
      standardDeviation: null,
      cut: 0,
      best: true,
    },
    { event: "update", step: 20, meanReturn: -2, learningRate: 0, seconds: 3, figures: { loss: 2, kl: 1 } },
    { event: "finished", step: 20 },
  ]);
  writeRun("runs/deep/second", [{ event: "started", version: "0.1.0", executor: "wasm", config: {} }]);
});

function writeRun(folder: string, events: readonly object[]): void {
  mkdirSync(join(place, folder), { recursive: true });
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  writeFileSync(join(place, folder, "events.jsonl"), lines.join(""));
}

const text = (...path: string[]) => readFileSync(join(place, ...path), "utf8");

test("the tables of a run: a row for each event, and one for the run", () => {
  const tables = runTables("first", join(place, "runs/first/events.jsonl"));
  expect(csvText(tables.updates)).toBe(
    "run,step,meanReturn,learningRate,seconds,loss,kl\nfirst,10,,0.1,1.5,3,\nfirst,20,-2,0,3,2,1\n",
  );
  expect(csvText(tables.episodes)).toBe("run,step,environment,return,length\nfirst,8,1,-2.5,4\n");
  expect(csvText(tables.evaluations)).toBe(
    "run,step,episodes,meanReturn,standardDeviation,cut,best\nfirst,10,1,5,,0,true\n",
  );
  expect(tables.oracle).toEqual([]);
  expect(csvText(tables.runs)).toBe(
    "run,run.seed,algorithm.name,algorithm.tau,network.hiddenSizes,version,executor,end,steps,meanReturn\n" +
      'first,4,a2c,1:0,"[64,64]",0.1.0,wasm,finished,20,-2\n',
  );
});

test("cells with commas, quotes and line breaks stand in quotes", () => {
  expect(csvText([{ a: "x,y", b: 'say "no"', c: "1\n2" }, { d: false }])).toBe(
    'a,b,c,d\n"x,y","say ""no""","1\n2",\n,,,false\n',
  );
});

test("run folders are found below a folder, each under a name of its own", () => {
  const names = (...paths: string[]) =>
    findRuns(paths.map((path) => join(place, path))).map(({ name }) => name);
  expect(names("runs")).toEqual(["deep/second", "first"]);
  expect(names("runs/first", "runs/first", "runs")).toEqual(["first", "deep/second"]);
  writeRun("others/first", [{ event: "started" }]);
  expect(names("runs/first", "others/first")).toEqual(["first", "first-2"]);
});

test("softrl csv writes the tables that have rows, once", async () => {
  const run = await softrl(["csv", "runs", "--out", "tables", "--json"], place);
  expect(JSON.parse(run.stdout)).toEqual({
    out: "tables",
    files: [
      { file: "tables/runs.csv", rows: 2 },
      { file: "tables/updates.csv", rows: 2 },
      { file: "tables/episodes.csv", rows: 1 },
      { file: "tables/evaluations.csv", rows: 1 },
    ],
  });
  expect(readdirSync(join(place, "tables"))).toHaveLength(4);
  const again = await softrl(["csv", "runs", "--out", "tables"], place);
  expectRefusal(
    again,
    1,
    /--out: tables is not empty, expected a new or empty folder, got .*; choose another, or pass --overwrite/,
  );
  const before = text("tables/updates.csv");
  expect((await softrl(["csv", "runs/first", "--out", "tables", "--overwrite"], place)).code).toBe(0);
  expect(text("tables/updates.csv")).toBe(before);
  writeFileSync(join(place, "tables/notes.txt"), "");
  const strange = await softrl(["csv", "runs", "--out", "tables", "--overwrite"], place);
  expectRefusal(strange, 1, /got notes.txt; choose another\.$/m);
});

test("a film for TensorBoard is one file", async () => {
  expect((await softrl(["train", "--steps", "40", "-o", "trained"], place)).code).toBe(0);
  const frames = await softrl(["record", "trained", "--tensorboard", "--out", "frames"], place);
  expectRefusal(
    frames,
    1,
    /--tensorboard: TensorBoard shows a film as one animated image, expected --out with a file/,
  );
});
