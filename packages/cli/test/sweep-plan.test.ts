import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { version } from "softrl";
import { describe, expect, test, vi } from "vitest";
import { root } from "../../../test/source-tree.js";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { readTrainArguments } from "../src/options/train-options.js";
import { planRun } from "../src/runs/run-plan.js";
import { codeVersion, computing, isOfVersion } from "../src/sweeps/code-version.js";
import { checkDefinition, readDefinition } from "../src/sweeps/definition.js";
import { capacityOption } from "../src/sweeps/run-sweep.js";
import type { Capacity } from "../src/sweeps/scheduler.js";
import { counts, standingOf } from "../src/sweeps/standing.js";
import { isOfSettings, keyOf, planSweep } from "../src/sweeps/sweep-plan.js";

const place = temporaryFolder("plan");
const plan = (definition: object, code = "1.0.0") =>
  planSweep(checkDefinition(join(place, "runs.json"), definition), code);
const one = {
  variants: [{ name: "A2C", algorithm: "a2c", options: { steps: 400 } }],
  environments: ["CartPole-v1"],
  seeds: [1],
};
const options = (given: object) => ({
  ...one,
  variants: [{ name: "A2C", algorithm: "a2c", options: { steps: 400, ...given } }],
});
const keyIn = async (definition: object) => (await plan(definition)).runs[0].key;

/** A repository that looks like a checkout of softrl, without a commit. */
function newCheckout(name: string) {
  const checkout = join(place, name);
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      cwd: checkout,
      encoding: "utf8",
    }).trim();
  mkdirSync(join(checkout, "packages/core/src"), { recursive: true });
  git("init", "--quiet");
  writeFileSync(join(checkout, "packages/core/src/index.ts"), "");
  return { checkout, git };
}

