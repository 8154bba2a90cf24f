import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder, run, runProgram } from "./command.js";

const experiments = join(import.meta.dirname, "../../experiments");
const smoke = readdirSync(experiments).filter((name) => existsSync(join(experiments, name, "smoke.json")));

const rowsOf = (path: string): readonly (readonly string[])[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((row) => row.split(","));

/** Runs an experiment's own program with its smoke size. */
async function runSmoke(program: string, folder: string): Promise<void> {
  const words = [join(experiments, program), "--size", "smoke", "--out", folder];
  const { code, stderr } = await runProgram(process.execPath, words);
  expect(code, stderr).toBe(0);
}

describe("the smoke size of an experiment", () => {
  it("exists for each figure of the paper", () => {
    expect(smoke).toEqual(expect.arrayContaining(["figure-1", "figure-2", "figure-3"]));
  });

  it.each(smoke)("%s runs to its end, and its figure is drawn", async (name) => {
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, "smoke");
      const swept = await run(["sweep", join(experiments, name, "smoke.json"), "--out", out, "--json"]);
      expect(swept.code, swept.stderr).toBe(0);
      const { runs, done, failed } = swept.json() as { runs: number; done: number; failed: object[] };
      expect(failed).toEqual([]);
      expect(done).toBe(runs);
      const drawn = await run(["plot", out, "--kind", "bars", "--out", join(folder, "figure.svg")]);
      expect(drawn.code, drawn.stderr).toBe(0);
    });
  });

  it("equivalence: the gap alone parts soft Q-learning from A2C", async () => {
    await inTemporaryFolder(async (folder) => {
      await runSmoke("equivalence/run.js", folder);
      const rows = rowsOf(join(folder, "distances.csv"));
      const distances = (variant: string) =>
        rows.filter(([name]) => name === variant).map(([, , , , distance]) => Number(distance));
      expect(Math.max(...distances("gap subtracted"))).toBeLessThan(1e-13);
      expect(Math.min(...distances("gap kept"))).toBeGreaterThan(1e-9);
      expect(existsSync(join(folder, "distances.svg"))).toBe(true);
    });
  });

  it("temperature on exact processes: nothing that is learned exceeds the soft optimum", async () => {
    await inTemporaryFolder(async (folder) => {
      await runSmoke("temperature/exact.js", folder);
      const rows = rowsOf(join(folder, "exact.csv"));
      expect(rows).toHaveLength(2 * 2 * 3);
      // Rounding of the linear systems, for returns of up to a hundred.
      for (const row of rows) expect(Number(row[6]), row.join(",")).toBeGreaterThan(-1e-10);
    });
  });
});
