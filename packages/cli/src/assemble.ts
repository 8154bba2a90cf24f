import { createGymnasiumEnvironment } from "@softrl/gymnasium";
import {
  type Algorithm,
  type AlgorithmVariation,
  type Executor,
  environmentIds,
  isBuiltIn,
  makeAlgorithm,
  makeEnvironment,
  nearMatch,
  SoftrlError,
  type TrainConfig,
  type VectorEnvironment,
} from "softrl";
import { chooseExecutor } from "./executor.js";
import type { Interrupt } from "./interrupt.js";
import { pause } from "./terminal.js";

/** The parts of a run, made from its configuration. */
export interface Assembly {
  readonly environment: VectorEnvironment;
  readonly algorithm: Algorithm;
  readonly executor: Executor;
}

/**
 * Makes environment, executor and algorithm.
 * @param training whether rewards are clipped and lives end episodes, where the environment does so in training.
 * @param where what an error about the environment's id names.
 */
export async function assemble(
  config: TrainConfig,
  training: boolean,
  { where = "--env", ...variation }: AlgorithmVariation & { readonly where?: string } = {},
): Promise<Assembly> {
  // Parameters that are equal but for rounding are only seen to be so in float64.
  const standard = variation.gap === "subtracted" ? "reference" : undefined;
  const executor = await chooseExecutor(process.env.SOFTRL_EXECUTOR || standard);
  const environment = await openEnvironment(where, config, training);
  try {
    return { environment, executor, algorithm: makeAlgorithm(config, environment, executor, variation) };
  } catch (error) {
    await environment.close();
    throw error;
  }
}

/**
 * {@link assemble}, or null as soon as it is interrupted; what is made after that is closed again.
 *
 * A Python under way hears the terminal's signal, too, and may die of it: no error then.
 */
export async function assembleUnlessInterrupted(
  { signal }: Interrupt,
  ...parameters: Parameters<typeof assemble>
): Promise<Assembly | null> {
  const interrupted = new Promise<null>((resolve) => {
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  // Whatever came while all was still starting is heard before the first step.
  const made = assemble(...parameters).finally(pause);
  const assembly = await Promise.race([made, interrupted]).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (!signal.aborted) return assembly;
  made.then(
    ({ environment }) => environment.close(),
    () => {},
  );
  return null;
}

async function openEnvironment(
  where: string,
  config: TrainConfig,
  training: boolean,
): Promise<VectorEnvironment> {
  const { environment: id, environments: size } = config;
  if (isBuiltIn(id)) return makeEnvironment(id, size);
  try {
    return await createGymnasiumEnvironment({ id, size, training });
  } catch (error) {
    if (!(error instanceof SoftrlError)) throw error;
    // An id of Gymnasium's may well be near one that is built in: only what nobody knows is a slip.
    const near = nearMatch(id, environmentIds);
    if (error.where === "findPython") {
      throw new SoftrlError(where, `${id} is not built in, and Gymnasium is missing`, {
        expected: `${environmentIds.join(", ")}, or a Python with Gymnasium`,
        ...error.details,
        remedy: [near === null ? "" : `did you mean ${near}? Else `, error.details.remedy].join(""),
      });
    }
    if (near !== null && error.message.includes("the environment is unknown")) {
      throw new SoftrlError(where, "unknown environment", {
        expected: `${environmentIds.join(" or ")}, or an id of Gymnasium`,
        got: JSON.stringify(id),
        remedy: `did you mean ${near}?`,
      });
    }
    throw error;
  }
}
