/** The module of a worker thread of `softrl train`: its parts are found as the command finds them. */
import { type ParentPort, type RunConfig, runTrainingWorker, SoftrlError } from "softrl";
import { openEnvironment } from "../parts/open-environment.js";
import { findParts } from "../parts/run-parts.js";
import { makeExecutor } from "./executor.js";

/** What a worker needs besides the configuration. */
export interface WorkerSituation {
  /** Whether the environments continue from states that are trusted. */
  readonly restores: boolean;
}

/** The entry of the worker. */
export function work(parent: ParentPort, data: unknown): Promise<void> {
  return runTrainingWorker(parent, data, async (config, situation) => {
    const { restores } = situation as WorkerSituation;
    const where = (section: string, name: string) => `${section}.${name}`;
    const { kinds, environmentKind: kind } = await findParts({
      algorithm: named("algorithm", config.algorithm),
      environment: named("environment", { ...config.environment, name: config.environment.id }),
      network: named("network", config.network),
      optimiser: named("optimiser", config.optimiser),
    });
    const { environment } = config;
    const request = { environment, kind, size: environment.count, training: true, restores, where };
    return {
      kinds,
      environment: await openEnvironment({ ...request, learners: learnersOf(config) }),
      executor: await makeExecutor(executorOf(config)),
    };
  });
}

/** The learners of a run, each of which has environments of its own. */
export const learnersOf = ({ algorithm: { workers } }: RunConfig): number =>
  typeof workers === "number" ? workers : 1;

/** A part as the configuration names it. */
const named = (where: string, { name, module }: { readonly name: string; readonly module?: string }) => ({
  name,
  ...(module === undefined ? {} : { module }),
  where,
  folder: ".",
});

function executorOf({ run: { executor: name, precision, instructionSet } }: RunConfig) {
  return {
    name,
    precision,
    ...(instructionSet === undefined ? {} : { instructionSet }),
    where: "run.executor",
  };
}

/** Seconds that the environment variable SOFTRL_WORKER_PATIENCE sets; undefined where it is not set. */
export function patienceOfVariable(): number | undefined {
  const text = process.env.SOFTRL_WORKER_PATIENCE ?? "";
  if (text === "") return undefined;
  const seconds = Number(text);
  if (seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new SoftrlError("SOFTRL_WORKER_PATIENCE", "invalid value", {
    expected: "seconds above 0",
    got: JSON.stringify(text),
  });
}
