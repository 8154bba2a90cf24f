import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { findRuns } from "../src/runs/find-runs.js";
import { csvLine, type Row, readTables, type TableName } from "../src/runs/run-tables.js";
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

test("the rows of a run's tables: one for each event, and one for the run", () => {
  const rows: [TableName, Row][] = [];
  readTables("first", join(place, "runs/first/events.jsonl"), (table, row) => void rows.push([table, row]));
  expect(rows.map(([table]) => table)).toEqual(["episodes", "updates", "evaluations", "updates", "runs"]);
  expect(rows[3][1]).toEqual({
    run: "first",
    step: 20,
    meanReturn: -2,
    learningRate: 0,
    seconds: 3,
    loss: 2,
    kl: 1,
  });
});

test("an event that nests 50,000 deep is damage", () => {
  const folder = join(place, "nested");
  mkdirSync(folder);
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  for (const event of [
    `{"event":"episode","step":1,"return":${deep}}`,
    `{"event":"update","step":1,"figures":{"loss":${deep}}}`,
  ]) {
    writeFileSync(join(folder, "events.jsonl"), `${event}\n`);
    expect(() => readTables("nested", join(folder, "events.jsonl"), () => {})).toThrow(
      /line 1 is not an event of a run/,
    );
  }
});

test("cells with commas, quotes and line breaks stand in quotes", () => {
  expect(csvLine(["x,y", 'say "no"', "1\n2", undefined, false])).toBe('"x,y","say ""no""","1\n2",,false\n');
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
  expect(text("tables/updates.csv")).toBe(
    "run,step,meanReturn,learningRate,seconds,loss,kl\nfirst,10,,0.1,1.5,3,\nfirst,20,-2,0,3,2,1\n",
  );
  expect(text("tables/episodes.csv")).toBe("run,step,environment,return,length\nfirst,8,1,-2.5,4\n");
  expect(text("tables/evaluations.csv")).toBe(
    "run,step,episodes,meanReturn,standardDeviation,cut,best\nfirst,10,1,5,,0,true\n",
  );
  expect(text("tables/runs.csv").split("\n")).toEqual([
    "run,version,executor,end,run.seed,algorithm.name,algorithm.tau,network.hiddenSizes,steps,meanReturn",
    "deep/second,0.1.0,wasm,none,,,,,,",
    'first,0.1.0,wasm,finished,4,a2c,1:0,"[64,64]",20,-2',
    "",
  ]);
  const again = await softrl(["csv", "runs", "--out", "tables"], place);
  expectRefusal(
    again,
    1,
    /--out: tables is not empty, expected a new or empty folder, got .*; choose another with --out, or pass --overwrite/,
  );
  const before = text("tables/updates.csv");
  expect((await softrl(["csv", "runs/first", "--out", "tables", "--overwrite"], place)).code).toBe(0);
  expect(text("tables/updates.csv")).toBe(before);
  writeFileSync(join(place, "tables/notes.txt"), "");
  const strange = await softrl(["csv", "runs", "--out", "tables", "--overwrite"], place);
  expectRefusal(strange, 1, /got notes.txt; choose another with --out\.$/m);
});

test("a run whose figures have a thousand names is refused, and nothing is written", async () => {
  const events = Array.from({ length: 1200 }, (_, i) => ({
    event: "update",
    step: i,
    figures: { [`f${i}`]: 1 },
  }));
  writeRun("wide", events);
  const run = await softrl(["csv", "wide", "--out", "wide-tables"], place);
  expectRefusal(run, 1, /the table updates has too many columns, expected at most 1000, got 1001; leave/);
  expect(existsSync(join(place, "wide-tables"))).toBe(false);
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
