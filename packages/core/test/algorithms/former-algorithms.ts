import {
  add,
  gather,
  klToPrior,
  mean,
  mul,
  neg,
  onPolicyAlgorithm,
  onPolicySettings,
  qValues,
  softQTargetsInto,
  square,
  stateValues,
  stopGradient,
  sub,
  type Tensor,
  valueTargetsInto,
} from "softrl";

/** The τ and the c that these algorithms are traced with; their settings must have the same. */
export const formerCoefficients = { tau: 0.001, valueCoefficient: 0.5 };

const { tau, valueCoefficient } = formerCoefficients;

const scaled = (x: Tensor, factor: number) => {
  const held = stopGradient(x);
  return add(held, mul(factor, sub(x, held)));
};

/** Soft Q-learning of commit 8158d84: τ and c are constants of the trace, and y = τ KL + V + Δ is rounded as a whole. */
export const formerSoftQ = onPolicyAlgorithm({
  name: "former-soft-q",
  title: "former soft Q-learning",
  about: "soft Q-learning as of commit 8158d84",
  settings: onPolicySettings,
  targets(rollout, advantages, { tau }, targets) {
    softQTargetsInto(rollout.kl, tau, rollout.values, advantages, qValues(targets));
  },
  loss({ v, logPi, logPrior, actions, targets }) {
    const advantage = mul(tau, gather(sub(logPi, logPrior), actions));
    const q = add(scaled(v, valueCoefficient), scaled(advantage, 1 / tau));
    return { loss: mul(0.5, mean(square(sub(q, targets)))), figures: {} };
  },
});

/** A2C of commit 8158d84: τ and c are constants of the trace. */
export const formerA2c = onPolicyAlgorithm({
  name: "former-a2c",
  title: "former A2C",
  about: "A2C as of commit 8158d84",
  settings: onPolicySettings,
  targets(rollout, advantages, _settings, targets) {
    valueTargetsInto(rollout.values, advantages, stateValues(targets));
  },
  loss({ v, logPi, logPrior, actions, advantages, targets }) {
    const surrogate = neg(mean(mul(gather(logPi, actions), advantages)));
    const policyLoss = add(surrogate, mul(tau, mean(klToPrior(logPi, logPrior))));
    const fit = mul(0.5, mean(square(sub(v, targets))));
    return { loss: add(policyLoss, mul(valueCoefficient, fit)), figures: {} };
  },
});
