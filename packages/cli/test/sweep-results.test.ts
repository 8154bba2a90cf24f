import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { root } from "../../../test/source-tree.js";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { plottedRuns } from "../src/plots/plotted-run.js";
import { outcomeIn } from "../src/sweeps/finished-run.js";
import { claimRun, whileLocked } from "../src/sweeps/folder-locks.js";
import { nameOfCell, readResults, type SweepResult, writeResults } from "../src/sweeps/results-file.js";
import { SweepFolder, unwritable } from "../src/sweeps/sweep-folder.js";
import { scoreTable, sweepScores } from "../src/sweeps/sweep-summary.js";
import { widest } from "./command.js";

const folder = temporaryFolderPerTest("results");
const at = (name: string) => join(folder, name);
const text = (name: string) => readFileSync(at(name), "utf8");

const result = (variant: string, seed: number, meanReturn = seed): SweepResult => ({
  variant,
  environment: "CartPole-v1",
  seed,
  meanReturn,
  episodes: 12,
  steps: 400,
  executor: "native avx2",
  version: "1.0.0",
  key: "0123456789abcdef",
  curve: [
    { step: 200, meanReturn: meanReturn / 2 },
    { step: 400, meanReturn },
  ],
  time: { stepsPerSecond: 1000, cpu: "a CPU" },
});
const mapOf = (...results: readonly SweepResult[]) =>
  new Map(results.map((each) => [nameOfCell(each), each]));
const order = ["A, with a comma", 'B "quoted"'].flatMap((variant) =>
  [2, 1].map((seed) => ({ variant, environment: "CartPole-v1", seed })),
);

