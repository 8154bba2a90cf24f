import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { a2c, CartPole, createWasmExecutor, MemoryRunStore, train } from "softrl";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../source-tree.js";
import { runPython } from "./run-python.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "softrl-checkpoint-page-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(["raw", "normalised"])(
  "the page's 15 lines of PyTorch rebuild a policy with %s inputs, to 1e-6",
  async (inputs) => {
    const page = readFileSync(join(root, "docs/checkpoints.md"), "utf8");
    const [example, normalised] = [...page.matchAll(/^```python\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
    const block = inputs === "normalised" ? example.replace("    h = observations\n", normalised) : example;
    expect(block.includes("clamp")).toBe(inputs === "normalised");
    expect(block.trim().split("\n").length).toBeLessThanOrEqual(15);

    const store = new MemoryRunStore();
    const { policy } = await train({
      algorithm: a2c,
      environment: new CartPole(3),
      executor: await createWasmExecutor(),
      settings: { network: { inputs }, run: { steps: 3000, seed: 4 } },
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
  },
);
