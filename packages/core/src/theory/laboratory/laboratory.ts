import { RandomStreams } from "../../base/random.js";
import { banditIdentity } from "./bandits.js";
import { contraction, lambdaContraction } from "./contraction.js";
import type { Demonstration } from "./demonstration.js";
import { gradientRoutes, naturalGradientStep } from "./gradients.js";
import { coldLimit, fixedPoint, improvement } from "./solving.js";

/**
 * §2 to §5 of the paper, measured exactly in float64 on bandits and random processes. `softrl theory` shows
 * them.
 *
 * @param seed of the random problems; the same seed gives the same numbers.
 */
export function theoryDemonstrations(seed = 0): Demonstration[] {
  const streams = new RandomStreams(seed);
  const random = (name: string) => streams.stream("theory", name);
  return [
    banditIdentity(),
    contraction(random("contraction")),
    lambdaContraction(random("lambda")),
    fixedPoint(random("fixed-point")),
    improvement(random("improvement")),
    coldLimit(random("cold-limit")),
    gradientRoutes(random("gradients")),
    naturalGradientStep(random("natural-gradient")),
  ];
}
