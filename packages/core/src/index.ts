export { a2c } from "./algorithms/a2c.js";
export { a3c, asyncSoftQ } from "./algorithms/a3c.js";
export {
  type Algorithm,
  type AlgorithmContext,
  type AlgorithmKind,
  algorithmKind,
  type IterationReport,
  type LearnerThreads,
  type PolicyValueModel,
  type SectionDefaults,
  type SharedLearner,
} from "./algorithms/algorithm.js";
export { type AsynchronousDefinition, asynchronousAlgorithm } from "./algorithms/asynchronous.js";
export { dqn } from "./algorithms/dqn.js";
export { type DqnPreset, dqnPresets } from "./algorithms/dqn-presets.js";
export { naturalPolicyGradient } from "./algorithms/natural-policy-gradient.js";
export {
  type OnPolicyDefinition,
  type OnPolicyTerms,
  onPolicyAlgorithm,
  referencePolicy,
  type TracedSettings,
} from "./algorithms/on-policy.js";
export { onPolicySettings, returnSettings } from "./algorithms/on-policy-settings.js";
export {
  type Bodies,
  NetworkPolicy,
  type NetworkPolicyParts,
  networkShapes,
  type Policy,
  type PolicyForm,
  type PolicyOutputs,
} from "./algorithms/policy.js";
export {
  type LossTrace,
  PolicyValueLearner,
  type PolicyValueLearnerParts,
  type TracedLoss,
} from "./algorithms/policy-value-learner.js";
export { ppo } from "./algorithms/ppo.js";
export { pqn } from "./algorithms/pqn.js";
export {
  QLearner,
  type QLearnerParts,
} from "./algorithms/q-learner.js";
export { policyOfQ, type QPolicyOutputs } from "./algorithms/q-policy.js";
export { builtInAlgorithms } from "./algorithms/registry.js";
export {
  requireChangeEffects,
  requireEffects,
  type SettingEffect,
  unreadSettings,
} from "./algorithms/setting-effects.js";
export {
  type LearnerMemory,
  type SharedMemory,
  SharedParameters,
  type SharedRole,
} from "./algorithms/shared-parameters.js";
export { softQLearning } from "./algorithms/soft-q-learning.js";
export { allocate, outOfMemory, requireMemory } from "./base/allocation.js";
export { describeValue, type ErrorCode, type ErrorDetails, isErrorCode, SoftrlError } from "./base/errors.js";
export { LiveSettings } from "./base/live-settings.js";
export { nearMatch, suggestion } from "./base/near-match.js";
export { nestsTooDeep } from "./base/nesting.js";
export { oneLine } from "./base/one-line.js";
export type { Piece } from "./base/piece.js";
export { Random, RandomStreams } from "./base/random.js";
export { isRecord } from "./base/record.js";
export { type LiveNumber, type NumberSchedule, scheduleText, valueAt } from "./base/schedule.js";
export {
  type CurrentValues,
  choiceSetting,
  defaultText,
  type EnvironmentFamily,
  environmentFamilies,
  familiesText,
  flagSetting,
  integerSetting,
  integersSetting,
  type LiveSetting,
  liveSetting,
  type NamedScalars,
  type NumberRange,
  namedScalarsSetting,
  numberSetting,
  optionName,
  requireSettingNames,
  type Setting,
  type SettingDescription,
  type Settings,
  type SettingValue,
  textSetting,
  type ValuesOf,
} from "./base/settings.js";
export {
  isShapedArray,
  type Saveable,
  type ShapedArray,
  type Snapshot,
  type SnapshotArray,
  type SnapshotLeaf,
  shapedArray,
  snapshotArray,
  snapshotNumber,
  snapshotSection,
  snapshotShaped,
} from "./base/snapshot.js";
export type {
  ParentPort,
  WorkerCode,
  WorkerEntry,
  WorkerEvents,
  WorkerHandle,
  WorkerHost,
} from "./base/worker-host.js";
export { type Actor, Collector, type OnStep } from "./data/collector.js";
export { Minibatches, type MinibatchesParts, type SampleColumn } from "./data/minibatches.js";
export { type ObservationEncoding, ObservationStore } from "./data/observation-store.js";
export { PooledMoments } from "./data/pooled-moments.js";
export { Replay, type ReplayOptions } from "./data/replay.js";
export type { ReplayBatch } from "./data/replay-batch.js";
export { ReturnNormaliser } from "./data/return-normaliser.js";
export { Rollout, type RolloutStep } from "./data/rollout.js";
export { SumTree } from "./data/sum-tree.js";
export { AreaResize } from "./envs/atari/area-resize.js";
export {
  type AtariEnvironment,
  type AtariOptions,
  atariEnvironment,
} from "./envs/atari/atari-environment.js";
export { atariHumanScale } from "./envs/atari/atari-scores.js";
export type { AtariEmulator } from "./envs/atari/emulator.js";
export { AtariFrames } from "./envs/atari/frame-stack.js";
export {
  type AtariProtocol,
  type AtariRules,
  atariProtocols,
  atariRules,
  requireProtocolFits,
} from "./envs/atari/protocol.js";
export { Canvas, type Picture, type RgbaPicture, rgbaPicture } from "./envs/canvas.js";
export { Acrobot, type AcrobotOptions } from "./envs/classic-control/acrobot.js";
export { CartPole, type CartPoleOptions } from "./envs/classic-control/cart-pole.js";
export { MountainCar, type MountainCarOptions } from "./envs/classic-control/mountain-car.js";
export type {
  Environment,
  EnvironmentRows,
  Observations,
  StepOutcome,
  VectorEnvironment,
} from "./envs/environment.js";
export {
  type EnvironmentKind,
  environmentKind,
  makeOfKind,
  type OptionKinds,
  type OptionValues,
} from "./envs/environment-kind.js";
export { MinAtar, type MinAtarGame, type MinAtarOptions } from "./envs/minatar/min-atar.js";
export { finalPicture, observationPicture, picture } from "./envs/picture.js";
export {
  type EnvironmentId,
  type EnvironmentOptions,
  environmentAbout,
  environmentIds,
  environmentOptions,
  exactEnvironmentIds,
  isBuiltIn,
  makeEnvironment,
  readEnvironmentOptions,
} from "./envs/registry.js";
export {
  actionCount,
  type Box,
  contains,
  type Discrete,
  describeSpace,
  observationLength,
  oneHotSpace,
  type Space,
  sameSpace,
  UNBOUNDED,
  unitScale,
  validateSpace,
} from "./envs/spaces.js";
export { type CliffWalkingOptions, cliffWalking } from "./envs/tables/cliff-walking.js";
export { type FrozenLakeOptions, frozenLake } from "./envs/tables/frozen-lake.js";
export { GridWorld, type GridWorldOptions, gridActions } from "./envs/tables/grid-world.js";
export { type Outcome, TabularEnvironment, type TabularWorld } from "./envs/tables/tabular.js";
export { type TaxiOptions, taxi } from "./envs/tables/taxi.js";
export { type LocalEnvironment, type VectorizeOptions, vectorize } from "./envs/vectorize.js";
export { decodeCheckpoint, encodeCheckpoint } from "./experiment/checkpoint.js";
export {
  type Comparison,
  compare,
  type ParameterDistance,
  type TheoremInTraining,
} from "./experiment/compare.js";
export type {
  ControlAnswers,
  ControlCommand,
  ControlCommandOf,
  ControlKind,
  ControlledChoice,
  ControlledSnapshot,
  ControlledState,
  EvaluatedPolicy,
  PlayedFrame,
  TheoremAtPlay,
} from "./experiment/control-messages.js";
export type { ControlParts } from "./experiment/controlled-run.js";
export {
  type EvaluationParts,
  type EvaluationProgress,
  type EvaluationResult,
  evaluate,
  MOST_EPISODE_STEPS,
} from "./experiment/evaluate.js";
export type { Host, TrainProgress } from "./experiment/host.js";
export type { LearningWarning } from "./experiment/learning-check.js";
export type { LearningCurve } from "./experiment/learning-curve.js";
export {
  type LoadPolicyOptions,
  loadPolicy,
  policyOf,
  type TracedPolicy,
  tracePolicy,
} from "./experiment/load-policy.js";
export { makeAlgorithm } from "./experiment/make-algorithm.js";
export { bodyOf } from "./experiment/make-body.js";
export { exactModel, exactProcess, Oracle } from "./experiment/oracle.js";
export type { OracleFigures, OracleMeasurement } from "./experiment/oracle-measurement.js";
export type { Machine, Provenance } from "./experiment/provenance.js";
export { type ReadConfig, readConfig } from "./experiment/read-config.js";
export {
  policyDescription,
  RUN_FORMAT,
  readRunSnapshot,
  savedConfig,
  savedPolicy,
  versionFault,
} from "./experiment/run-checkpoint.js";
export {
  atariSettings,
  builtInKinds,
  type ChosenSettings,
  defaultNetwork,
  defaultNetworks,
  defaultOf,
  defaultOptimiser,
  type ExecutorIdentity,
  environmentFamily,
  environmentSettings,
  executorIdentity,
  isImage,
  type KindSection,
  type KnownKinds,
  networkForSpace,
  ownersOf,
  type RunChoice,
  type RunConfig,
  type RunKinds,
  runConfig,
  runSettings,
  type SectionName,
  sectionNames,
  sectionSettings,
} from "./experiment/run-config.js";
export { RunControl } from "./experiment/run-control.js";
export {
  type EpisodeEvent,
  type EvaluationEvent,
  type EvaluationPoint,
  isOfProcess,
  type OracleEvent,
  type ResumedEvent,
  type RunEvent,
  type SetEvent,
  type StartedEvent,
  type UpdateEvent,
  type WarningEvent,
} from "./experiment/run-event.js";
export { RunPieces, savedPieceFiles } from "./experiment/run-pieces.js";
export {
  type KeptPolicy,
  MemoryPieceStore,
  MemoryRunStore,
  type PieceStore,
  type RunStore,
} from "./experiment/run-store.js";
export { savedOutcome } from "./experiment/saved-outcome.js";
export { sectionValues } from "./experiment/section.js";
export { type ControlThread, serveControlledRun } from "./experiment/serve-controlled-run.js";
export {
  createTrainer,
  iterateTogether,
  type TrainChoice,
  type Trained,
  train,
} from "./experiment/train.js";
export type { EvaluationSummary, RunOutcome, TrainResult } from "./experiment/train-result.js";
export { Trainer } from "./experiment/trainer.js";
export type { TrainerParts } from "./experiment/trainer-parts.js";
export { runTrainingWorker, type WorkerParts } from "./experiment/training-worker.js";
export { TrainingWorkers } from "./experiment/training-workers.js";
export { version } from "./experiment/version.js";
export type { TrainingWorkersParts } from "./experiment/worker-threads.js";
export {
  klToPrior,
  policyEntropy,
  policyFromQ,
  qFromValueAndPolicy,
  valueFromQ,
} from "./losses/boltzmann.js";
export { type PolicyGradientTerms, policyGradientLoss } from "./losses/policy-gradient.js";
export {
  advantageScale,
  type ClippedValueTerms,
  clippedShare,
  clippedSurrogateLoss,
  clippedValueLoss,
  klFromOld,
  normalisedAdvantages,
  type PolicyChange,
  penalisedSurrogateLoss,
  probabilityRatio,
  type SurrogateTerms,
} from "./losses/ppo.js";
export {
  type Backup,
  type BootstrapTerms,
  backups,
  bootstrapValue,
  countingMeasure,
  greedyPolicyFromQ,
  hardValue,
  huber,
  type MunchausenTerms,
  munchausenBonus,
  type QLearningTerms,
  qLearningLoss,
  qTargets,
} from "./losses/q-learning.js";
export {
  type QUpdate,
  type QUpdateFormulas,
  type TracedQUpdate,
  traceQUpdate,
} from "./losses/q-update.js";
export {
  a2cStreamScales,
  type SoftQStreamsTerms,
  type SoftQTerms,
  type StreamScales,
  scaleGradient,
  softQLoss,
  softQStreamsLoss,
  unscaledStreams,
} from "./losses/soft-q.js";
export { type TheoremGapTerms, theoremGap } from "./losses/theorem-gap.js";
export { type ValueTerms, valueLoss } from "./losses/value.js";
export { boltzmannPolicy, greedyPolicy, qFromPolicy, softValue } from "./math/boltzmann.js";
export {
  type BootstrapOptions,
  bootstrapInterval,
  differenceInterval,
  type Interval,
  meanInterval,
} from "./math/bootstrap.js";
export { entropy, klDivergence, mode, sampleCategorical } from "./math/categorical.js";
export {
  flagsBetween,
  type Terminated,
  type Truncated,
  terminatedFlags,
  truncatedFlags,
} from "./math/endings.js";
export { logSoftmaxInto } from "./math/logspace.js";
export {
  advantageStreamTargetsInto,
  emptyTrajectory,
  lambdaAdvantagesInto,
  lambdaTargetsInto,
  nStepAdvantagesInto,
  softQTargetsInto,
  softTemporalDifferencesInto,
  successorValuesInto,
  type Trajectory,
  valueTargetsInto,
} from "./math/returns.js";
export {
  combinedMoments,
  inverseDeviation,
  type Moments,
  momentsOf,
  noMoments,
} from "./math/running-moments.js";
export {
  interquartileMean,
  normalisedScore,
  optimalityGap,
  performanceProfile,
  probabilityOfImprovement,
  type ScoreScale,
  type TaskScores,
} from "./math/score-statistics.js";
export { explainedVariance, largest, sampleStandardDeviation, smallest } from "./math/statistics.js";
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
export {
  type Bandit,
  type BanditArrays,
  bandit,
  banditGradient,
  banditObjective,
  banditObjectiveFromOptimum,
  banditOptimum,
  validateBandit,
} from "./mdp/bandit.js";
export {
  cosine,
  type Directions,
  type DirectionsOptions,
  type TracedDirections,
  traceDirections,
} from "./mdp/directions.js";
export { type FiniteMdp, finiteMdp, type MdpArrays, validateFiniteMdp } from "./mdp/finite-mdp.js";
export {
  type ChainOptions,
  chain,
  type GarnetOptions,
  garnet,
  mdpOf,
  riverSwim,
} from "./mdp/mdp-families.js";
export {
  type DampedSoftQ,
  dampedSoftQStep,
  fisherMatrix,
  fisherVectorProduct,
  logLinearPolicy,
  naturalGradient,
  naturalGradientByConjugateGradients,
  naturalGradientByLeastSquares,
  type PolicyAt,
  regressionTargets,
} from "./mdp/natural-gradient.js";
export { occupancy, visitsOf } from "./mdp/occupancy.js";
export {
  boltzmannPolicies,
  greedyPolicies,
  lambdaBackup,
  lambdaBackupOfQ,
  nStepBackup,
  nStepBackupOfQ,
  optimalityBackup,
  optimalityBackupOfV,
  policyAverage,
  policyBackup,
  policyBackupOfQ,
  policyQ,
  policyTransitions,
  policyValues,
  qOfSuccessors,
  softValues,
  stateDivergences,
} from "./mdp/operators.js";
export {
  expectedSoftQTargets,
  naivePolicyGradient,
  nStepAdvantages,
  type PolicyGradientParts,
  policyAdvantages,
  policyGradient,
  properPolicyGradient,
  type SoftQGradientParts,
  softQGradient,
  valueGradient,
  visitedPolicyGradient,
} from "./mdp/policy-gradient.js";
export {
  policySampleGradient,
  sampleGap,
  softQSampleGradient,
  valueSampleGradient,
} from "./mdp/sample-gradients.js";
export { type Derivatives, linearQ, linearScores, type QModel, tabularFeatures } from "./mdp/scores.js";
export { requirePolicy, type SoftMdp, validateSoftMdp } from "./mdp/soft-mdp.js";
export {
  type CertifiedValues,
  evaluatePolicy,
  iteratePolicyEvaluation,
  type SoftSolution,
  softPolicyIteration,
  softValueIteration,
  type ValueIterationOptions,
} from "./mdp/solvers.js";
export {
  denseMdp,
  isSparse,
  type Mdp,
  type SparseMdp,
  sparseMdp,
  validateMdp,
  validateSparseMdp,
} from "./mdp/sparse-mdp.js";
export type { SparseSoftMdp, SweepOrder, Sweeps } from "./mdp/sweep.js";
export { plainSweeps, sweepsFrom } from "./mdp/sweeps.js";
export {
  type Estimate,
  reachableStates,
  type Truth,
  type TruthFigures,
  truthOf,
} from "./mdp/truth.js";
export { type BodyOptions, type MlpOptions, minAtarCnn, mlp, natureCnn } from "./nn/body.js";
export {
  type Network,
  type PolicyAndValue,
  type PolicyValueNetwork,
  type PolicyValueNetworkOptions,
  policyValueNetwork,
  type QNetwork,
  type QNetworkOptions,
  qNetwork,
} from "./nn/heads.js";
export { fanInUniform, type Initialiser, ones, orthogonal, uniform, zeros } from "./nn/initialiser.js";
export { channelsFirstInput, scaledInput } from "./nn/input.js";
export {
  type ConvolutionOptions,
  convolution,
  dense,
  flatten,
  hyperbolicTangent,
  type Layer,
  type LayerDefinition,
  rectifier,
  scale,
  sequential,
  silu,
} from "./nn/layer.js";
export { type LayerNormOptions, layerNorm } from "./nn/layer-norm.js";
export {
  builtInNetworks,
  inputSettings,
  type NetworkKind,
  networkBody,
  networkKind,
} from "./nn/network-kind.js";
export { normalisedInput } from "./nn/normalised-input.js";
export { gradientVector, type ParameterSpec, Parameters, type PlacedParameter } from "./nn/parameters.js";
export { type AdamOptions, adam } from "./optim/adam.js";
export { type ClippedGradient, clippedByGlobalNorm } from "./optim/clipping.js";
export { type Descent, type DescentStep, descent } from "./optim/descent.js";
export type { Optimiser, OptimiserState, OptimiserStep } from "./optim/optimiser.js";
export {
  builtInOptimisers,
  type OptimiserKind,
  optimiserKind,
  type StepRule,
  stepRule,
  stepSettings,
} from "./optim/optimiser-kind.js";
export { radam } from "./optim/radam.js";
export { type RmsPropOptions, rmsprop } from "./optim/rmsprop.js";
export { type SgdOptions, sgd } from "./optim/sgd.js";
export type { Buffer } from "./tensor/buffer.js";
export { createCompiledExecutor } from "./tensor/compiled/compiled-executor.js";
export type { Kernel, KernelInstance, KernelMachine } from "./tensor/compiled/kernel.js";
export { encodeKernels } from "./tensor/compiled/kernel-encoding.js";
export { kernelsDigest } from "./tensor/compiled/kernels-digest.js";
export {
  createRelaxedWasmMachine,
  createThreadedRelaxedWasmMachine,
  type RelaxedArithmetic,
  type RelaxedWasm,
  relaxedArithmetic,
} from "./tensor/compiled/relaxed-wasm.js";
export { maxThreads, threadCount } from "./tensor/compiled/thread-count.js";
export {
  createRelaxedWasmExecutor,
  createThreadedRelaxedWasmExecutor,
  createThreadedWasmExecutor,
  createWasmExecutor,
  createWasmExecutorFrom,
  type ThreadedExecutor,
} from "./tensor/compiled/wasm-executor.js";
export { createWasmMachine, createWasmMachineFrom } from "./tensor/compiled/wasm-machine.js";
export type { WasmModule } from "./tensor/compiled/wasm-module.js";
export {
  createThreadedWasmMachine,
  type ThreadedMachine,
  type WasmThreads,
} from "./tensor/compiled/wasm-threads.js";
export type { Executor, LoadedProgram, Session, SharedAccess } from "./tensor/executor.js";
export { gradient } from "./tensor/gradient.js";
export {
  abs,
  add,
  broadcastTo,
  concat,
  constant,
  conv2d,
  div,
  equal,
  exp,
  gather,
  greater,
  greaterEqual,
  input,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  normalise,
  pad,
  relu,
  reshape,
  scatter,
  select,
  slice,
  sqrt,
  square,
  state,
  stopGradient,
  sub,
  sum,
  tanh,
  transpose,
} from "./tensor/operations.js";
export { type Program, type ProgramDefinition, program, type Step } from "./tensor/program.js";
export { createReferenceExecutor } from "./tensor/reference-executor.js";
export { broadcastStrides, rowMajorStrides, type Shape } from "./tensor/shape.js";
export type { Operand, Tensor } from "./tensor/tensor.js";
export { type Formulas, formulas } from "./theory/formulas.js";
export { identities } from "./theory/identities.js";
export type { Identity } from "./theory/identity.js";
export type { Axis, Demonstration, Fact, Series } from "./theory/laboratory/demonstration.js";
export { theoryDemonstrations } from "./theory/laboratory/laboratory.js";
export type { Mutant } from "./theory/mutant.js";
export { mutantFormulas, mutants } from "./theory/mutants.js";
export {
  measureTheorem,
  policyJacobian,
  type TheoremMeasurement,
  type TheoremNetwork,
  type TheoremResidual,
  theoremResidual,
  traceTheorem,
} from "./theory/theorem.js";
export { type GapAtState, gapAtState } from "./theory/theorem-gap-at-state.js";
export {
  type MutantVerification,
  unbrokenIdentities,
  type Verification,
  type VerifyMutantsOptions,
  type VerifyOptions,
  verify,
  verifyMutants,
} from "./theory/verify.js";
