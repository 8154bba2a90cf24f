import { createHash } from "node:crypto";
import {
  builtInAlgorithms,
  createReferenceExecutor,
  createTrainer,
  createWasmExecutor,
  makeEnvironment,
  NetworkPolicy,
} from "softrl";
import golden from "./golden/parameters.json" with { type: "json" };

export { golden };

const digests: Readonly<Record<string, { readonly parameters: number; readonly sha256: string }>> =
  golden.parameters;

/** One entry of golden/parameters.json: θ after its steps: as recorded, and as computed now. */
export interface GoldenRun {
  readonly expected: { readonly parameters: number; readonly sha256: string };
  readonly now: { readonly parameters: number; readonly sha256: string };
}

/** @param name of an entry: `a2c naive, CartPole-v1, reference` */
export async function goldenRun(name: string): Promise<GoldenRun> {
  const [algorithmName, environmentId, executorName] = name.split(", ");
  const [kindName, bonus] = algorithmName.split(" ");
  const algorithm = builtInAlgorithms.find((kind) => kind.name === kindName);
  const environment = makeEnvironment(environmentId, environmentId.startsWith("MinAtar/") ? 16 : 8);
  if (algorithm === undefined) throw new Error(`there is no algorithm ${kindName}`);
  const trainer = createTrainer({
    algorithm,
    environment,
    optimiser: "rmsprop",
    executor: executorName === "wasm" ? await createWasmExecutor() : createReferenceExecutor(),
    settings: {
      run: { seed: golden.seed, steps: golden.steps },
      // The defaults of commit 8158d84.
      network: { inputs: "raw" },
      optimiser: { learningRate: { from: environmentId.startsWith("MinAtar/") ? 7e-4 : 2e-3, to: 0 } },
      algorithm: {
        lambda: 1,
        normaliseReturns: false,
        ...(kindName === "npg" ? {} : { bodies: "shared", horizon: 5 }),
        ...(bonus === undefined ? {} : { entropyBonus: bonus }),
      },
    },
  });
  await trainer.start();
  while (!trainer.done) await trainer.iterate();
  const { policy } = trainer.algorithm;
  if (!(policy instanceof NetworkPolicy)) throw new Error("the policy has no θ");
  const theta = executorName === "wasm" ? Float32Array.from(policy.theta()) : policy.theta();
  const sha256 = createHash("sha256").update(new Uint8Array(theta.buffer)).digest("hex");
  return { expected: digests[name], now: { parameters: theta.length, sha256 } };
}
