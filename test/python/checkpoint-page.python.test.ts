import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { a2c, CartPole, createWasmExecutor, MemoryRunStore, train } from "softrl";
import { expect, test } from "vitest";
import { root } from "../source-tree.js";
import { temporaryFolder } from "../temporary-folder.js";
import { runPython } from "./run-python.js";

const folder = temporaryFolder("checkpoint-page");

test.each([
  { settings: "the default settings", shared: false, raw: false },
  { settings: "shared bodies", shared: true, raw: false },
  { settings: "raw inputs", shared: false, raw: true },
  { settings: "shared bodies and raw inputs", shared: true, raw: true },
])("the page's 15 lines of PyTorch rebuild a policy with $settings, to 1e-6", async ({ shared, raw }) => {
  const page = readFileSync(join(root, "docs/checkpoints.md"), "utf8");
  const [example, sharedHeads, rawInputs] = [...page.matchAll(/^```python\n([\s\S]*?)^```$/gm)].map(
    ([, code]) => code,
  );
  let block = example;
  if (shared) block = block.replace(/^def policy_and_value[\s\S]*/m, sharedHeads);
  if (raw) block = block.replace(/^ {4}h = .*clamp.*\n/m, rawInputs);
  expect(block.includes('features("body"')).toBe(shared);
  expect(block.includes("clamp")).toBe(!raw);
  const lines = example.split("\n").filter((line) => line !== "");
  expect(lines.length).toBeLessThanOrEqual(15);

  const store = new MemoryRunStore();
  const { policy } = await train({
    algorithm: a2c,
    environment: new CartPole(3),
    executor: await createWasmExecutor(),
    settings: {
      ...(shared ? { algorithm: { bodies: "shared" } } : {}),
      ...(raw ? { network: { inputs: "raw" } } : {}),
      run: { steps: 3000, seed: 4 },
    },
    store,
  });
  writeFileSync(join(folder, "checkpoint.safetensors"), store.checkpoint ?? new Uint8Array());
  const observations = Array.from({ length: 40 }, (_, i) => Math.sin(i));
  writeFileSync(
    join(folder, "example.py"),
    `${block}
import json
log_pi, v = policy_and_value(torch.tensor(${JSON.stringify(observations)}).double().reshape(10, 4))
print(json.dumps([log_pi.flatten().tolist(), v.tolist()]))
`,
  );
  const [logPi, v]: [number[], number[]] = JSON.parse(runPython("example.py", [], { cwd: folder }));
  const expected = policy.evaluate(Float32Array.from(observations));
  expect(logPi.length).toBe(20);
  const scale = Math.max(...v.map(Math.abs), 1);
  logPi.forEach((x, i) => {
    expect(Math.abs(x - expected.logPi[i])).toBeLessThanOrEqual(1e-6);
  });
  v.forEach((x, i) => {
    expect(Math.abs(x - (expected.v?.[i] ?? Number.NaN))).toBeLessThanOrEqual(1e-6 * scale);
  });
});
