import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder, run } from "./command.js";

const fragile = fileURLToPath(new URL("../../packages/node/test/fragile-environment.js", import.meta.url));

const messages = {
  throw: /worker [12] of 2: failed: the joystick is broken\./,
  reject: /worker [12] of 2: the worker has ended: a stray promise;/,
  exit: /worker [12] of 2: the worker has ended: it ended with code 7\./,
  memory: /worker [12] of 2: the worker has ended: .*memory/,
  hang: /worker [12] of 2: the worker has made no step for 1 seconds\./,
};
const ways = Object.keys(messages) as (keyof typeof messages)[];

/** 50 lost workers: ten of each kind, at different moments. */
const cases = Array.from({ length: 50 }, (_, i) => ({ how: ways[i % ways.length], at: 300 + 37 * i }));

describe("a run of two workers, one of which is lost", () => {
  it.each(cases)(
    "$how at step $at: one clear error, a whole checkpoint, no process left",
    async ({ how, at }) => {
      await inTemporaryFolder(async (folder) => {
        const path = join(folder, "run");
        const settings = [
          "--env",
          fragile,
          "--envs",
          "1",
          "--steps",
          "6000",
          "--checkpoint-every",
          "500",
          "--workers",
          "2",
        ];
        const env = {
          FRAGILE: `${how}@${at}`,
          SOFTRL_EXECUTOR: "wasm",
          // Only where it is waited for: on a busy machine a worker may rest for longer.
          ...(how === "hang" ? { SOFTRL_WORKER_PATIENCE: "1" } : {}),
          // A small heap is soon full.
          ...(how === "memory" ? { NODE_OPTIONS: "--max-old-space-size=80" } : {}),
        };
        // The command's end shows that it has no thread left: it waits for them.
        const lost = await run(["train", "--algorithm", "a3c", ...settings, "--run-folder", path], { env });
        expect(lost.code, lost.stderr).toBe(1);
        const errors = lost.stderr.split("\n").filter((line) => line.includes("worker"));
        expect(errors.at(-1)).toMatch(messages[how]);
        expect(lost.stderr).not.toMatch(/^ +at /m);
        expect(readFileSync(join(path, "events.jsonl"), "utf8")).toMatch(/"event":"failed"/);
        if (!existsSync(join(path, "checkpoint.safetensors"))) return;

        const resumed = await run(["resume", path, "--json"], { env: { FRAGILE: "" } });
        expect(resumed.code, resumed.stderr).toBe(0);
        expect(resumed.json()).toMatchObject({ steps: 6000, interrupted: false, reproducible: false });
      });
    },
  );
});
