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
import { add, logSoftmax, mean, reshape, sub } from "../tensor/operations.js";
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

/** What every network has. */
export interface Network {
  readonly observationShape: Shape;
  /** A */
  readonly actions: number;
  readonly parameters: Parameters;
}

/** A network with a policy head and a value head: the actor and critic of A2C, the two streams of Q = V + τ log π. */
export interface PolicyValueNetwork extends Network {
  /** @param observations [B, ...observationShape]; @param views the parameters, from `parameters.views(θ)` */
  apply(observations: Tensor, views: readonly Tensor[]): PolicyAndValue;
}

/** A network with one output per action. */
export interface QNetwork extends Network {
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

export interface QNetworkOptions {
  /** Whether Q = V + (A − mean A), from a head for V and one for A (Wang et al. 2016); false if left out. */
  readonly dueling?: boolean;
}

/**
 * A body and a linear head whose A outputs are Q-values (orthogonal, gain 1). θ holds `body` and `q`.
 *
 * Dueling: a linear head for the value and one for the advantages, both on the same body, whose mean is subtracted. θ
 * holds `body`, `value` and `advantage`. Wang et al. have a hidden layer of its own in each stream.
 */
export function qNetwork(
  body: LayerDefinition,
  observationShape: Shape,
  actions: number,
  { dueling = false }: QNetworkOptions = {},
): QNetwork {
  const trunk = body(observationShape);
  const head = dense(actions, orthogonal(1))(trunk.outputShape);
  const sizes = { observationShape, actions };
  if (!dueling) {
    return {
      ...sizes,
      parameters: new Parameters([...named("body", trunk), ...named("q", head)]),
      apply(observations, views) {
        const [ofBody, ofHead] = divide(views, [trunk, head]);
        return qValues(head.apply(trunk.apply(observations, ofBody), ofHead));
      },
    };
  }
  const value = dense(1, orthogonal(1))(trunk.outputShape);
  return {
    ...sizes,
    parameters: new Parameters([
      ...named("body", trunk),
      ...named("value", value),
      ...named("advantage", head),
    ]),
    apply(observations, views) {
      const [ofBody, ofValue, ofHead] = divide(views, [trunk, value, head]);
      const features = trunk.apply(observations, ofBody);
      const advantages = head.apply(features, ofHead);
      const centred = sub(advantages, mean(advantages, -1, true));
      return qValues(add(value.apply(features, ofValue), centred));
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
