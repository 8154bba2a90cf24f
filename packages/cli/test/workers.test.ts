import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { softrlAlone } from "./command.js";

const here = temporaryFolder("workers");

test("two workers train, report that they are not reproducible, and resume from their checkpoint", async () => {
  const args = ["--algorithm", "a3c", "--env", "CartPole-v1", "--workers", "2", "--run-folder", "run"];
  const trained = await softrlAlone(["train", ...args, "--steps", "2000", "--json"], here);
  expect(trained.stderr).toContain("a3c with several workers is not reproducible");
  expect(trained.code).toBe(0);
  expect(JSON.parse(trained.stdout)).toMatchObject({ steps: 2000, reproducible: false });

  const resumed = await softrlAlone(["resume", "run", "--steps", "3000"], here);
  expect(resumed.code, resumed.stderr).toBe(0);
  const result = JSON.parse(readFileSync(join(here, "run", "result.json"), "utf8"));
  expect(result).toMatchObject({ steps: 3000, reproducible: false });
});
