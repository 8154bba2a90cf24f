import {
  type LogPrior,
  type LogProbabilities,
  type QValues,
  qValues,
  type StateValues,
} from "../math/units.js";
import { add, div, gather, mean, mul, square, stopGradient, sub } from "../tensor/operations.js";
import type { Operand, Tensor } from "../tensor/tensor.js";

/** What {@link softQLoss} is a function of. */
export interface SoftQTerms {
  /** [B, A] Q_θ(s_t, ·). */
  readonly q: QValues<Tensor>;
  /** [B] a_t, as integers in [0, A). */
  readonly actions: Tensor;
  /** [B] y_t = τ KL_t + V(s_t) + Δ_t, computed before. */
  readonly targets: QValues<Tensor>;
}

/** mean_t ½ (Q_θ(s_t, a_t) − y_t)² (§3.5). Scalar, units of reward squared. */
export function softQLoss({ q, actions, targets }: SoftQTerms): Tensor {
  return halfMeanSquare(qValues(gather(q, actions)), targets);
}

/** Factors on the gradients that flow into the two streams of Q = V + τ log(π/π̄). The value of Q stays. */
export interface StreamScales<Scale extends Operand = Operand> {
  /** On the advantage stream τ log(π/π̄). */
  readonly policy: Scale;
  /** On the value stream V. */
  readonly value: Scale;
}

/** No rescaling: the gradient of Q as it is. */
export const unscaledStreams: StreamScales<number> = { policy: 1, value: 1 };

/**
 * The rescaling of §6.3: 1/τ on the advantage stream and c (the value weight of A2C) on the value stream, after which
 * soft Q-learning steps as A2C does, in expectation. The paper's text prints 1/γ; only 1/τ reproduces A2C.
 */
export function a2cStreamScales(tau: number, valueWeight: number): StreamScales<number>;
export function a2cStreamScales(tau: Operand, valueWeight: Operand): StreamScales;
export function a2cStreamScales(tau: Operand, valueWeight: Operand): StreamScales {
  return { policy: typeof tau === "number" ? 1 / tau : div(1, tau), value: valueWeight };
}

/** What {@link softQStreamsLoss} is a function of. */
export interface SoftQStreamsTerms {
  /** [B] V_θ(s_t). */
  readonly v: StateValues<Tensor>;
  /** [B, A] log π_θ(·|s_t). */
  readonly logPi: LogProbabilities<Tensor>;
  /** [A] or [B, A] log π̄(·|s_t). */
  readonly logPrior: LogPrior<Tensor>;
  /** [B] a_t, as integers in [0, A). */
  readonly actions: Tensor;
  /** [B] y_t = τ KL_t + V(s_t) + Δ_t, computed before; less `values` where they are given. */
  readonly targets: QValues<Tensor>;
  /**
   * [B] V(s_t) as constants, subtracted from Q_θ as from the targets, which leaves the loss as it is: float32 then keeps
   * the digits of a small Δ beside a large V.
   */
  readonly values?: StateValues<Tensor>;
  readonly tau: Operand;
  readonly scales: StreamScales;
}

/**
 * mean_t ½ (Q_θ(s_t, a_t) − y_t)² for Q_θ = V_θ + τ log(π_θ/π̄) (57), the form of §6.3, its gradient scaled a stream.
 * Scalar, units of reward squared.
 */
export function softQStreamsLoss(terms: SoftQStreamsTerms): Tensor {
  const { v, logPi, logPrior, actions, targets, values, tau, scales } = terms;
  const advantage = mul(tau, gather(sub(logPi, logPrior), actions));
  const q = add(
    scaleGradient(values === undefined ? v : sub(v, values), scales.value),
    scaleGradient(advantage, scales.policy),
  );
  return halfMeanSquare(qValues(q), targets);
}

/** x to the bit, with its gradient multiplied by `factor`. */
export function scaleGradient(x: Tensor, factor: Operand): Tensor {
  const held = stopGradient(x);
  return add(held, mul(factor, sub(x, held)));
}

function halfMeanSquare(q: QValues<Tensor>, targets: QValues<Tensor>): Tensor {
  return mul(0.5, mean(square(sub(q, targets))));
}
