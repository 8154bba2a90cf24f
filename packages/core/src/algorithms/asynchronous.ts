import { fail } from "../base/errors.js";
import { integerSetting, type Settings } from "../base/settings.js";
import { type AlgorithmKind, algorithmKind } from "./algorithm.js";
import type { onPolicySettings } from "./on-policy-settings.js";
import { SharedParameters } from "./shared-parameters.js";

/** The setting of asynchronous algorithms. */
export const workerSettings = {
  workers: integerSetting({
    about:
      "learners in threads of their own, each with the environments of --envs; 2 and more update without locks, so that the same seed gives other numbers every time",
    low: 1,
    high: 256,
    default: 1,
    source: "the only number that is reproducible; Mnih et al. (2016): 16",
  }),
};

/** An asynchronous algorithm as the on-policy algorithm that each of its learners runs. */
export interface AsynchronousDefinition<S extends typeof onPolicySettings & Settings>
  extends Pick<AlgorithmKind<S>, "name" | "title" | "about" | "defaults"> {
  /** The algorithm of one learner. */
  readonly learner: AlgorithmKind<S>;
  /** Its settings, with other defaults where the asynchronous algorithm has them. */
  readonly settings: S;
}

/**
 * An algorithm whose learners share θ and the optimiser's states, each with environments, rollouts, random streams and an
 * executor of its own ({@link SharedParameters}). One learner alone runs in this thread, and is the on-policy algorithm bit
 * for bit.
 */
export function asynchronousAlgorithm<const S extends typeof onPolicySettings & Settings>({
  learner: kind,
  ...definition
}: AsynchronousDefinition<S>): AlgorithmKind<S & typeof workerSettings> {
  return algorithmKind<S & typeof workerSettings>({
    ...definition,
    ...(kind.effects === undefined ? {} : { effects: kind.effects }),
    settings: { ...definition.settings, ...workerSettings },
    make(context, settings) {
      const { workers, horizon }: { readonly workers: number; readonly horizon: number } = settings;
      // In a worker, another thread has made the memory.
      if (workers === 1 || context.shared !== undefined) return kind.make(context, settings);
      if (context.workers === undefined) {
        fail("algorithm.workers", "this run has no threads for its workers", {
          expected: "1",
          got: String(workers),
          remedy: "pass workers to train, for instance trainingWorkers() of @softrl/node",
          setting: "workers",
        });
      }
      const shared = new SharedParameters({ learners: workers });
      const learner = kind.make({ ...context, shared }, settings);
      const stepsOfIteration = horizon * context.environment.size;
      return context.workers.train({ learner, shared, workers, stepsOfIteration });
    },
  });
}
