import { type RunConfig, SoftrlError, TrainingWorkers } from "softrl";
import { nodeWorkers } from "./node-workers.js";

/** Where the parts of a run are found that softrl does not ship. */
export interface TrainingWorkersOptions {
  /**
   * Modules that export a part by default, as the URL of each: an environment, a network, an optimiser or an algorithm, made
   * with `environmentKind` and so on. A worker imports what the run's configuration names.
   */
  readonly modules?: { readonly [Part in keyof Omit<RunConfig, "run">]?: string };
  /** Seconds without a step of its environments after which a worker counts as lost; 120 if left out. */
  readonly patience?: number;
}

/**
 * Worker threads for `train` and `createTrainer` with an asynchronous algorithm. Each makes the run's parts anew: the
 * executor by its name, what softrl ships by its name, the rest from `modules`.
 *
 * ```ts
 * const settings = { algorithm: { workers: 2 } };
 * await train({ algorithm: a3c, environment, executor, settings, workers: trainingWorkers() });
 * ```
 */
export function trainingWorkers({ modules = {}, patience }: TrainingWorkersOptions = {}): TrainingWorkers {
  if (patience !== undefined && !(patience > 0)) {
    throw new SoftrlError("trainingWorkers", "patience is out of range", {
      expected: "seconds above 0",
      got: String(patience),
    });
  }
  return new TrainingWorkers({
    host: nodeWorkers,
    code: { module: new URL("./training-worker.js", import.meta.url).href, entry: "work" },
    parts: modules,
    ...(patience === undefined ? {} : { patience }),
  });
}