describe("the plan of a sweep", () => {
  test("weighs each run by the threads that it trains in, unless --jobs counts runs", async () => {
    const { runs } = await plan({
      variants: [
        { name: "A2C", algorithm: "a2c", options: { steps: 400 } },
        { name: "A3C", algorithm: "a3c", options: { steps: 400, workers: 2 } },
      ],
      environments: ["CartPole-v1"],
      seeds: [1],
    });
    const weights = ({ weightOf }: Capacity) => runs.map(weightOf);
    expect(capacityOption(undefined).total).toBe(availableParallelism());
    vi.stubEnv("SOFTRL_THREADS", undefined);
    expect(weights(capacityOption(undefined))).toEqual([1, 2]);
    vi.stubEnv("SOFTRL_THREADS", "3");
    expect(weights(capacityOption(undefined))).toEqual([3, 3]);
    vi.stubEnv("SLURM_CPUS_PER_TASK", "77");
    expect(capacityOption(undefined).total).toBe(77);
    vi.unstubAllEnvs();
    expect(capacityOption("3").total).toBe(3);
    expect(weights(capacityOption("3"))).toEqual([1, 1]);
    expect(() => capacityOption("0")).toThrow("--jobs");
  });

  test("has every variant on each environment with each seed, and trains seed by seed", async () => {
    const { cells, runs } = await plan({
      variants: [
        { name: "A2C", algorithm: "a2c" },
        { name: "soft", algorithm: "soft-q", environments: ["Taxi-v4"] },
      ],
      environments: ["CartPole-v1", "Acrobot-v1"],
      seeds: [2, 1],
    });
    const text = ({ variant, environment, seed }: (typeof cells)[number]) =>
      `${variant} ${environment} ${seed}`;
    expect(cells.map(text)).toEqual([
      "A2C CartPole-v1 2",
      "A2C CartPole-v1 1",
      "A2C Acrobot-v1 2",
      "A2C Acrobot-v1 1",
      "soft Taxi-v4 2",
      "soft Taxi-v4 1",
    ]);
    expect(runs.map((run) => run.cells.map(text))).toEqual([
      ["A2C CartPole-v1 1"],
      ["A2C Acrobot-v1 1"],
      ["soft Taxi-v4 1"],
      ["A2C CartPole-v1 2"],
      ["A2C Acrobot-v1 2"],
      ["soft Taxi-v4 2"],
    ]);
    expect(runs[0].args).toEqual(["--env=CartPole-v1", "--algorithm=a2c", "--seed=1"]);
  });

  test("makes the same settings once, under all of their names", async () => {
    const { runs } = await plan({
      ...one,
      variants: [
        { name: "defaults", algorithm: "a2c" },
        { name: "the default, named", algorithm: "a2c", options: { "entropy-bonus": "proper" } },
        { name: "another", algorithm: "a2c", options: { "entropy-bonus": "naive" } },
      ],
    });
    expect(runs.map(({ cells }) => cells.map(({ variant }) => variant))).toEqual([
      ["defaults", "the default, named"],
      ["another"],
    ]);
  });

  test("keys a run by its settings, its seed, the code, and an executor that was chosen", async () => {
    const first = await keyIn(one);
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    expect(await keyIn(options({}))).toBe(first);
    const others = [
      await keyIn({ ...one, seeds: [2] }),
      await keyIn(options({ tau: 0.5 })),
      await keyIn(options({ executor: "reference" })),
      (await plan(one, "1.0.1")).runs[0].key,
    ];
    expect(new Set([first, ...others]).size).toBe(5);
  });

  test("leaves a setting that the algorithm does not read out of the key", async () => {
    const pqn = (given: object) =>
      keyIn({
        variants: [{ name: "PQN", algorithm: "pqn", options: { steps: 400, ...given } }],
        environments: ["MinAtar/Breakout-v1"],
        seeds: [1],
      });
    const atariTau = 0.1; // a default of another family: any other value is refused where nothing reads it
    expect(await pqn({ backup: "hard", tau: atariTau })).toBe(await pqn({ backup: "hard" }));
    expect(await pqn({ backup: "soft-kl", tau: atariTau })).not.toBe(await pqn({ backup: "soft-kl" }));
  });

  test("keys a run by an executor that a file of settings chooses, too", async () => {
    writeFileSync(join(place, "by-file.json"), '{ "run": { "executor": "reference" } }');
    const byFile = await keyIn(options({ config: "by-file.json" }));
    expect(byFile).toBe(await keyIn(options({ executor: "reference" })));
    expect(byFile).not.toBe(await keyIn(one));
  });

  test("takes a folder for a run's own only where a chosen executor computed it", async () => {
    const [{ settings }] = (await plan(options({ executor: "reference" }))).runs;
    const { values, draft } = await readTrainArguments([
      "--env=CartPole-v1",
      "--algorithm=a2c",
      "--steps=400",
      "--seed=1",
    ]);
    const { config } = await planRun(values, draft);
    const madeBy = (executor: string) => ({ ...config, run: { ...config.run, executor } });
    expect(isOfSettings(madeBy("reference"), { settings })).toBe(true);
    expect(isOfSettings(madeBy("wasm"), { settings })).toBe(false);
    expect(isOfSettings(madeBy("wasm"), (await plan(one)).runs[0])).toBe(true);
  });

  test("keys a part of one's own by the bytes of its file, not by where it is", async () => {
    const network = (name: string, code: string) => {
      mkdirSync(join(place, name));
      writeFileSync(join(place, name, "net.mjs"), code);
      return keyIn(options({ network: `./${name}/net.mjs` }));
    };
    const code = 'export default { name: "mine", about: "x", settings: {}, body: () => {} };';
    const here = await network("here", code);
    expect(await network("there", code)).toBe(here);
    expect(await network("changed", `${code} `)).not.toBe(here);
  });

  test.each<[string, object, RegExp]>([
    ["an option", options({ tua: 1 }), /variant "A2C" on CartPole-v1: unknown option '--tua=1'/],
    ["a value", options({ tau: "cold" }), /variant "A2C" on CartPole-v1: --tau: /],
    ["another algorithm's option", options({ "trust-region": 1 }), /a2c has no --trust-region/],
    [
      "a setting without effect",
      { ...one, variants: [{ name: "A2C", algorithm: "pqn", options: { tau: 0.5 } }] },
      /variant "A2C" on CartPole-v1: --tau: this setting has no effect without a soft backup/,
    ],
    ["an algorithm", { ...one, variants: [{ name: "x", algorithm: "a3b" }] }, /variant "x" .*unknown name/],
    ["a file", options({ network: "./gone.js" }), /gone\.js does not exist/],
  ])("refuses %s that softrl train would refuse, with the variant", async (_, definition, message) => {
    await expect(plan(definition)).rejects.toThrow(message);
    await expect(plan(definition)).rejects.toThrow(/runs\.json/);
  });

  test("of each definition in experiments is one that softrl can train", async () => {
    const folder = join(root, "experiments");
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const definitions = names.filter((name) => /(?:runs|smoke|paper)\.json$/.test(name));
    expect(definitions.length).toBeGreaterThan(15);
    for (const name of definitions) {
      expect((await planSweep(await readDefinition(join(folder, name)), "1")).runs.length).toBeGreaterThan(0);
    }
  });
});

