import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OracleMeasurement } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl } from "./command.js";

const place = temporaryFolder("oracle");

const text = (...path: string[]) => readFileSync(join(place, ...path), "utf8");
const answers = (folder: string): OracleMeasurement[] =>
  text(folder, "events.jsonl")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === "oracle");

describe("softrl train --oracle-every", () => {
  test.each([
    ["a2c", "FrozenLake-v1"],
    ["soft-q", "FrozenLake-v1"],
    ["a2c", "GridWorld-v0"],
    ["soft-q", "GridWorld-v0"],
  ])("%s on %s: what is learned comes near what is true", async (algorithm, id) => {
    const folder = `${algorithm}-${id}`;
    const args = [
      "train",
      "--algorithm",
      algorithm,
      "--env",
      id,
      "--steps",
      "200000",
      "--oracle-every",
      "50000",
    ];
    const run = await softrl([...args, "--run-folder", folder, "--json"], place);
    expect(run.code, run.stderr).toBe(0);
    const measured = answers(folder);
    expect(measured.map(({ step }) => step)).toEqual([0, 50_000, 100_000, 150_000, 200_000]);
    const [first, last] = [measured[0].figures, measured[4].figures];
    expect(last.regret).toBeLessThan(first.regret / 1.5);
    expect(last.valueErrorVisited).toBeLessThan(first.valueErrorVisited / 3);
    expect(last.qErrorVisited).toBeLessThan(first.qErrorVisited / 3);
    expect(last.policyErrorVisited).toBeLessThan(first.policyErrorVisited / 3);
    for (const { figures } of measured) expect(figures.theoremResidual).toBeLessThan(1e-12);
    expect(JSON.parse(run.stdout)).toMatchObject({ oracle: { step: 200_000, figures: last } });
    expect(readdirSync(join(place, folder))).toContain("oracle.svg");
    const legend = /^<svg .*regret of the soft.*valueErrorVisited: .*policyErrorVisited: .*<\/svg>\n$/s;
    expect(text(folder, "oracle.svg")).toMatch(legend);
  });

  test("says one line to people, by the names of the events, and nothing where there is no oracle", async () => {
    const args = ["train", "--env", "GridWorld-v0", "--steps", "400"];
    const asked = await softrl([...args, "--oracle-every", "400", "--run-folder", "asked"], place);
    const told = /\noracle: (.*)\n/.exec(asked.stdout)?.[1].split(", ") ?? [];
    const last = new Map(Object.entries(answers("asked").at(-1)?.figures ?? {}));
    expect(told.map((figure) => figure.split(" ")[0])).toEqual([
      "regret",
      "optimalReturn",
      "valueErrorVisited",
      "policyErrorVisited",
    ]);
    for (const [name, value] of told.map((figure) => figure.split(" ")))
      expect(Number(value), name).toBe(Number(last.get(name)?.toPrecision(3)));
    const alone = await softrl([...args, "--run-folder", "alone"], place);
    expect(alone.stdout).not.toContain("oracle");
    expect(readdirSync(join(place, "alone"))).not.toContain("oracle.svg");
    expect(answers("alone")).toEqual([]);
  });

  test.each(["CartPole-v1", "MinAtar/Breakout-v1", "CartPole-v0"])(
    "refuses %s, before anything is made, and lists what knows its process",
    async (id) => {
      const run = await softrl(
        ["train", "--env", id, "--oracle-every", "100", "--run-folder", "none"],
        place,
      );
      expectRefusal(
        run,
        1,
        /--oracle-every: .*GridWorld-v0, FrozenLake-v1, FrozenLake8x8-v1, CliffWalking-v1, Taxi-v4/,
      );
      expect(readdirSync(place)).not.toContain("none");
    },
  );
});
