import { nodeWorkers } from "@softrl/node";
import {
  bodyOf,
  exactEnvironmentIds,
  isBuiltIn,
  isImage,
  networkForSpace,
  Oracle,
  type RunConfig,
  type RunStore,
  SoftrlError,
  Trainer,
  TrainingWorkers,
  type VectorEnvironment,
} from "softrl";
import { FileFault } from "../parts/file-fault.js";
import { openEnvironment } from "../parts/open-environment.js";
import type { Interrupt } from "../terminal/interrupt.js";
import { clock, pause } from "../terminal/terminal.js";
import { provenance } from "./provenance.js";
import type { RunPlan } from "./run-plan.js";
import { learnersOf, patienceOfVariable, type WorkerSituation } from "./training-worker.js";

/** The most environments that a run is evaluated in. */
const MOST_EVALUATION_ENVIRONMENTS = 8;

/**
 * A trainer with its environments, ready to start; the caller closes them with {@link closeEnvironments}.
 * @throws SoftrlError when a part cannot be made, does not fit another, or does not fit in memory.
 */
export async function assemble(plan: RunPlan, store: RunStore, { signal }: Interrupt): Promise<Trainer> {
  const { config, parts, executor, where, restores = false } = plan;
  // Whether Gymnasium's environments have a process is known before Python starts.
  if (parts.environmentKind === null && !isBuiltIn(config.environment.id)) refuseOracle(plan);
  const open = (size: number, training: boolean, learners = 1) =>
    openEnvironment({
      environment: config.environment,
      kind: parts.environmentKind,
      size,
      training,
      learners,
      restores,
      where,
    });
  const { evaluateEvery, evaluationEpisodes } = config.run;
  const environment = await open(config.environment.count, true, learnersOf(config));
  let evaluation: VectorEnvironment | null = null;
  try {
    // Reading a large process may make it.
    if (config.run.oracleEvery > 0 && environment.mdp === undefined) refuseOracle(plan);
    requireNetworkFits(plan, environment);
    if (evaluateEvery > 0) {
      evaluation = await open(Math.min(evaluationEpisodes, MOST_EVALUATION_ENVIRONMENTS), false);
    }
    return new Trainer({
      config,
      kinds: parts.kinds,
      environment,
      executor,
      store,
      clock,
      signal,
      pause,
      provenance: provenance(),
      oracle: Oracle,
      workers: workersOf(restores),
      ...(evaluation === null ? {} : { evaluation }),
    });
  } catch (error) {
    await closeEnvironments({ environment, evaluationEnvironment: evaluation });
    if (error instanceof SoftrlError && error.details.setting === "oracleEvery") {
      throw new SoftrlError(where("run", "oracleEvery"), error.what, error.details, { cause: error });
    }
    throw isOutOfMemory(error) ? tooLarge(plan, error) : error;
  }
}

/** The worker threads of an asynchronous algorithm. */
function workersOf(restores: boolean): TrainingWorkers {
  const situation: WorkerSituation = { restores };
  const patience = patienceOfVariable();
  return new TrainingWorkers({
    host: nodeWorkers,
    code: { module: new URL("./training-worker.js", import.meta.url).href, entry: "work" },
    parts: situation,
    ...(patience === undefined ? {} : { patience }),
  });
}

/** Closes the environments of a run, those of its evaluation and its workers too, whatever goes wrong with the others. */
export async function closeEnvironments({
  environment,
  evaluationEnvironment,
  algorithm,
}: Pick<Trainer, "environment" | "evaluationEnvironment"> &
  Partial<Pick<Trainer, "algorithm">>): Promise<void> {
  try {
    await algorithm?.close?.();
  } finally {
    try {
      await environment.close();
    } finally {
      await evaluationEnvironment?.close();
    }
  }
}