describe("the tables of a sweep", () => {
  const all = order.map(({ variant, seed }) => result(variant, seed));

  test("are the same whatever the order in which runs end", () => {
    writeResults(folder, mapOf(...all), order);
    const files = ["results.csv", "curves.csv", "times.csv"].map(text);
    for (const file of ["results.csv", "curves.csv", "times.csv"]) rmSync(at(file));
    const later = [all[3], all[1], all[2], all[0]];
    for (const [j] of later.entries()) {
      writeResults(folder, new Map([...readResults(folder), ...mapOf(...later.slice(0, j + 1))]), order);
    }
    expect(["results.csv", "curves.csv", "times.csv"].map(text)).toEqual(files);
    expect(files[0].split("\n")[0]).toBe(
      "variant,environment,seed,meanReturn,episodes,steps,executor,version,key",
    );
    expect(files[0].split("\n")[1]).toMatch(/^"A, with a comma",CartPole-v1,2,/);
  });

  test("are read as they were written, and plotted", () => {
    writeResults(folder, mapOf(...all), order);
    expect([...readResults(folder).values()]).toEqual(all);
    const plotted = plottedRuns([folder]);
    expect(plotted).toHaveLength(4);
    expect(plotted[0]).toMatchObject({ variant: "A, with a comma", score: 2, curve: { steps: [200, 400] } });
  });

  test("keep the results of other definitions, after those of this one", () => {
    writeResults(folder, mapOf(result("other", 5), ...all), order);
    expect([...readResults(folder).values()].map(({ variant }) => variant).at(-1)).toBe("other");
    expect(readResults(folder).size).toBe(5);
  });

  test("lose a last line that was cut off, and no other", () => {
    writeResults(folder, mapOf(...all), order);
    appendFileSync(at("results.csv"), '"other",CartPole-v1,7,1');
    appendFileSync(at("curves.csv"), "other,CartPole");
    expect([...readResults(folder).values()]).toEqual(all);
  });

  test("count rows once that are there twice, as after a merge, and write them once", () => {
    writeResults(folder, mapOf(result("A", 1, 10)), []);
    const files = ["results.csv", "curves.csv"].map(text);
    for (const file of ["results.csv", "curves.csv"])
      appendFileSync(at(file), text(file).replace(/^.*\n/, ""));
    expect([...readResults(folder).values()]).toEqual([result("A", 1, 10)]);
    writeResults(folder, readResults(folder), []);
    expect(["results.csv", "curves.csv"].map(text)).toEqual(files);
  });

  test.each([
    ["results.csv", "A,CartPole-v1,1,20,12,400,wasm,1.0.0,fedcba9876543210\n"],
    ["curves.csv", "A,CartPole-v1,1,200,4\n"],
  ])("with two different rows for one run in %s are refused", (file, row) => {
    writeResults(folder, mapOf(result("A", 1, 10)), []);
    appendFileSync(at(file), row);
    const message = new RegExp(`${file}: row \\d: the table has two different rows for the same run`);
    expect(() => readResults(folder)).toThrow(message);
    expect(() => plottedRuns([folder])).toThrow(message);
  });

  test("of a later time count, since times differ from machine to machine", () => {
    writeResults(folder, mapOf(result("A", 1, 10)), []);
    appendFileSync(at("times.csv"), "A,CartPole-v1,1,50,another\n");
    expect([...readResults(folder).values()]).toMatchObject([{ time: { stepsPerSecond: 50 } }]);
  });

  const sweepFolder = () =>
    new SweepFolder(folder, {
      plan: { cells: [], runs: [], version: "1.0.0" },
      fresh: false,
      keepRuns: false,
      charts: false,
      runFolder: ({ key }) => at(key),
    });

  test("warn of a curve that is cut or missing, and keep curves without a result", async () => {
    writeResults(folder, mapOf(result("A", 1), result("A", 2)), []);
    expect(sweepFolder().warnings()).toEqual([]);
    writeFileSync(at("curves.csv"), text("curves.csv").slice(0, -3));
    expect(sweepFolder().warnings()).toEqual([
      expect.stringMatching(/curves\.csv: the last line is left out/),
      expect.stringMatching(/^1 of 2 results have no whole learning curve in curves\.csv: restore it, or/),
    ]);
    const curves = text("curves.csv").replace(/\n.*$/, "\n");
    writeFileSync(at("curves.csv"), curves);
    rmSync(at("results.csv"));
    await sweepFolder().record([]);
    expect(text("curves.csv")).toBe(curves);
    rmSync(at("curves.csv"));
    writeResults(folder, mapOf(result("A", 1)), []);
    rmSync(at("curves.csv"));
    expect(sweepFolder().warnings()).toEqual([expect.stringMatching(/^1 of 1 results have no whole/)]);
  });

  test("take no return that could not be read again", () => {
    const write = (meanReturn: number, last = 5) => {
      const numbers = { meanReturn, episodes: 1, steps: 10, stepsPerSecond: 1 };
      writeFileSync(at("result.json"), JSON.stringify({ interrupted: false, executor: "wasm", ...numbers }));
      const event = { event: "update", step: 10, meanReturn: last };
      writeFileSync(at("events.jsonl"), `${JSON.stringify(event)}\n`);
    };
    write(0);
    expect(outcomeIn(folder)).toMatchObject({ meanReturn: 0, curve: [{ step: 10, meanReturn: 5 }] });
    for (const [meanReturn, last] of [
      [1e307, 5],
      [5, 1e-200],
    ]) {
      write(meanReturn, last);
      expect(() => outcomeIn(folder)).toThrow(
        /a mean return is too large or too small for the table of results, .*scale the rewards/,
      );
    }
  });

  test("with a column of the user are refused before a sweep would lose it, and reported", () => {
    writeResults(folder, mapOf(result("A", 1)), []);
    writeFileSync(at("results.csv"), text("results.csv").replaceAll("\n", ",note\n"));
    expect(readResults(folder).size).toBe(1);
    expect(sweepFolder).toThrow(
      /results\.csv: a sweep would lose this column .*got "note"; keep it in another file/,
    );
  });

  test("of softrl before it had sweeps count, without a version", () => {
    writeFileSync(
      at("results.csv"),
      'variant,environment,seed,meanReturn,episodes,steps,executor\n"A, b",CartPole-v1,1,-8.5,9,400,wasm\n',
    );
    expect([...readResults(folder).values()]).toMatchObject([
      { variant: "A, b", meanReturn: -8.5, version: "", key: "", curve: [], time: null },
    ]);
    expect(readResults(join(root, "experiments/minatar")).size).toBe(150);
  });

  test.each([
    ["a,b\n1,2\n", /results\.csv: row 1: there is no column variant/],
    ["variant,environment,seed,meanReturn\nA,C,x,1\n", /row 1: seed is not valid, .*got "x"/],
    ["variant,environment,seed,meanReturn\nA,C,1\n", /row 1 has another number of cells/],
    [
      "variant,environment,seed,meanReturn,episodes,steps\nA,C,1,,1,1\n",
      /row 1: meanReturn .*restore the row/,
    ],
  ])("%j gives one error", (content, message) => {
    writeFileSync(at("results.csv"), content);
    expect(() => readResults(folder)).toThrow(message);
  });
});

