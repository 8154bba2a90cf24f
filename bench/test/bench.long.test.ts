import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { requireSameWork } from "../same-work.js";

const main = fileURLToPath(new URL("../main.js", import.meta.url));
const folder = temporaryFolder("bench");

function bench(...words: string[]) {
  return spawnSync(process.execPath, [main, ...words], { encoding: "utf8" });
}

interface Spread {
  median: number;
  low: number;
  high: number;
  least: number;
  most: number;
}

interface Report {
  format: number;
  seed: number;
  quick: boolean;
  machine: { processor: string; cores: number; commit: string };
  executors: { name: string }[];
  peers: unknown;
  rows: {
    name: string;
    sizes: Record<string, unknown>;
    measurements: {
      name: string;
      samples: number[];
      seconds: Spread;
      figures: Record<string, number>;
    }[];
    checks: { what: string; difference: number }[];
  }[];
  scaling: unknown[];
}

describe("npm run bench -- --quick, without peers", () => {
  const json = join(folder, "bench.json");
  const names = [
    "minatar-step",
    "mlp-step",
    "cartpole-8",
    "cartpole-alone",
    "latency-shared",
    "minatar-seaquest-alone",
    "minatar-breakout-a2c",
    "minatar-breakout-dqn-1",
    "minatar-breakout-dqn-4",
    "cartpole-pqn",
    "cartpole-ppo",
  ];
  let finished: ReturnType<typeof bench>;
  beforeAll(() => {
    finished = bench(...names, "--quick", "--no-peers", "--seed", "7", "--json", json);
  });

  test("runs and lists what is missing", () => {
    expect(finished.stderr).toContain("not measured: peers: --no-peers");
    expect(finished.status).toBe(0);
    expect(finished.stdout).toContain("MLP 4-64-64 step");
  });

  test("writes every row with ordered spreads, sizes, seed and machine", () => {
    const report: Report = JSON.parse(readFileSync(json, "utf8"));
    expect(report).toMatchObject({ format: 1, seed: 7, quick: true, peers: null, scaling: [] });
    expect(report.machine.cores).toBeGreaterThan(0);
    expect(report.executors.map(({ name }) => name)).toContain("wasm");
    expect(report.rows.map(({ name }) => name)).toEqual(names);
    for (const { measurements, sizes } of report.rows) {
      expect(Object.keys(sizes).length).toBeGreaterThan(0);
      for (const { seconds, samples } of measurements) {
        const { least, low, median, high, most } = seconds;
        expect([least, low, median, high, most]).toEqual(
          [least, low, median, high, most].sort((a, b) => a - b),
        );
        expect(least).toBeGreaterThan(0);
        expect(samples).toHaveLength(3);
      }
    }
  });

  test("counts the updates of Q-learning and PPO, and the parameters that they train", () => {
    const report: Report = JSON.parse(readFileSync(json, "utf8"));
    const minatar = (3 * 3 * 4 + 1) * 16 + (8 * 8 * 16 + 1) * 128 + (128 + 1) * 6;
    const cartPole = (4 + 1) * 120 + 2 * 120 + (120 + 1) * 84 + 2 * 84 + (84 + 1) * 2;
    const body = (4 + 1) * 64 + (64 + 1) * 64;
    for (const [name, stepsPerUpdate, parameters] of [
      ["minatar-breakout-dqn-1", 1, minatar],
      ["minatar-breakout-dqn-4", 4, minatar],
      // 4 environments, 8 steps; 4 epochs of 2 minibatches.
      ["cartpole-pqn", 4, cartPole],
      // 4 environments, 16 steps; 4 epochs of 4 minibatches.
      ["cartpole-ppo", 4, 2 * body + (64 + 1) * (2 + 1)],
    ] as const) {
      const measurements = report.rows.find((row) => row.name === name)?.measurements ?? [];
      const [wasm] = measurements.filter((measurement) => measurement.name === "wasm");
      expect(wasm.figures).toMatchObject({ stepsPerUpdate, parameters });
      expect(Number.isFinite(wasm.figures.loss)).toBe(true);
    }
  });

  test("times single decisions one by one", () => {
    const report: Report = JSON.parse(readFileSync(json, "utf8"));
    const measurements = report.rows.find(({ name }) => name === "latency-shared")?.measurements ?? [];
    expect(measurements.map(({ name }) => name)).toContain("wasm");
    for (const { figures } of measurements) {
      expect(figures.p50).toBeGreaterThan(0);
      expect(figures.p99).toBeGreaterThanOrEqual(figures.p50);
    }
    expect(finished.stdout).toMatch(/wasm +\S+ µs .*p50 \S+, p99 /);
  });

  test("checks the gradients that are measured", () => {
    const report: Report = JSON.parse(readFileSync(json, "utf8"));
    const [minatar, mlp] = report.rows;
    for (const { checks } of [minatar, mlp]) {
      expect(checks.map(({ what }) => what)).toContain("gradient of wasm against the reference executor");
      for (const { difference } of checks) {
        expect(difference).toBeGreaterThan(0);
        expect(difference).toBeLessThan(1e-5);
      }
    }
  });
});

