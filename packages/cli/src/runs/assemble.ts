import { availableParallelism } from "node:os";
import { createGymnasiumEnvironment } from "@softrl/gymnasium";
import {
  type Algorithm,
  type AlgorithmVariation,
  type Executor,
  environmentFamily,
  environmentIds,
  exactEnvironmentIds,
  isBuiltIn,
  makeAlgorithm,
  makeEnvironment,
  nearMatch,
  readEnvironmentOptions,
  SoftrlError,
  type TrainConfig,
  threadCount,
  type VectorEnvironment,
} from "softrl";
import { chooseExecutor } from "./executor.js";
import type { Interrupt } from "../terminal/interrupt.js";
import { pause } from "../terminal/terminal.js";

/** The parts of a run, made from its configuration. */
export interface Assembly {
  readonly environment: VectorEnvironment;
  readonly algorithm: Algorithm;
  readonly executor: Executor;
}

/** What a command may want beyond the configuration. */
export interface AssemblyOptions extends AlgorithmVariation {
  /** What an error about the environment's id names. */
  readonly where?: string;
  /** Whether the environment is to be looked at, where it can show more than its observation. */
  readonly screens?: boolean;
}

/**
 * Makes environment, executor and algorithm.
 * @param training whether rewards are clipped and lives end episodes, where the environment does so in training.
 */
export async function assemble(
  config: TrainConfig,
  training: boolean,
  { where = "--env", screens = false, ...variation }: AssemblyOptions = {},
): Promise<Assembly> {
  // Parameters that are equal but for rounding are only seen to be so in float64.
  const standard = variation.gap === "subtracted" ? "reference" : undefined;
  const executor = await chooseExecutor(process.env.SOFTRL_EXECUTOR || standard);
  const environment = await openEnvironment(where, config, training, screens);
  try {
    requireNetworkFits(config, environment);
    return { environment, executor, algorithm: makeAlgorithm(config, environment, executor, variation) };
  } catch (error) {
    await environment.close();
    throw isOutOfMemory(error) ? tooLarge(config, error) : error;
  }
}

/** The smallest frames that a network's convolutions can read, in pixels a side. */
const smallestFrames: Readonly<Record<TrainConfig["network"], number | null>> = {
  mlp: null,
  "nature-cnn": 36,
  "minatar-cnn": 3,
};

function requireNetworkFits({ network }: TrainConfig, { observationSpace }: VectorEnvironment): void {
  const side = smallestFrames[network];
  const shape = observationSpace.kind === "box" ? observationSpace.shape : [];
  if (side === null || (shape.length === 3 && shape[0] >= side && shape[1] >= side)) return;
  throw new SoftrlError("--network", `${network} needs frames`, {
    expected: `[height, width, channels] of at least ${side} × ${side}`,
    got: observationSpace.kind === "box" ? `[${shape.join(", ")}]` : "a discrete observation",
    remedy: "use --network mlp",
  });
}

const isOutOfMemory = (error: unknown): error is Error =>
  error instanceof RangeError ||
  (error instanceof SoftrlError &&
    (error.where === "encodeKernels" || /not enough memory/.test(error.message)));

/** Says in the words of the command line that a run's arrays are too large. */
function tooLarge({ network, hiddenSizes, environments, horizon }: TrainConfig, cause: Error): SoftrlError {
  const elements = cause instanceof SoftrlError ? Number(cause.details.got) : Number.NaN;
  const mebibytes = Number(/for ([\d.]+) MiB/.exec(cause.message)?.[1] ?? Number.NaN);
  const gibibytes = Number.isNaN(elements) ? mebibytes / 1024 : (elements * 4) / 2 ** 30;
  const hidden = network === "mlp" ? ["--hidden-sizes"] : [];
  const sizes = network === "mlp" ? `, --hidden-sizes ${hiddenSizes.join(",")}` : "";
  return new SoftrlError(
    ["--envs", "--horizon", ...hidden].join(", "),
    "the network and its rollouts do not fit into memory",
    {
      expected: "at most 8 GiB (4 GiB in WebAssembly), and no more than is free",
      got:
        (Number.isNaN(gibibytes) ? "" : `${gibibytes.toFixed(1)} GiB for `) +
        `--envs ${environments}, --horizon ${horizon}${sizes}`,
      remedy: "make one of them smaller",
    },
    { cause },
  );
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
  screens: boolean,
): Promise<VectorEnvironment> {
  const { environment: id, environments: size, atariProtocol: protocol } = config;
  const options = config.environmentOptions;
  if (isBuiltIn(id)) return makeEnvironment(id, size, readEnvironmentOptions(where, id, options));
  // Gymnasium has no such games: a slip in the name of one of ours.
  if (id.startsWith("MinAtar/")) {
    const games = environmentIds.filter((builtIn) => builtIn.startsWith("MinAtar/"));
    throw new SoftrlError(where, "unknown environment", {
      expected: games.join(", "),
      got: JSON.stringify(id),
    });
  }
  if (config.oracleEvery > 0) {
    throw new SoftrlError("--oracle-every", `${id} does not know its exact process`, {
      expected: exactEnvironmentIds.join(", "),
      got: JSON.stringify(id),
      remedy: "choose one of them, or leave --oracle-every out",
    });
  }
  try {
    // Halves that step apart keep the cores busy that the executor leaves; an evaluation steps all, and npg does.
    const free = availableParallelism() - threadCount(process.env.SOFTRL_THREADS);
    const overlap = training && config.algorithm !== "npg" && free > 0;
    const parts = { id, size, training, protocol, overlap };
    // An environment of Gymnasium's that cannot draw itself is filmed by its observation.
    if (screens && environmentFamily(id) !== "atari") {
      const drawn = { ...options, render_mode: "rgb_array" };
      return await createGymnasiumEnvironment({ ...parts, options: drawn }).catch((error: unknown) => {
        if (error instanceof SoftrlError && /cannot be made/.test(error.message)) {
          return createGymnasiumEnvironment({ ...parts, options });
        }
        throw error;
      });
    }
    const environment = await createGymnasiumEnvironment({ ...parts, options });
    const { rawGame, observationSpace } = environment;
    if (training && rawGame !== null) {
      await environment.close();
      throw new SoftrlError(where, `${id} shows Atari's raw pictures`, {
        expected: "an id that stands for preprocessed ones",
        got: `[${observationSpace.shape.join(", ")}]`,
        remedy: `train on ALE/${rawGame}-v5`,
      });
    }
    return environment;
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
