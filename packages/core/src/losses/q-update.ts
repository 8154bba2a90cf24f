import { type LogPrior, logPrior } from "../math/units.js";
import type { QNetwork } from "../nn/heads.js";
import { add, constant, gather, input, mean } from "../tensor/operations.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Backup, bootstrapValue, munchausenBonus, qLearningLoss, qTargets } from "./q-learning.js";

/** What an update of a Q-network is traced from. */
export interface QUpdate {
  readonly backup: Backup;
  /** Whether the online network chooses the action or the policy of the bootstrap. */
  readonly double: boolean;
  readonly measure: "squared" | "huber";
  /** Whether each sample has a weight. */
  readonly weighted: boolean;
  /** log π̄ [A] of the soft-kl backup. */
  readonly logPrior: LogPrior;
  /** α and l₀ of the Munchausen backup. */
  readonly munchausenWeight: number;
  readonly munchausenFloor: number;
}

/** The loss of an update, and what else it computes. */
export interface TracedQUpdate {
  readonly loss: Tensor;
  /** [B] δ. */
  readonly errors: Tensor;
  /** Mean Q_θ(s_t, a_t). */
  readonly q: Tensor;
}

/** The formulas that an update is made of. */
export interface QUpdateFormulas {
  readonly bootstrapValue: typeof bootstrapValue;
  readonly munchausenBonus: typeof munchausenBonus;
  readonly qTargets: typeof qTargets;
  readonly qLearningLoss: typeof qLearningLoss;
}

/**
 * Traces the loss of one update for B transitions. Its inputs are `observations`, `nextObservations`, `actions`, `returns`
 * and `discounts`, `weights` if weighted, and `tau` unless the backup is hard.
 *
 * @param views of θ; @param targetViews of the target network's parameters
 * @param formulas those of losses/q-learning; `verify` replaces some
 */
export function traceQUpdate(
  network: QNetwork,
  batch: number,
  views: readonly Tensor[],
  targetViews: readonly Tensor[],
  update: QUpdate,
  formulas: QUpdateFormulas = { bootstrapValue, munchausenBonus, qTargets, qLearningLoss },
): TracedQUpdate {
  const rows = [batch, ...network.observationShape];
  const observations = input("observations", rows);
  const nextObservations = input("nextObservations", rows);
  const actions = input("actions", [batch]);
  const { backup } = update;
  const tau = backup === "hard" ? 0 : input("tau", []);
  const values = formulas.bootstrapValue({
    backup,
    targetQ: network.apply(nextObservations, targetViews),
    ...(update.double ? { onlineQ: network.apply(nextObservations, views) } : {}),
    logPrior: logPrior(constant(update.logPrior)),
    tau,
  });
  let returns = input("returns", [batch]);
  if (backup === "munchausen") {
    const targetQ = network.apply(observations, targetViews);
    const { munchausenWeight: weight, munchausenFloor: floor } = update;
    returns = add(returns, formulas.munchausenBonus({ targetQ, actions, tau, weight, floor }));
  }
  const q = network.apply(observations, views);
  const { loss, errors } = formulas.qLearningLoss({
    q,
    actions,
    targets: formulas.qTargets(returns, input("discounts", [batch]), values),
    ...(update.weighted ? { weights: input("weights", [batch]) } : {}),
    measure: update.measure,
  });
  return { loss, errors, q: mean(gather(q, actions)) };
}
