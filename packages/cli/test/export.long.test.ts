import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { builtInAlgorithms, builtInNetworks, mode } from "softrl";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl, startSoftrl } from "./command.js";
import { differenceOf, drawnObservations, exportCases, logPiSizes, policyOfRun } from "./export-cases.js";

/** What an exported module exports. */
interface PolicyModule {
  readonly about: Readonly<Record<string, unknown>>;
  evaluate(observation: ArrayLike<number>): {
    readonly logPi: Float64Array;
    readonly v: number | null;
    readonly q: Float64Array | null;
  };
  act(observation: ArrayLike<number>): number;
  sample(observation: ArrayLike<number>, random?: () => number): number;
}

const place = temporaryFolder("export");
const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url).pathname;

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await softrl(args, place);
  expect(code, stderr).toBe(0);
  return stdout;
}

async function refusal(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await softrl(args, place);
  expect(code).not.toBe(0);
  return stderr;
}

const moduleOf = (file: string): Promise<PolicyModule> => import(pathToFileURL(join(place, file)).href);

test("the cases have every algorithm and every network", () => {
  // Each case's network is compared with that of its export.
  expect(exportCases.map(({ network = "mlp" }) => network)).toEqual(
    expect.arrayContaining(builtInNetworks.map(({ name }) => name)),
  );
  const options = exportCases.map(({ train }) => train);
  for (const { name } of builtInAlgorithms) {
    expect(options).toContainEqual(expect.stringContaining(`--algorithm ${name} `));
  }
});

describe("an exported JavaScript module", () => {
  test.each(exportCases)(
    "acts as the policy does in Node: $name",
    async ({ name, train, network = "mlp", observations: count = 10_000 }) => {
      await run("train", ...train.split(" "), "-o", name, "--no-chart");
      const isImage = count < 10_000;
      const extra = isImage ? ["--weights-file"] : [];
      await run("export", name, "--to", "js", "--out", `${name}.mjs`, ...extra);
      const policy = await policyOfRun(join(place, name));
      const { evaluate, act, about } = await moduleOf(`${name}.mjs`);
      const observations = drawnObservations(policy, count);
      const outputs = policy.evaluate(observations);
      const { logPi, v, q } = outputs;
      const sizes = logPiSizes(policy, outputs);
      const size = observations.length / count;
      const A = policy.network.actions;
      expect(about).toMatchObject({ actions: A, tau: policy.form?.tau, network });
      let worst = 0;
      let worstProbability = 0;
      let different = 0;
      for (let row = 0; row < count; row++) {
        const observation = observations.subarray(row * size, (row + 1) * size);
        const ours = evaluate(observation);
        for (let a = 0; a < A; a++) {
          const i = row * A + a;
          worst = Math.max(worst, differenceOf(ours.logPi[a], logPi[i], sizes[i]));
          // ∂π/∂(a difference of logits) is π(1 − π), at most 1/4, and a difference rounds twice.
          const change = Math.abs(Math.exp(ours.logPi[a]) - Math.exp(logPi[i])) / Math.max(1, sizes[i] / 2);
          worstProbability = Math.max(worstProbability, change);
          if (q !== null) worst = Math.max(worst, differenceOf(ours.q?.[a] ?? Number.NaN, q[i]));
        }
        worst = Math.max(worst, differenceOf(ours.v ?? Number.NaN, v[row]));
        if (act(observation) !== mode(logPi, row * A, A)) different++;
      }
      expect(worst).toBeLessThanOrEqual(1e-5);
      expect(worstProbability).toBeLessThanOrEqual(1e-5);
      expect(different).toBe(0);
    },
  );

  test("of CartPole's network is at most 40 KB gzipped with its weights, and 3 KB without", async () => {
    await run("export", "a2c", "--to", "js", "--out", "inside.mjs");
    expect(gzipSync(readFileSync(join(place, "inside.mjs"))).length).toBeLessThanOrEqual(40_000);
    const text = await run("export", "a2c", "--to", "js", "--out", "beside.mjs", "--weights-file", "--json");
    const { files, gzipped } = JSON.parse(text);
    expect(gzipSync(readFileSync(join(place, "beside.mjs"))).length).toBe(gzipped);
    expect(gzipped).toBeLessThanOrEqual(3000);
    expect(files).toEqual([
      { file: "beside.mjs", bytes: expect.any(Number) },
      { file: "beside.d.mts", bytes: expect.any(Number) },
      { file: "beside.weights.bin", bytes: expect.any(Number) },
    ]);
    const [inside, beside] = [await moduleOf("inside.mjs"), await moduleOf("beside.mjs")];
    const observation = [0.1, -0.2, 0.03, 0.4];
    expect(beside.evaluate(observation)).toEqual(inside.evaluate(observation));
    expect(readFileSync(join(place, "inside.mjs"), "utf8")).not.toMatch(/^import\b/m);
  });

  test("draws actions from the policy, and refuses an observation that is none", async () => {
    const { evaluate, sample, act } = await moduleOf("a2c.mjs");
    const observation = [0.1, -0.2, 0.03, 0.4];
    const p = Math.exp(evaluate(observation).logPi[0]);
    expect(sample(observation, () => p - 1e-6)).toBe(0);
    expect(sample(observation, () => p + 1e-6)).toBe(1);
    expect([0, 1]).toContain(sample(observation));
    expect(act(observation)).toBe(p >= 0.5 ? 0 : 1);
    expect(() => evaluate([1, 2, 3])).toThrow("expected 4 numbers, got 3");
    const damaged = [0.1, Number.NaN, 0.03, 0.4];
    for (const use of [evaluate, act, sample]) {
      expect(() => use(damaged)).toThrow(new RangeError("evaluate: expected finite numbers, got NaN at 1"));
      expect(() => use([0.1, 0, Number.POSITIVE_INFINITY, 0])).toThrow("got Infinity at 2");
    }
    const { act: actOfRaw } = await moduleOf("a2c-shared.mjs");
    const huge = Array<number>(4).fill(-Number.MAX_VALUE);
    expect(() => actOfRaw(huge)).toThrow("the numbers are too large");
  });
});

