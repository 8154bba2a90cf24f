import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder, run } from "./command.js";

interface Update {
  readonly event: string;
  readonly figures: Readonly<Record<string, number>>;
}

describe.each(["a2c", "soft-q"])("%s on the real ALE/Pong-v5", (algorithm) => {
  it("completes 20,000 training steps on 16 environments with finite losses", async () => {
    await inTemporaryFolder(async (folder) => {
      const runFolder = join(folder, "run");
      const args = ["--algorithm", algorithm, "--env", "ALE/Pong-v5", "--envs", "16", "--steps", "20000"];
      const { code, stderr, json } = await run(["train", ...args, "--run-folder", runFolder, "--json"]);
      expect(code, stderr).toBe(0);
      const result = json() as { steps: number; meanReturn: number; episodes: number };
      console.log(`${algorithm}: ${JSON.stringify(result)}`);
      expect(result.steps).toBe(20_000);
      expect(result.episodes).toBeGreaterThan(0);
      // A game of Pong ends at 21 points, so no return is below −21.
      expect(result.meanReturn).toBeGreaterThanOrEqual(-21);
      const events = readFileSync(join(runFolder, "events.jsonl"), "utf8").trim().split("\n");
      const updates = events
        .map((line): Update => JSON.parse(line))
        .filter(({ event }) => event === "update");
      expect(updates.length).toBeGreaterThan(0);
      for (const { figures } of updates) {
        for (const [name, figure] of Object.entries(figures))
          expect(Number.isFinite(figure), name).toBe(true);
      }
    });
  });

  it("gives the same checkpoint bytes for the same seed, and others for another seed", async () => {
    await inTemporaryFolder(async (folder) => {
      const checkpoint = async (name: string, seed: string) => {
        const runFolder = join(folder, name);
        const args = ["--algorithm", algorithm, "--env", "ALE/Pong-v5", "--steps", "800", "--seed", seed];
        const { code, stderr } = await run(["train", ...args, "--run-folder", runFolder, "--json"]);
        expect(code, stderr).toBe(0);
        return readFileSync(join(runFolder, "checkpoint.safetensors"));
      };
      const first = await checkpoint("first", "3");
      expect((await checkpoint("second", "3")).equals(first)).toBe(true);
      expect((await checkpoint("other", "4")).equals(first)).toBe(false);
    });
  });
});