describe("a result", () => {
  test("counts whatever its version, unless the definition has changed", async () => {
    const { runs } = await plan(one);
    const [run] = runs;
    const [changed] = (await plan(options({ tau: 0.5 }))).runs;
    const standing = (code: string, key: string) => {
      const result = { ...run.cells[0], meanReturn: 1, episodes: 1, steps: 400, executor: "wasm" };
      return standingOf({ ...result, version: code, key, curve: [], time: null }, run, "1.0.0");
    };
    const all = {
      missing: standingOf(undefined, run, "1.0.0"),
      current: standing("1.0.0", run.key),
      "other-version": standing("0.9.0", keyOf(run.settings, "0.9.0")),
      unnamed: standing("", ""),
      "other-defaults": standing("0.9.0", keyOf(changed.settings, "0.9.0")),
      "other-settings": standing("1.0.0", changed.key),
    };
    expect(Object.values(all)).toEqual(Object.keys(all));
    const counting = (fresh: boolean) => Object.values(all).filter((one) => counts(one, fresh));
    expect(counting(false)).toEqual(["current", "other-version", "unnamed", "other-defaults"]);
    expect(counting(true)).toEqual(["current"]);
  });

  test("has the version of the package, in a checkout with the last commit that changed the code", () => {
    expect(codeVersion(join(place, "packages/cli"))).toBe(version);
    if (!existsSync(join(root, ".git"))) return;
    expect(codeVersion()).toMatch(/^\d+\.\d+\.\d+\+[0-9a-f]{12}(-dirty)?$/);
    for (const path of computing) expect(existsSync(join(root, path)), path).toBe(true);
  });

  test("has another version once code that computes runs has changed, and no other for documents", () => {
    const { checkout, git } = newCheckout("checkout");
    const change = (path: string): string => {
      mkdirSync(dirname(join(checkout, path)), { recursive: true });
      appendFileSync(join(checkout, path), "changed\n");
      git("add", ".");
      git("commit", "--quiet", "--message", path);
      return codeVersion(join(checkout, "packages/cli"));
    };
    let before = change("packages/core/src/a.ts");
    expect(before).toMatch(/\+[0-9a-f]{12}$/);
    for (const path of ["docs/a.md", "packages/cli/src/commands/a.ts", "experiments/a.csv"]) {
      expect(change(path), path).toBe(before);
    }
    for (const path of ["packages/node/src/a.ts", "packages/cli/src/runs/executor.ts"]) {
      const after = change(path);
      expect(after, path).not.toBe(before);
      before = after;
    }
    appendFileSync(join(checkout, "packages/node/src/a.ts"), "not committed\n");
    expect(codeVersion(join(checkout, "packages/cli"))).toBe(`${before}-dirty`);
  });

  test("is that of a run begun by a commit with the same code that computes runs, and by no other", () => {
    const { checkout, git } = newCheckout("begun");
    const folder = join(checkout, "packages/cli");
    const commitOf = (path: string): string => {
      mkdirSync(dirname(join(checkout, path)), { recursive: true });
      appendFileSync(join(checkout, path), "changed\n");
      git("add", ".");
      git("commit", "--quiet", "--message", path);
      return git("rev-parse", "HEAD");
    };
    const older = commitOf("packages/core/src/a.ts");
    const same = commitOf("packages/core/src/b.ts");
    const later = commitOf("docs/a.md");
    const now = codeVersion(folder);
    const isOne = (commit?: string, begun = version) =>
      isOfVersion({ version: begun, ...(commit === undefined ? {} : { commit }) }, now, folder);
    expect([same, `${same}-dirty`, later].map((commit) => isOne(commit))).toEqual([true, true, true]);
    const others = [older, "f".repeat(40), "--all", "", undefined];
    expect(others.map((commit) => isOne(commit))).toEqual(others.map(() => false));
    expect(isOne(later, "0.0.9")).toBe(false);
    expect(isOfVersion({ version }, version, join(place, "packages/cli"))).toBe(true);
    expect(isOfVersion({ version, commit: same }, version, join(place, "packages/cli"))).toBe(false);
  });

  test("has no commit in a repository without one, and none where git is not installed", () => {
    const { checkout } = newCheckout("empty");
    expect(codeVersion(join(checkout, "packages/cli"))).toBe(version);
    vi.stubEnv("PATH", place);
    expect(codeVersion(join(checkout, "packages/cli"))).toBe(version);
    vi.unstubAllEnvs();
  });

  test.runIf(process.platform !== "win32")("is an error where git fails, and no other version", () => {
    const { checkout, git } = newCheckout("failing");
    git("add", ".");
    git("commit", "--quiet", "--message", "first");
    const failing = (command: string, how: string, seconds?: number) => {
      const bin = mkdtempSync(join(place, "bin-"));
      const script = `#!/bin/sh\nPATH="\${PATH#*:}"\n[ "$1" = ${command} ] && { ${how}; }\nexec git "$@"\n`;
      writeFileSync(join(bin, "git"), script, { mode: 0o755 });
      vi.stubEnv("PATH", `${bin}${delimiter}${process.env.PATH}`);
      try {
        return codeVersion(join(checkout, "packages/cli"), seconds);
      } finally {
        vi.unstubAllEnvs();
      }
    };
    const broken = "echo 'fatal: index file corrupt' >&2; exit 128";
    for (const command of ["log", "status"]) {
      expect(() => failing(command, broken), command).toThrow(
        new RegExp(
          `failing: the version of the code could not be read, expected an answer of git ${command} within 60 s, got fatal: index file corrupt; run git ${command} there`,
        ),
      );
    }
    expect(() => failing("status", "exec sleep 60", 0.5)).toThrow(/within 0\.5 s, got none within 0\.5 s/);
    expect(failing("nothing", "exit 1")).toMatch(/\+[0-9a-f]{12}$/);
  });
});
