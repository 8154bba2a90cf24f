export { boltzmannPolicy, qFromPolicy, softValue } from "./math/boltzmann.js";
export { entropy, klDivergence, mode, sampleCategorical } from "./math/categorical.js";
export { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "./math/endings.js";
export { matrixVectorProduct, solve } from "./math/linear-algebra.js";
export { logAddExp, logSoftmaxInto, logSumExp } from "./math/logspace.js";
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
export { mean, sampleStandardDeviation } from "./math/statistics.js";
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
