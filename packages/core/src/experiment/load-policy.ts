import {
  hasQOutput,
  NetworkPolicy,
  networkShapes,
  type Policy,
  type PolicyForm,
  parametersFrom,
} from "../algorithms/policy.js";
import { policyOfQ, type QPolicyOutputs } from "../algorithms/q-policy.js";
import { describeValue, fail } from "../base/errors.js";
import { RandomStreams } from "../base/random.js";
import { isRecord } from "../base/record.js";
import { type Snapshot, snapshotSection } from "../base/snapshot.js";
import {
  actorAndCritic,
  type Network,
  type PolicyAndValue,
  type PolicyValueNetwork,
  policyValueNetwork,
  qNetwork,
} from "../nn/heads.js";
import type { LayerDefinition } from "../nn/layer.js";
import { builtInNetworks, type NetworkKind } from "../nn/network-kind.js";
import type { Executor } from "../tensor/executor.js";
import { input, state } from "../tensor/operations.js";
import { program } from "../tensor/program.js";
import type { Shape } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { bodyOf } from "./make-body.js";
import { readRunSnapshot, savedConfig, savedPolicy, versionFault } from "./run-checkpoint.js";

/** How a policy is loaded. */
export interface LoadPolicyOptions {
  /** What an error names, for instance the file. */
  readonly where?: string;
  /** The networks to look for the checkpoint's in; the built-in ones if left out. */
  readonly networks?: readonly NetworkKind[];
  /** Observations evaluated at once; more are evaluated in chunks. 1 if left out. */
  readonly rows?: number;
  /** The seed of the actions that are drawn. 0 if left out. */
  readonly seed?: number;
}

/**
 * The policy of a training run, from the bytes of its checkpoint: no environment, no algorithm.
 *
 * ```ts
 * const policy = loadPolicy(bytes, await createWasmExecutor());
 * policy.act(observation, actions, "mode");
 * ```
 * @throws SoftrlError when the bytes are not a checkpoint, or its network or its policy is not a known one.
 */
export function loadPolicy(
  bytes: Uint8Array,
  executor: Executor,
  options: LoadPolicyOptions = {},
): NetworkPolicy {
  const { where = "loadPolicy" } = options;
  if (!(bytes instanceof Uint8Array)) {
    fail(where, "bytes is not an array of bytes", {
      expected: "the contents of a checkpoint file, a Uint8Array",
      got: typeof bytes,
    });
  }
  if (typeof executor?.load !== "function") {
    fail(where, "executor is not an executor", {
      expected: "an executor such as await createWasmExecutor()",
    });
  }
  const snapshot = readRunSnapshot(where, bytes);
  try {
    return policyOf(snapshot, executor, options);
  } catch (error) {
    throw versionFault(where, snapshot, error);
  }
}

/** {@link loadPolicy} from a decoded checkpoint. */
export function policyOf(
  snapshot: Snapshot,
  executor: Executor,
  options: LoadPolicyOptions = {},
): NetworkPolicy {
  const { rows = 1, seed = 0 } = options;
  const { outputs, theta, values, form, ...traced } = tracePolicy(snapshot, options);
  const session = executor.load({
    act: program({ outputs: { logPi: outputs.logPi } }),
    evaluate: program({ outputs: { ...outputs } }),
  });
  session.state(theta).set(values);
  return new NetworkPolicy({
    ...traced,
    program: session.programs.evaluate,
    acting: session.programs.act,
    theta: session.state(theta),
    rows,
    random: new RandomStreams(seed).stream("evaluation"),
    form: () => form,
  });
}

/** A saved policy as symbolic tensors, and the parameters that it was saved with. */
export interface TracedPolicy extends Pick<Policy, "observationSpace" | "actionSpace"> {
  readonly form: PolicyForm;
  readonly network: Network;
  /** Functions of the input `observations` [rows, ...] and of θ; Q where it is the network's output. */
  readonly outputs: PolicyAndValue & Partial<QPolicyOutputs>;
  /** The state θ [P]. */
  readonly theta: Tensor;
  /** The parameters as tensors of their shapes, in the order of `network.parameters.entries`. */
  readonly views: readonly Tensor[];
  /** What θ was saved as. */
  readonly values: Float64Array;
}

/**
 * Traces the policy of a decoded checkpoint, for an executor of another kind: one that writes the computation down.
 * @throws SoftrlError when its network or its policy is not a known one.
 */
export function tracePolicy(snapshot: Snapshot, options: LoadPolicyOptions = {}): TracedPolicy {
  const { where = "loadPolicy", networks = builtInNetworks, rows = 1 } = options;
  const { form, ...spaces } = savedPolicy(where, snapshot);
  if (form === null) {
    return fail(where, "the checkpoint's policy can only be made by its algorithm", {
      remedy: "load it with the algorithm that learned it",
    });
  }
  const { name, settings } = savedNetwork(where, snapshot);
  const kind = networks.find((network) => network.name === name);
  if (kind === undefined) {
    return fail(where, "the checkpoint's network is not among the given ones", {
      expected: networks.map((network) => network.name).join(", "),
      got: describeValue(name),
      remedy: "pass it in options.networks",
    });
  }
  const { observationShape, actions } = networkShapes(spaces);
  const body = bodyOf(kind, settings, spaces.observationSpace, `${where}: network`);
  const network = networkOf(form, body, observationShape, actions);
  const theta = state("theta", [network.parameters.size]);
  const views = network.parameters.views(theta);
  const outputs = network.apply(input("observations", [rows, ...observationShape]), views);
  const values = parametersFrom(where, network, snapshotSection(where, snapshot, "parameters"));
  return { ...spaces, form, network, outputs, theta, views, values };
}

/** The network of a policy's form, with its heads. */
function networkOf(
  { bodies, tau, logPrior: prior }: PolicyForm,
  body: LayerDefinition,
  observationShape: Shape,
  actions: number,
): PolicyValueNetwork {
  if (hasQOutput(bodies)) {
    const network = qNetwork(body, observationShape, actions, { dueling: bodies === "dueling-q" });
    return { ...network, apply: (...inputs) => policyOfQ(network.apply(...inputs), prior, tau ?? 0) };
  }
  const arrangement = bodies === "separate" ? "separate" : "shared";
  const heads = policyValueNetwork(body, observationShape, actions, { bodies: arrangement });
  return bodies === "two-networks" ? actorAndCritic(heads) : heads;
}

function savedNetwork(
  where: string,
  snapshot: Snapshot,
): { readonly name: unknown; readonly settings: Readonly<Record<string, unknown>> } {
  const config = savedConfig(where, snapshot);
  const network = isRecord(config) ? config.network : undefined;
  if (!isRecord(network)) return fail(where, "the checkpoint's configuration has no network");
  const { name, ...settings } = network;
  return { name, settings };
}
