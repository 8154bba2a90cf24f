import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { type Bundle, bundle } from "./bundle/measure.js";
import { temporaryFolder } from "./temporary-folder.js";

/** Bytes that a page may load, minified and gzipped. `npm run bundles` prints what takes them. */
const budgets = {
  train: 103_500,
  act: 58_400,
  "act-from-module": 30_700,
};
type Name = keyof typeof budgets;
const names = Object.keys(budgets) as Name[];

const bundles = {} as Record<Name, Bundle>;
const folder = temporaryFolder("bundles");
beforeAll(async () => {
  for (const name of names) {
    bundles[name] = await bundle(name);
    writeFileSync(join(folder, `${name}.mjs`), bundles[name].code);
  }
});

// What the bundles export, as their sources in test/bundle type it.
type Trains = typeof import("./bundle/train.js");
type Acts = typeof import("./bundle/act.js");
type ActsFromModule = typeof import("./bundle/act-from-module.js");
const load = (name: Name) => import(pathToFileURL(join(folder, `${name}.mjs`)).href);

describe("a bundle", () => {
  test.each(names)("%s is within its budget", (name) => {
    const { gzipped, table } = bundles[name];
    if (process.env.npm_lifecycle_event === "bundles") console.log(table);
    expect(gzipped, table).toBeLessThanOrEqual(budgets[name]);
  });

  test("that trains has no environment but its own, and no oracle", () => {
    const { code } = bundles.train;
    expect(code).toContain("CartPole-v1");
    expect(code).not.toMatch(/MountainCar-v0|Taxi-v4|MinAtar\/Breakout-v1/);
    expect(code).not.toContain("theoremResidual");
  });

  test("works: one trains, the others act from its checkpoint", async () => {
    const { trainCartPole }: Trains = await load("train");
    const { episodes, checkpoint } = await trainCartPole(2000);
    expect(episodes).toBeGreaterThan(10);
    if (checkpoint === null) throw new Error("no checkpoint");

    const acts: Acts = await load("act");
    const actsFromModule: ActsFromModule = await load("act-from-module");
    const file = readFileSync(createRequire(import.meta.url).resolve("softrl/kernels.wasm"));
    const policy = await acts.actor(checkpoint);
    const other = actsFromModule.actor(checkpoint, await WebAssembly.compile(file));
    for (const angle of [-0.1, -0.01, 0.01, 0.1]) {
      const action = policy([0, 0, angle, 0]);
      expect([0, 1]).toContain(action);
      expect(other([0, 0, angle, 0])).toBe(action);
    }
  });
});
