import { describeValue, fail } from "../base/errors.js";
import {
  type Logits,
  type LogProbabilities,
  logits,
  logProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import { logSoftmax, reshape } from "../tensor/operations.js";
import type { Shape } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { orthogonal } from "./initialiser.js";
import { dense, type Layer, type LayerDefinition } from "./layer.js";
import { type ParameterSpec, Parameters } from "./parameters.js";

/** log π_θ and V_θ of a batch. */
export interface PolicyAndValue {
  /** [B, A] */
  readonly logPi: LogProbabilities<Tensor>;
  /** [B] */
  readonly v: StateValues<Tensor>;
}

/** A network with a policy head and a value head: the actor and critic of A2C, the two streams of Q = V + τ log π. */
export interface PolicyValueNetwork {
  readonly observationShape: Shape;
  /** A */
  readonly actions: number;
  readonly parameters: Parameters;
  /** @param observations [B, ...observationShape]; @param views the parameters, from `parameters.views(θ)` */
  apply(observations: Tensor, views: readonly Tensor[]): PolicyAndValue;
}

/** A network with one output per action. */
export interface QNetwork {
  readonly observationShape: Shape;
  readonly actions: number;
  readonly parameters: Parameters;
  /** Q_θ(s,·) [B, A] */
  apply(observations: Tensor, views: readonly Tensor[]): QValues<Tensor>;
}

export interface PolicyValueNetworkOptions {
  /**
   * `"shared"`, the default: both heads read one body. `"separate"`: the policy and the value have a body each, with
   * parameters of their own.
   */
  readonly bodies?: "shared" | "separate";
}

/**
 * A body with two linear heads: logits (orthogonal, gain 0.01, so that the first policy is nearly uniform) and value
 * (gain 1).
 *
 * θ holds `body`, `policy`, `value`, or with separate bodies `policy.body`, `policy.head`, `value.body`, `value.head`.
 *
 * @param body for example `mlp([64, 64])` or `natureCnn()`
 */
export function policyValueNetwork(
  body: LayerDefinition,
  observationShape: Shape,
  actions: number,
  { bodies = "shared" }: PolicyValueNetworkOptions = {},
): PolicyValueNetwork {
  const trunk = body(observationShape);
  const policy = dense(actions, orthogonal(0.01))(trunk.outputShape);
  const value = dense(1, orthogonal(1))(trunk.outputShape);
  const sizes = { observationShape, actions };
  switch (bodies) {
    case "shared":
      return {
        ...sizes,
        parameters: new Parameters([
          ...named("body", trunk),
          ...named("policy", policy),
          ...named("value", value),
        ]),
        apply(observations, views) {
          const [ofBody, ofPolicy, ofValue] = divide(views, [trunk, policy, value]);
          const features = trunk.apply(observations, ofBody);
          return policyAndValue(policy.apply(features, ofPolicy), value.apply(features, ofValue));
        },
      };
    case "separate":
      return {
        ...sizes,
        parameters: new Parameters([
          ...named("policy.body", trunk),
          ...named("policy.head", policy),
          ...named("value.body", trunk),
          ...named("value.head", value),
        ]),
        apply(observations, views) {
          const [policyBody, policyHead, valueBody, valueHead] = divide(views, [trunk, policy, trunk, value]);
          return policyAndValue(
            policy.apply(trunk.apply(observations, policyBody), policyHead),
            value.apply(trunk.apply(observations, valueBody), valueHead),
          );
        },
      };
    default:
      return fail("policyValueNetwork", "bodies is not valid", {
        expected: '"shared" or "separate"',
        got: describeValue(bodies),
      });
  }
}

/** @param preferences the logits [B, A]; @param v [B, 1] */
function policyAndValue(preferences: Tensor, v: Tensor): PolicyAndValue {
  const z: Logits<Tensor> = logits(preferences);
  return { logPi: logProbabilities(logSoftmax(z)), v: stateValues(reshape(v, [v.size])) };
}

/** A body and a linear head whose A outputs are Q-values (orthogonal, gain 1). */
export function qNetwork(body: LayerDefinition, observationShape: Shape, actions: number): QNetwork {
  const trunk = body(observationShape);
  const head = dense(actions, orthogonal(1))(trunk.outputShape);
  const parameters = new Parameters([...named("body", trunk), ...named("q", head)]);
  return {
    observationShape,
    actions,
    parameters,
    apply(observations, views) {
      const [bodyViews, headViews] = divide(views, [trunk, head]);
      return qValues(head.apply(trunk.apply(observations, bodyViews), headViews));
    },
  };
}

function named(prefix: string, layer: Layer): ParameterSpec[] {
  return layer.parameters.map((spec) => ({ ...spec, name: `${prefix}.${spec.name}` }));
}

/** The views of each layer, in order. */
function divide(views: readonly Tensor[], layers: readonly Layer[]): Tensor[][] {
  let next = 0;
  return layers.map((layer) => {
    const own = views.slice(next, next + layer.parameters.length);
    next += own.length;
    return own;
  });
}

/**
 * Two copies of a network in one θ, the actor and the critic: the policy of the first, the value of the second.
 * Parameters are named `actor.…` and `critic.…`.
 */
export function actorAndCritic(network: PolicyValueNetwork): PolicyValueNetwork {
  const { entries } = network.parameters;
  const prefixed = (copy: string) => entries.map((spec) => ({ ...spec, name: `${copy}.${spec.name}` }));
  return {
    ...network,
    parameters: new Parameters([...prefixed("actor"), ...prefixed("critic")]),
    apply: (observations, views) => ({
      logPi: network.apply(observations, views.slice(0, entries.length)).logPi,
      v: network.apply(observations, views.slice(entries.length)).v,
    }),
  };
}
