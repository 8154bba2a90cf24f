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

/** The parts of a run, made from its configuration. */
export interface Assembly {
  readonly environment: VectorEnvironment;
  readonly algorithm: Algorithm;
  readonly executor: Executor;
}

/**
 * Makes environment, executor and algorithm.
 * @param training whether rewards are clipped and lives end episodes, where the environment does so in training.
 */
export async function assemble(
  config: TrainConfig,
  training: boolean,
  variation: AlgorithmVariation = {},
): Promise<Assembly> {
  // Parameters that are equal but for rounding are only seen to be so in float64.
  const standard = variation.gap === "subtracted" ? "reference" : undefined;
  const executor = await chooseExecutor(process.env.SOFTRL_EXECUTOR || standard);
  const environment = await openEnvironment(config, training);
  try {
    return { environment, executor, algorithm: makeAlgorithm(config, environment, executor, variation) };
  } catch (error) {
    await environment.close();
    throw error;
  }
}

async function openEnvironment(config: TrainConfig, training: boolean): Promise<VectorEnvironment> {
  const { environment: id, environments: size } = config;
  if (isBuiltIn(id)) return makeEnvironment(id, size);
  const near = nearMatch(id, environmentIds);
  if (near !== null && !id.includes("/")) {
    // A slip in a built-in name needs no Python to be told so.
    throw new SoftrlError("--env", "unknown environment", {
      expected: `${environmentIds.join(" or ")}, or an id of Gymnasium`,
      got: JSON.stringify(id),
      remedy: `did you mean ${near}?`,
    });
  }
  try {
    return await createGymnasiumEnvironment({ id, size, training });
  } catch (error) {
    if (!(error instanceof SoftrlError && error.where === "findPython")) throw error;
    throw new SoftrlError("--env", `${id} is not built in, and Gymnasium is missing`, {
      expected: `${environmentIds.join(", ")}, or a Python with Gymnasium`,
      ...error.details,
    });
  }
}
