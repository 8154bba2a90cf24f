import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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

test("a comparison reports which of its algorithms are not reproducible", async () => {
  const args = ["--steps", "400", "--workers", "2", "--json", "-o", "compared"];
  const compared = await softrlAlone(["compare", "--algorithms", "a3c,async-soft-q", ...args], here);
  expect(compared.code).toBe(0);
  const lines = compared.stderr.match(/^softrl: .* is not reproducible/gm);
  expect(lines).toEqual([
    "softrl: a3c with several workers is not reproducible",
    "softrl: async-soft-q with several workers is not reproducible",
  ]);
});

test("a comparison closes the environments of all its runs, whatever one of them does", async () => {
  const corridor = fileURLToPath(new URL("fixtures/corridor.js", import.meta.url));
  writeFileSync(
    join(here, "closing.mjs"),
    `import { appendFileSync } from "node:fs";
import corridor from ${JSON.stringify(corridor)};
export default { ...corridor, id: "Closing-v0", make(...parts) {
  const made = corridor.make(...parts);
  made.close = () => {
    appendFileSync("closed", "closed\\n");
    throw new Error("it does not close");
  };
  return made;
} };`,
  );
  const run = await softrlAlone(
    ["compare", "--env", "./closing.mjs", "--steps", "200", "-o", "closing"],
    here,
  );
  expect(run.stderr).toContain("it does not close");
  expect(readFileSync(join(here, "closed"), "utf8")).toBe("closed\nclosed\n");
});
