import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { observationLength, version } from "softrl";
import { expect, test } from "vitest";
import { softrl } from "../../packages/cli/test/command.js";
import {
  drawnObservations,
  exportCases,
  logPiSizes,
  policyOfRun,
} from "../../packages/cli/test/export-cases.js";
import { root } from "../source-tree.js";
import { temporaryFolder } from "../temporary-folder.js";
import { runPython } from "./run-python.js";

/** What run_onnx.py finds. */
interface Found {
  readonly input: readonly [name: string, type: string, shape: readonly (number | string)[]];
  readonly rows: number;
  readonly differences: Readonly<Record<string, number>>;
  /** The largest difference of a probability. */
  readonly probability: number;
  readonly shapes: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly single: number;
  readonly opset: Readonly<Record<string, number>>;
  readonly producer: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly parameters: readonly string[];
}

const OBSERVATIONS = 10_000;
const place = temporaryFolder("onnx");

async function command(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await softrl(args, place);
  expect(code, stderr).toBe(0);
}

test.each(exportCases)(
  "ONNX Runtime computes what softrl does: $name",
  async ({ name, train, network = "mlp", hasQ = true }) => {
    await command("train", ...train.split(" "), "-o", name, "--no-chart");
    await command("export", name, "--to", "onnx", "--out", `${name}.onnx`);

    const policy = await policyOfRun(join(place, name));
    const observations = drawnObservations(policy, OBSERVATIONS);
    const ours = policy.evaluate(observations);
    const { logPi, v, q } = ours;
    expect(q !== null).toBe(hasQ);
    const outputs = Object.entries({ logPi, v, q }).flatMap(([output, values]) =>
      values === null ? [] : [[output, values] as const],
    );
    const write = (suffix: string, values: Float32Array | Float64Array | Uint8Array) => {
      const file = join(place, `${name}-${suffix}.bin`);
      writeFileSync(file, values);
      return file;
    };
    const isBytes = observations instanceof Uint8Array;
    const { observationShape, actions } = policy.network;
    const expected = Object.fromEntries(outputs.map(([output, values]) => [output, write(output, values)]));
    const cases = {
      [name]: {
        model: join(place, `${name}.onnx`),
        observations: write("observations", observations),
        type: isBytes ? "uint8" : "float32",
        shape: observationShape,
        expected,
        logPiSizes: write("sizes", logPiSizes(policy, ours)),
      },
    };
    writeFileSync(join(place, `${name}.json`), JSON.stringify(cases));
    const program = fileURLToPath(new URL("run_onnx.py", import.meta.url));
    const found: Found = JSON.parse(runPython(program, [`${name}.json`], { cwd: place }))[name];

    expect(found.rows).toBe(OBSERVATIONS);
    expect(Object.keys(found.differences)).toEqual(outputs.map(([output]) => output));
    for (const difference of Object.values(found.differences)) expect(difference).toBeLessThanOrEqual(1e-5);
    expect(found.probability).toBeLessThanOrEqual(1e-5);
    expect(found.single).toBeLessThanOrEqual(1e-5);
    const shapes = (rows: number) =>
      Object.fromEntries(outputs.map(([output]) => [output, output === "v" ? [rows] : [rows, actions]]));
    expect(found.shapes).toEqual({ 1: shapes(1), 7: shapes(7) });

    const type = `tensor(${isBytes ? "uint8" : "float"})`;
    expect(found.input).toEqual(["observations", type, ["batch", ...observationShape]]);
    expect(found.opset).toEqual({ "": 17 });
    expect(found.producer).toEqual(["softrl", version]);
    expect(found.metadata).toMatchObject({
      algorithm: /--algorithm (\S+)/.exec(train)?.[1],
      network,
      opset: "17",
      tau: JSON.stringify(policy.form?.tau ?? null),
      version,
      observationShape: JSON.stringify(observationShape),
    });
    expect(observationLength(policy.observationSpace) * OBSERVATIONS).toBe(observations.length);
  },
);

test("the page's lines of Python run", async () => {
  await command("train", ..."--algorithm a2c --env CartPole-v1 --steps 1000 --no-chart -o page".split(" "));
  await command("export", "page", "--to", "onnx");
  const page = readFileSync(join(root, "docs/export.md"), "utf8");
  writeFileSync(join(place, "page.py"), /^```python\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "");
  expect(runPython("page.py", [], { cwd: place })).toMatch(/^\[[01] [01]\] CartPole-v1\n$/);
});