/** @throws SoftrlError if the run has an oracle. */
function refuseOracle({ config, where }: RunPlan): void {
  if (config.run.oracleEvery === 0) return;
  const { id } = config.environment;
  throw new SoftrlError(where("run", "oracleEvery"), `${id} has no exact process`, {
    expected: exactEnvironmentIds.join(", "),
    got: JSON.stringify(id),
    remedy: "choose one of them, or leave the oracle out",
  });
}

/** The shape of an observation as a network reads it is checked when its layers are made; nothing is allocated. */
function requireNetworkFits({ config, parts }: RunPlan, { id, observationSpace }: VectorEnvironment): void {
  const { network } = parts.kinds;
  if (observationSpace.kind !== "box") return;
  const { shape } = observationSpace;
  if (parts.hasDefaultNetwork && network.name === "mlp" && isImage(observationSpace)) {
    throw new SoftrlError(parts.where.network, `the observations of ${id} are images`, {
      expected: "the name of a network: nature-cnn or minatar-cnn for images, mlp to flatten them",
      got: `[${shape.join(", ")}]`,
      remedy: `add --network ${networkForSpace(observationSpace)}`,
    });
  }
  try {
    bodyOf(network, config.network, observationSpace)(shape);
  } catch (error) {
    if (!(error instanceof SoftrlError) || error instanceof FileFault) throw error;
    const change = network.name === "mlp" ? "change its settings" : "use another network, for instance mlp";
    const details = {
      got: `[${shape.join(", ")}]`,
      ...error.details,
      // Only for images does a layer's own remedy help those who choose a network; else it is for those who write one.
      remedy: shape.length === 3 ? (error.details.remedy ?? change) : change,
    };
    const what = `${network.name} cannot read the observations of ${id}`;
    throw new SoftrlError(parts.where.network, what, details, { cause: error });
  }
}

const isOutOfMemory = (error: unknown): error is Error =>
  error instanceof SoftrlError && error.code === "out-of-memory";

/** Names the options that decide how large a run's arrays are. */
function tooLarge({ config, parts, where }: RunPlan, cause: Error): SoftrlError {
  const bytes = cause instanceof SoftrlError ? cause.details.bytes : undefined;
  const sizes = sizesOf(config, parts).map(({ section, name, value }) => [where(section, name), value]);
  return new SoftrlError(
    sizes.map(([option]) => option).join(", "),
    "the network and its rollouts do not fit in memory",
    {
      expected: "at most 8 GiB (2 GiB in WebAssembly), and no more than is free",
      got:
        (bytes === undefined ? "" : `${(bytes / 2 ** 30).toFixed(1)} GiB for `) +
        sizes.map(([option, value]) => `${option} ${value}`).join(", "),
      remedy: "make one of them smaller",
    },
    { cause },
  );
}

/** The settings that are sizes: the environments, the horizon, and what the network has of numbers and lists. */
function sizesOf(config: RunConfig, { kinds }: RunPlan["parts"]) {
  const { horizon } = config.algorithm;
  const ofNetwork = Object.entries(kinds.network.settings).flatMap(([name, setting]) => {
    const value = config.network[name];
    const isSize = typeof value === "number" || Array.isArray(value);
    return isSize ? [{ section: "network" as const, name, value: setting.toText(value) }] : [];
  });
  return [
    { section: "environment" as const, name: "count", value: String(config.environment.count) },
    ...(horizon === undefined
      ? []
      : [{ section: "algorithm" as const, name: "horizon", value: String(horizon) }]),
    ...ofNetwork,
  ];
}

/**
 * What `make` makes, or null as soon as it is interrupted; what is made after that is closed again.
 *
 * A Python that is starting receives the terminal's signal, too, and may die of it: that is not an error then.
 */
export async function unlessInterrupted<Made>(
  { signal }: Interrupt,
  make: () => Promise<Made>,
  close: (made: Made) => unknown,
): Promise<Made | null> {
  const interrupted = new Promise<null>((resolve) => {
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  // A signal that came while all was still starting is heard before the first step.
  const making = make().finally(pause);
  const made = await Promise.race([making, interrupted]).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (!signal.aborted) return made;
  making.then(close, () => {});
  return null;
}
