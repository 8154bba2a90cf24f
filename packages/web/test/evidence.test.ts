import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { evidenceTasks } from "../evidence.js";

const committed = join(import.meta.dirname, "../../../experiments");

const place = temporaryFolder("evidence");

describe("the data of the evidence", () => {
  test("are the tasks of the experiments, small, and the same each time", () => {
    const tasks = evidenceTasks(committed);
    expect(tasks).toHaveLength(23);
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(23);
    expect(gzipSync(JSON.stringify(tasks)).length).toBeLessThan(12_000);
    expect(evidenceTasks(committed)).toEqual(tasks);
    for (const { id, steps, lines, difference } of tasks) {
      expect(steps.length, id).toBeGreaterThan(10);
      expect([...steps].sort((a, b) => a - b)).toEqual(steps);
      const inks = lines.map(({ ink }) => ink);
      const isCompared = inks.includes("pg") && inks.includes("sq");
      expect(difference !== null, id).toBe(isCompared);
      if (difference !== null) {
        expect(difference.points).toHaveLength(steps.length);
        const end = (wanted: string) => lines.find(({ ink }) => ink === wanted)?.points.at(-1)?.[0] ?? NaN;
        const scale = Math.max(1, Math.abs(end("sq")));
        const [estimate, low, high] = difference.points.at(-1) ?? [NaN, NaN, NaN];
        expect(Math.abs(estimate - (end("sq") - end("pg"))) / scale).toBeLessThan(2e-3);
        expect(low).toBeLessThanOrEqual(estimate);
        expect(estimate).toBeLessThanOrEqual(high);
      }
      for (const { points, runs } of lines) {
        expect(runs).toBeGreaterThanOrEqual(5);
        expect(points).toHaveLength(steps.length);
        for (const [mean, low, high] of points) {
          expect(low).toBeLessThanOrEqual(mean);
          expect(mean).toBeLessThanOrEqual(high);
        }
      }
    }
  });

  test("end with the means of the last rows", () => {
    const task = evidenceTasks(committed).find(({ id }) => id === "classic.MountainCar");
    expect(task?.steps.at(-1)).toBe(500_000);
    const ends = task?.lines.map(({ name, points }) => [name, points.at(-1)?.[0]]);
    expect(ends?.slice(0, 2)).toEqual([
      ["A2C", -128.7],
      ["soft Q-learning", -129.9],
    ]);
  });

  test("show the paper's figures 1 and 3 with the same runs as the table that they are part of", () => {
    const tasks = evidenceTasks(committed);
    const linesOf = (id: string, names: readonly string[]) =>
      tasks.find((task) => task.id === id)?.lines.filter(({ name }) => names.includes(name));
    for (const game of ["Asterix", "Breakout", "Freeway", "Seaquest", "SpaceInvaders"]) {
      for (const [figure, names] of [
        ["figure-1", ["A2C, naive bonus", "A2C, proper bonus"]],
        ["figure-3", ["A2C, proper bonus", "soft Q-learning"]],
      ] as const) {
        const shown = linesOf(`${figure}.${game}`, names);
        expect(shown?.map(({ name }) => name)).toEqual(names);
        for (const line of shown ?? []) expect(linesOf(`minatar.${game}`, [line.name])).toEqual([line]);
      }
    }
  });

  test("name a table that lacks runs", () => {
    mkdirSync(join(place, "minatar"));
    const head = "variant,environment,seed,step,meanReturn\n";
    const rows = [1, 2].map((seed) => `soft Q-learning,MinAtar/Asterix-v1,${seed},100,1.5\n`);
    writeFileSync(join(place, "minatar/curves.csv"), head + rows.join(""));
    expect(() => evidenceTasks(place)).toThrow(/curves\.csv: A2C, proper bonus on .* has too few runs/);
  });
});