describe("softrl export", () => {
  const short = ["--steps", "300", "--no-chart"];

  beforeAll(async () => {
    const options = "--env CartPole-v1 --steps 1000 --evaluate-every 500 --no-chart";
    await run("train", "--algorithm", "a2c", ...options.split(" "), "-o", "run");
  });

  test("writes the chosen outputs of the chosen policy, with its metadata", async () => {
    const text = await run(
      "export",
      "run",
      "--to",
      "onnx",
      "--policy",
      "best",
      "--outputs",
      "q,policy",
      "--json",
    );
    expect(JSON.parse(text)).toMatchObject({
      format: "onnx",
      policy: "best",
      outputs: ["logPi", "q"],
      algorithm: "a2c",
      environment: "CartPole-v1",
      observationShape: [4],
      actions: 2,
      files: [{ file: "policy.onnx" }],
    });
    expect(existsSync(join(place, "policy.onnx"))).toBe(true);
  });

  test("writes the same bytes each time", async () => {
    await run("export", "run", "--to", "onnx", "--out", "one.onnx");
    await run("export", "run", "--to", "onnx", "--out", "two.onnx");
    expect(readFileSync(join(place, "two.onnx")).equals(readFileSync(join(place, "one.onnx")))).toBe(true);
  });

  test("replaces a file only with --overwrite", async () => {
    await run("export", "run", "--to", "js");
    expect(await refusal("export", "run", "--to", "js")).toContain("--out: policy.js already exists");
    await run("export", "run", "--to", "js", "--overwrite");
    writeFileSync(join(place, "third.weights.bin"), "mine");
    const beside = ["--to", "js", "--out", "third.js", "--weights-file"];
    expect(await refusal("export", "run", ...beside)).toContain("third.weights.bin already exists");
    expect(existsSync(join(place, "third.js"))).toBe(false);
  });

  test("of two at once, one writes its files and the other is refused", async () => {
    const args = ["export", "run", "--to", "js", "--out", "raced.js", "--weights-file"];
    const exports = [startSoftrl(args, place), startSoftrl(args, place)];
    const ended = await Promise.all(exports.map(({ finished }) => finished));
    const [first, second] = ended.toSorted((a, b) => Number(a.code) - Number(b.code));
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expectRefusal(
      second,
      1,
      /--out: raced\.\S+ already exists; choose another name, or pass --overwrite\.\n$/,
    );
    const names = readdirSync(place).filter((name) => name.includes("raced"));
    expect(names.sort()).toEqual(["raced.d.ts", "raced.js", "raced.weights.bin"]);
    await run(...args, "--overwrite");
  });

  test("leaves nothing where a file cannot be written", async () => {
    mkdirSync(join(place, "taken.js"));
    const out = ["--to", "js", "--out", "taken.js", "--weights-file", "--overwrite"];
    expect(await refusal("export", "run", ...out)).toContain("taken.js: cannot be replaced by a file");
    expect(readdirSync(place).filter((name) => name.includes("taken"))).toEqual(["taken.js"]);
  });

  test("refuses what it cannot write, in one line", async () => {
    expect(await refusal("export", "run")).toContain("--to: the format is missing");
    expect(await refusal("export", "run", "--to", "tflite")).toContain('expected "onnx" or "js"');
    expect(await refusal("export", "run", "--to", "onnx", "--out", "a.js")).toContain("ends in .onnx");
    expect(await refusal("export", "nowhere", "--to", "onnx", "--out", "b.onnx")).toContain(
      "could not be read",
    );
    const outputs = ["--outputs", "action", "--out", "c.onnx"];
    expect(await refusal("export", "run", "--to", "onnx", ...outputs)).toContain(
      "one or more of policy, value, q",
    );
    const value = ["--outputs", "value", "--out", "d.js"];
    expect(await refusal("export", "run", "--to", "js", ...value)).toContain("needs the policy");
    const file = ["--weights-file", "--out", "e.onnx"];
    expect(await refusal("export", "run", "--to", "onnx", ...file)).toContain("holds its weights");
  });

  test("refuses a policy that only its algorithm can make", async () => {
    await run("train", "--algorithm", fixture("own-policy.js"), ...short, "-o", "own");
    const own = await refusal("export", "own", "--to", "onnx", "--out", "own.onnx");
    expect(own).toContain("the checkpoint's policy can only be made by its algorithm");
  });

  test.each(["mean", "max"])("refuses a network that mixes its observations, by a %s", async (reduction) => {
    const network = ["--network", fixture("mixing.js"), "--batch", reduction];
    await run("train", "--algorithm", "a2c", ...network, ...short, "-o", `mixing-${reduction}`);
    for (const format of ["onnx", "js"]) {
      const out = `mixing-${reduction}.${format}`;
      const mixing = await refusal("export", `mixing-${reduction}`, "--to", format, "--out", out);
      expect(mixing).toContain("the network does not treat each observation alone");
      expect(mixing.trim().split("\n")).toHaveLength(1);
      expect(existsSync(join(place, out))).toBe(false);
    }
  });

  test("refuses a network whose numbers depend on the batch's size, for a model that takes any", async () => {
    const network = ["--network", fixture("mixing.js"), "--batch", "size"];
    await run("train", "--algorithm", "a2c", ...network, ...short, "-o", "size");
    await run("export", "size", "--to", "js", "--out", "size.js");
    expect(await refusal("export", "size", "--to", "onnx", "--out", "size.onnx")).toContain(
      "the network computes something else for another number of observations",
    );
  });
});
