export { type ErrorDetails, SoftrlError } from "./base/errors.js";
export { Random, RandomStreams } from "./base/random.js";
export type { Saveable, Snapshot, SnapshotArray, SnapshotLeaf } from "./base/snapshot.js";
export { boltzmannPolicy, qFromPolicy, softValue } from "./math/boltzmann.js";
export { entropy, klDivergence, mode, sampleCategorical } from "./math/categorical.js";
export { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "./math/endings.js";
export { logSoftmaxInto } from "./math/logspace.js";
export {
  emptyTrajectory,
  lambdaAdvantagesInto,
  nStepAdvantagesInto,
  softQTargetsInto,
  softTemporalDifferencesInto,
  successorValuesInto,
  type Trajectory,
  valueTargetsInto,
} from "./math/returns.js";
export { sampleStandardDeviation } from "./math/statistics.js";
export {
  type Logits,
  type LogPrior,
  type LogProbabilities,
  logits,
  logPrior,
  logProbabilities,
  type Quantity,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
  type Vector,
} from "./math/units.js";