test("sweeps of value iteration are checked against the reference, and their growth is written", () => {
  const json = join(folder, "sweeps.json");
  const { status, stdout } = bench("sweep-1e4", "sweep-scaling", "--quick", "--no-peers", "--json", json);
  expect(status).toBe(0);
  expect(stdout).toMatch(/soft value iteration, wasm: time proportional to transitions\^/);
  const { rows, scaling }: Report = JSON.parse(readFileSync(json, "utf8"));
  expect(rows[0].measurements.map(({ name }) => name)).toEqual(["wasm", "TypeScript"]);
  expect(rows[0].sizes).toMatchObject({ states: 1000, transitions: 20_000 });
  expect(rows[0].checks).toHaveLength(1);
  expect(rows[0].checks[0].difference).toBeLessThan(1e-12);
  expect(scaling).toHaveLength(2);
});

describe("contestants that do not do the same work are refused", () => {
  const figures = { stepsPerUpdate: 4, parameters: 10, loss: 0.1 };
  const seconds = { median: 1, low: 1, high: 1, least: 1, most: 1 };
  const measured = (name: string, of: Record<string, number>) => ({
    name,
    samples: [1],
    seconds,
    iterations: 1,
    figures: of,
  });
  for (const [what, other, message] of [
    [
      "another number of updates",
      { stepsPerUpdate: 8 },
      /peer does other work: an update every 8 steps, expected 4/,
    ],
    ["another network", { parameters: 11 }, /peer does other work: 11 parameters, expected 10 as in softrl/],
    ["a loss that is not finite", { loss: Number.NaN }, /peer does other work: the loss is NaN/],
  ] as const) {
    test(what, () => {
      const all = [measured("softrl", figures), measured("peer", { ...figures, ...other })];
      expect(() => requireSameWork(all, { stepsPerUpdate: 4 })).toThrow(message);
    });
  }

  test("what trains nothing is not compared", () => {
    const all = [measured("softrl", figures), measured("sum of its parts", {})];
    expect(() => requireSameWork(all, { stepsPerUpdate: 4 })).not.toThrow();
  });
});

test("refuses an unknown row and lists the known ones", () => {
  const { status, stderr } = bench("nature", "--quick");
  expect(status).toBe(1);
  expect(stderr).toContain('unknown row "nature"; choose one of nature-step');
});

test("wrong words on the command line get the usage, and no stack", () => {
  for (const words of [["--seed", "x"], ["--nonsense"], ["x".repeat(100_000)]]) {
    const { status, stderr } = bench(...words);
    expect(status).toBe(1);
    expect(stderr).toContain("npm run bench -- [row ...]");
    expect(stderr).not.toContain("    at ");
    expect(stderr.length).toBeLessThan(2500);
  }
});

test("a document without a place for the table is refused before anything is measured", () => {
  for (const [document, message] of [
    [fileURLToPath(import.meta.url), /has no markers for the table, expected <!-- bench: begin -->/],
    [join(folder, "nowhere.md"), /the document cannot be read, got ENOENT/],
  ] as const) {
    const { status, stdout, stderr } = bench("mlp-step", "--quick", "--no-peers", "--markdown", document);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("    at ");
    expect(stderr).not.toContain("npm run bench -- [row ...]");
  }
});

test("relaxed SIMD is measured in Chromium too", ({ skip }) => {
  const script = fileURLToPath(new URL("../relaxed.js", import.meta.url));
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [script, "--quick", "--json", ...words], { encoding: "utf8" });
  const absent = run("--chromium", join(folder, "none"));
  expect(absent.stderr).toMatch(
    /bench: not measured: there is no Chromium at .*none; name one with --chromium/,
  );
  expect(absent.status).toBe(0);
  skip(!existsSync("/usr/bin/chromium"), "Chromium is not installed");
  const { stdout, status } = run();
  expect(status).toBe(0);
  const engines: { name: string; found: { comparisons: { ratio: Spread }[] } }[] = JSON.parse(stdout);
  const { name, found } = engines[engines.length - 1];
  expect(name).toMatch(/^Chromium \d+/);
  expect(found.comparisons).toHaveLength(2);
  for (const { ratio } of found.comparisons) expect(ratio.median).toBeGreaterThan(0);
});
