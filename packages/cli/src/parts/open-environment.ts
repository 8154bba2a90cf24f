import { availableParallelism } from "node:os";
import { createGymnasiumEnvironment } from "@softrl/gymnasium";
import {
  type EnvironmentKind,
  environmentFamily,
  environmentIds,
  isBuiltIn,
  makeEnvironment,
  makeOfKind,
  nearMatch,
  type RunConfig,
  readEnvironmentOptions,
  requireProtocolFits,
  type SectionName,
  SoftrlError,
  threadCount,
  type VectorEnvironment,
} from "softrl";

/** The environments that a command needs. */
export interface EnvironmentRequest {
  readonly environment: RunConfig["environment"];
  /** The kind that a file exports; null for environments that are built in or Gymnasium's. */
  readonly kind: EnvironmentKind | null;
  /** How many. */
  readonly size: number;
  /** Whether rewards are clipped and lives end episodes, where the environment does so in training. */
  readonly training: boolean;
  /** Learners that train at the same time, each with such environments of its own; 1 if left out. */
  readonly learners?: number;
  /** Whether the environment will be filmed, where it can show more than its observation. */
  readonly screens?: boolean;
  /** Whether they continue from saved states that are trusted. */
  readonly restores?: boolean;
  /** What an error names for a setting, or for the id. */
  readonly where: (section: SectionName, name: string) => string;
}

/**
 * Makes the environments of a run.
 * @throws SoftrlError for an unknown id, an option that the environment does not have, and a missing Python.
 */
export async function openEnvironment(request: EnvironmentRequest): Promise<VectorEnvironment> {
  const { environment, kind, size, where } = request;
  const { id, options } = environment;
  const whereOptions = where("environment", "options");
  if (kind !== null) return makeOfKind(whereOptions, kind, size, options);
  if (isBuiltIn(id)) return makeEnvironment(id, size, readEnvironmentOptions(whereOptions, id, options));
  // Gymnasium has no such games: this is a slip in the name of one of ours.
  if (id.startsWith("MinAtar/")) {
    const games = environmentIds.filter((builtIn) => builtIn.startsWith("MinAtar/"));
    throw new SoftrlError(where("environment", "id"), "unknown environment", {
      expected: games.join(", "),
      got: JSON.stringify(id),
    });
  }
  try {
    return await ofGymnasium(request);
  } catch (error) {
    throw errorOfTheCommand(where("environment", "id"), id, error);
  }
}

async function ofGymnasium(request: EnvironmentRequest): Promise<VectorEnvironment> {
  const { size, training, learners = 1, screens = false, restores = false, where } = request;
  const { id, options, atariProtocol: protocol } = request.environment;
  if (protocol !== undefined) requireProtocolFits(where("environment", "atariProtocol"), id, protocol);
  // Halves that step apart keep the cores busy that the executor leaves free; an evaluation steps all at once.
  const cores = Math.max(1, Math.floor(availableParallelism() / learners));
  const free = cores - threadCount(process.env.SOFTRL_THREADS);
  const parts = {
    id,
    size,
    training,
    cores,
    overlap: training && free > 0,
    trustStates: restores,
    ...(protocol === undefined ? {} : { protocol }),
  };
  // An environment of Gymnasium's that cannot draw itself is filmed by its observation.
  if (screens && environmentFamily(id) !== "atari") {
    const drawn = { ...options, render_mode: "rgb_array" };
    return createGymnasiumEnvironment({ ...parts, options: drawn }).catch((error: unknown) => {
      if (error instanceof SoftrlError && error.code === "cannot-make") {
        return createGymnasiumEnvironment({ ...parts, options });
      }
      throw error;
    });
  }
  const environment = await createGymnasiumEnvironment({ ...parts, options });
  const { rawGame, observationSpace } = environment;
  if (training && rawGame !== null) {
    await environment.close();
    throw new SoftrlError(where("environment", "id"), `${id} gives Atari's raw pictures`, {
      expected: "an id with preprocessed observations",
      got: `[${observationSpace.shape.join(", ")}]`,
      remedy: `train on ALE/${rawGame}-v5`,
    });
  }
  return environment;
}

/** An error of Gymnasium's environments, with what the command's user can do. */
function errorOfTheCommand(where: string, id: string, error: unknown): unknown {
  if (!(error instanceof SoftrlError)) return error;
  // Gymnasium may have an id that is near a built-in one: only an id that neither has is a slip.
  const near = nearMatch(id, environmentIds);
  if (error.code === "no-python") {
    const remedy = [near === null ? "" : `did you mean ${near}? Else `, error.details.remedy].join("");
    const details = {
      ...error.details,
      expected: `${environmentIds.join(", ")}, or a Python with Gymnasium`,
      remedy,
    };
    const what = `${id} is not built in, and Gymnasium is missing`;
    return new SoftrlError(where, what, details, { cause: error });
  }
  if (near !== null && error.code === "unknown-environment") {
    const details = {
      ...error.details,
      expected: `${environmentIds.join(" or ")}, or an id of Gymnasium`,
      got: JSON.stringify(id),
      remedy: `did you mean ${near}?`,
    };
    return new SoftrlError(where, "unknown environment", details, { cause: error });
  }
  return error;
}
