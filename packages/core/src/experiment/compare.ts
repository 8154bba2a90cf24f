import { type Verification, verify } from "../exact/verify.js";
import { type Host, iterateTogether } from "./train.js";
import type { LearningCurve, Trainer, TrainResult } from "./trainer.js";

/** What a comparison came to. */
export interface Comparison {
  /** In the trainers' order. */
  readonly faces: readonly (TrainResult & { readonly curve: LearningCurve })[];
  /** The theorem on traced gradients in float64: the identity in expectation over actions (§4, §6.3) that holds least well. */
  readonly theorem: Verification;
  readonly interrupted: boolean;
}

/**
 * Trains runs side by side, an iteration of each in turn, so that their curves grow together, and measures the
 * theorem that says why they should look alike.
 */
export async function compare(trainers: readonly Trainer[], host: Host): Promise<Comparison> {
  for (const trainer of trainers) await trainer.start();
  await iterateTogether(trainers, host);
  const faces = [];
  for (const trainer of trainers) faces.push({ ...(await trainer.finish()), curve: trainer.curve });
  return { faces, theorem: await measuredTheorem(), interrupted: faces.some((face) => face.interrupted) };
}

/** The worst of the theorem's identities in expectation over actions that take milliseconds. */
async function measuredTheorem(): Promise<Verification> {
  const identities = (await verify({ fast: true })).filter(({ identity }) =>
    identity.startsWith("E ∇soft-Q"),
  );
  // NaN is worse than any number.
  return identities.reduce((worst, next) =>
    next.residual / next.bound <= worst.residual / worst.bound ? worst : next,
  );
}
