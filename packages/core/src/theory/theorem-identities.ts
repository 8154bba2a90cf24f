import type { Random } from "../base/random.js";
import { a2cStreamScales, unscaledStreams } from "../losses/soft-q.js";
import { exp } from "../math/logspace.js";
import { largest, relative } from "../mdp/residual.js";
import { priors, temperatures } from "./cases.js";
import type { Formulas } from "./formulas.js";
import type { Identity } from "./identity.js";
import { policyJacobian, type TheoremResidual, theoremResidual } from "./theorem.js";
import {
  drawnTheorem,
  enumeratedActions,
  mlpCase,
  mlpStreamsCase,
  natureCnnCase,
  natureCnnStreamsCase,
  type TheoremCase,
  tabularCase,
} from "./theorem-cases.js";

/** The value weight c of §6.3. */
const valueWeight = 0.5;

/** One setting for a network. */
interface Trial {
  readonly tau: number;
  readonly n: number;
  readonly measure: "uniform" | "counting" | "random";
}

type Trials = (random: Random) => readonly Trial[];

const measures = ["uniform", "counting", "random"] as const;
/**
 * Every combination of temperature and reference measure, with a random n: over the seeds, each occurs with
 * each.
 */
const everyTrial: Trials = (random) =>
  temperatures.flatMap((tau) => measures.map((measure) => ({ tau, n: 1 + random.integer(3), measure })));

const gapMeasured = remembered(gapResidual);

/** The theorem of §4 and its rescaled form of §6.3, measured on traced gradients. */
export const theoremIdentities: readonly Identity[] = [
  ...theoremOf(tabularCase, everyTrial),
  ...theoremOf(mlpCase, everyTrial),
  ...theoremOf(mlpStreamsCase, everyTrial),
  ...theoremOf(mlpStreamsCase, everyTrial, valueWeight),
  ...theoremOf(natureCnnCase, () => [
    { tau: 0.05, n: 3, measure: "random" },
    { tau: 1.7, n: 1, measure: "uniform" },
  ]),
  ...theoremOf(
    natureCnnStreamsCase,
    () => [
      { tau: 0.3, n: 2, measure: "counting" },
      { tau: 0.05, n: 3, measure: "random" },
    ],
    valueWeight,
  ),
  {
    identity: "the gap's traced gradient is τ²[∇log π(a)(ℓ − KL) − ∇KL] + τ(ℓ − KL)∇V",
    equation: "§4",
    bound: 1e-12,
    cases: "the gap",
    residual: (formulas, random) => gapMeasured(formulas, random).closedForm,
  },
  {
    identity: "the gap has zero mean under π_θ",
    equation: "§4",
    bound: 1e-12,
    cases: "the gap",
    residual: (formulas, random) => gapMeasured(formulas, random).mean,
  },
];

/** The two identities of one network: per sample, with the gap, and in expectation, without it. */
function theoremOf(subject: TheoremCase, trials: Trials, weight?: number): Identity[] {
  const equation = weight === undefined ? "§4" : "§6.3";
  const form = weight === undefined ? "τ ∇PG + ∇value" : "∇A2C";
  const source = weight === undefined ? "∇soft-Q" : "∇soft-Q, streams scaled by 1/τ and c,";
  const shared = { equation, bound: 1e-12, slow: subject.slow, cases: `${source} ${subject.name}` };
  const measured = remembered((formulas, random) => measure(subject, trials, weight, formulas, random));
  return [
    {
      identity: `${source} = ${form} + gap, per sample: ${subject.name}`,
      ...shared,
      residual: (formulas, random) => measured(formulas, random).perSample,
    },
    {
      identity: `E ${source} = E ${form}: ${subject.name}`,
      ...shared,
      residual: (formulas, random) => measured(formulas, random).expected,
    },
  ];
}

/** Caches the results, for two identities that are measured on the same cases. */
function remembered<Result>(
  measurement: (formulas: Formulas, random: Random) => Result,
): (formulas: Formulas, random: Random) => Result {
  const results = new Map<string, Result>();
  let of: Formulas | undefined;
  return (formulas, random) => {
    if (of !== formulas) results.clear();
    of = formulas;
    const cases = random.save().join();
    const result = results.get(cases) ?? measurement(formulas, random);
    results.set(cases, result);
    return result;
  };
}

/** The largest residuals over all settings. */
function measure(
  subject: TheoremCase,
  trials: Trials,
  weight: number | undefined,
  formulas: Formulas,
  random: Random,
): TheoremResidual {
  const worst = { perSample: 0, expected: 0 };
  const rescaling = weight === undefined ? {} : { valueWeight: weight };
  trials(random).forEach(({ tau, n, measure }, shift) => {
    const theorem = drawnTheorem(subject, { tau, formulas, ...rescaling }, random);
    const logPrior = priors(random, subject.network.actions)[measures.indexOf(measure)];
    const actions = enumeratedActions(subject, theorem, formulas, { logPrior, tau, n, shift }, random);
    const { perSample, expected } = theoremResidual(theorem, actions, tau);
    worst.perSample = Math.max(worst.perSample, perSample);
    worst.expected = Math.max(worst.expected, expected);
  });
  return worst;
}

/**
 * Compares the traced gradient of the gap with the closed form, computed from separately traced ∇log π(b) and
 * ∇V, and its mean over actions with zero.
 */
function gapResidual(formulas: Formulas, random: Random): { closedForm: number; mean: number } {
  const worst = { closedForm: 0, mean: 0 };
  for (const subject of [tabularCase, mlpStreamsCase]) {
    for (const tau of temperatures) {
      for (const rescaled of [false, true]) {
        const scales = rescaled ? a2cStreamScales(tau, valueWeight) : unscaledStreams;
        const theorem = drawnTheorem(
          subject,
          { tau, formulas, ...(rescaled ? { valueWeight } : {}) },
          random,
        );
        for (const logPrior of priors(random, subject.network.actions)) {
          const observation = subject.observation(random);
          const { logPi } = theorem.state(observation, logPrior);
          const { theta } = theorem;
          const jacobian = policyJacobian(subject.network, theta, observation, logPrior, tau, formulas);
          const pi = logPi.map((logP) => exp(logP));
          const surprise = logPi.map((logP, a) => logP - logPrior[a]);
          const kl = pi.reduce((total, p, a) => total + p * surprise[a], 0);
          const gradKl = Float64Array.from(theta, (_, i) =>
            pi.reduce((total, p, b) => total + p * surprise[b] * jacobian.logPi[b][i], 0),
          );
          const mean = new Float64Array(theta.length);
          // The gap of a likely action is almost zero, so all actions of a state share the scale of the
          // largest gap.
          let scale = 0;
          let difference = 0;
          pi.forEach((p, action) => {
            const targets = { advantage: 0, valueTarget: 0, softQTarget: 0 };
            const { gap } = theorem.gradients({ observation, action, ...targets }, logPrior);
            const excess = surprise[action] - kl;
            const closedForm = gap.map(
              (_, i) =>
                scales.policy * tau ** 2 * (excess * jacobian.logPi[action][i] - gradKl[i]) +
                scales.value * tau * excess * jacobian.v[i],
            );
            gap.forEach((x, i) => {
              difference = Math.max(difference, Math.abs(x - closedForm[i]));
            });
            gap.forEach((x, i) => {
              mean[i] += p * x;
            });
            scale = Math.max(scale, largest(gap));
          });
          worst.closedForm = Math.max(worst.closedForm, relative(difference, scale));
          worst.mean = Math.max(worst.mean, relative(largest(mean), scale));
        }
      }
    }
  }
  return worst;
}
