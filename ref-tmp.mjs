import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { a2c, softQLearning, naturalPolicyGradient, createReferenceExecutor, makeEnvironment, createTrainer } from "softrl";
const want = JSON.parse(readFileSync("packages/core/test/algorithms/golden/parameters.json","utf8")).parameters;
const kinds = {"a2c": a2c, "a2c naive": a2c, "soft-q": softQLearning, npg: naturalPolicyGradient};
for (const [key, {sha256}] of Object.entries(want)) {
  const [alg, env, ex] = key.split(", ");
  if (ex !== "reference") continue;
  const environment = makeEnvironment(env, 8);
  const t0=Date.now();
  const trainer = createTrainer({ algorithm: kinds[alg], environment, executor: createReferenceExecutor(), settings: { run: {seed: 7, steps: 20000}, ...(alg.includes("naive")?{algorithm:{entropyBonus:"naive"}}:{}) } });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  const theta = trainer.algorithm.policy.theta();
  const got = createHash("sha256").update(new Uint8Array(theta.buffer)).digest("hex");
  console.log(key, got === sha256 ? "same" : "DIFFERENT", Date.now()-t0, "ms");
}