describe("the scores of a sweep", () => {
  test("are statistics across seeds, with a fixed bootstrap, in 60 columns", () => {
    const cells = [1, 2, 3, 4, 5].map((seed) => ({ variant: "A", environment: "CartPole-v1", seed }));
    const results = mapOf(...[0, 2, 4, 100].map((score, i) => result("A", i + 1, score)));
    const [score] = sweepScores(cells, results);
    // x̄ = 26.5; s² = (26.5² + 24.5² + 22.5² + 73.5²) / 3 = 7211 / 3; the IQM is (2 + 4) / 2.
    expect(score).toMatchObject({ runs: 4, planned: 5, mean: 26.5, interquartileMean: 3 });
    expect(score.standardDeviation).toBeCloseTo(Math.sqrt(7211 / 3));
    // Of the 256 equally likely resamples, 5 have a mean below 1 and 5 one above 75.5, which is less than 2.5 %.
    expect(score.interval).toEqual({ low: 1, high: 75.5 });
    expect(sweepScores(cells, results)).toEqual([score]);
    const [single] = sweepScores(cells, mapOf(result("A", 1)));
    expect(single).toMatchObject({ runs: 1, standardDeviation: null, interval: null });
    const [none] = sweepScores(cells, new Map());
    expect(none).toMatchObject({ runs: 0, mean: null });
    const long = { ...score, variant: "a variant with many settings in its long name, τ 0.01, n 5, λ 1" };
    const table = scoreTable([score, single, none, long], 60);
    expect(widest(table)).toBeLessThanOrEqual(60);
    expect(table).toMatch(/26\.5 ± 49\.0 +3\.00 +\[1\.00, 75\.5\] +4 of 5/);
  });
});

test("a folder that cannot be written has a remedy: another one for a full disk than for a permission", () => {
  const message = (code: string) =>
    unwritable("tables", "the results could not be written", Object.assign(new Error(code), { code }))
      .message;
  expect(message("ENOSPC")).toBe(
    "tables: the results could not be written, got ENOSPC; free some space, then run the command again to go on; or choose another disk.",
  );
  expect(message("EDQUOT")).toContain("free some of your quota");
  expect(message("EACCES")).toContain("make the folder writable");
});

describe("the locks of a sweep", () => {
  test("give a run to one claim at a time, and leave nothing behind", () => {
    const first = claimRun(folder, "abc");
    expect(first).not.toBeNull();
    expect(claimRun(folder, "abc")).toBeNull();
    const other = claimRun(folder, "def");
    first?.release();
    const second = claimRun(folder, "abc");
    expect(second).not.toBeNull();
    second?.release();
    other?.release();
    expect(() => readFileSync(at(".sweep"))).toThrow(/ENOENT/);
  });

  test("let those who write wait for each other", async () => {
    let writing = 0;
    let written = 0;
    const work = async () => {
      expect(++writing).toBe(1);
      await sleep(5);
      expect(writing--).toBe(1);
      written++;
    };
    await Promise.all(Array.from({ length: 5 }, () => whileLocked(folder, work)));
    expect(written).toBe(5);
    await expect(whileLocked(folder, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await whileLocked(folder, work);
  });
});
