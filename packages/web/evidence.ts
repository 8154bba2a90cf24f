/** The data of the figure "The evidence", from the tables of the experiments. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { differenceInterval, meanInterval, type Random, RandomStreams } from "softrl";
import type { EvidenceInk, EvidenceLine, EvidencePoint, EvidenceTask } from "./src/figures/evidence-data.js";

interface Experiment {
  readonly folder: string;
  /** The folder whose curves it shows, where it has none of its own. */
  readonly source?: string;
  readonly title: string;
  readonly about: string;
  /** The variants that are shown, in order. */
  readonly inks: Readonly<Record<string, EvidenceInk>>;
  /** The policy gradient that the theorem compares soft Q-learning with. */
  readonly compared?: string;
  /** Tasks that are left out. */
  readonly without?: readonly string[];
}

const experiments: readonly Experiment[] = [
  {
    folder: "minatar",
    title: "MinAtar",
    about: "Five games, 5M steps. The naive bonus is not part of the theorem.",
    inks: { "A2C, proper bonus": "pg", "A2C, naive bonus": "pg-dashed", "soft Q-learning": "sq" },
    compared: "A2C, proper bonus",
  },
  {
    folder: "figure-1",
    source: "minatar",
    title: "The paper's figure 1",
    about:
      "On MinAtar, two ways to reward entropy in A2C: the naive bonus counts the visited state alone, the proper one all later states too, as the theorem needs. Over the five games a run with the naive bonus beats one with the proper bonus with probability 0.50 (0.41 to 0.60). On Freeway the proper bonus is slightly better; on Seaquest four of its ten runs live on the bonus alone.",
    inks: { "A2C, naive bonus": "pg-dashed", "A2C, proper bonus": "pg" },
  },
  {
    folder: "figure-3",
    source: "minatar",
    title: "The paper's figure 3",
    about:
      "The paper's claim in practice, on MinAtar: soft Q-learning without a target network, a replay or ε-greedy exploration learns like A2C. Over the five games a run of soft Q-learning beats one of A2C with probability 0.45 (0.34 to 0.57): the two cannot be told apart.",
    inks: { "A2C, proper bonus": "pg", "soft Q-learning": "sq" },
    compared: "A2C, proper bonus",
  },
  {
    folder: "asterix",
    title: "MinAtar, new seeds",
    about:
      "The game on which the two differed, with ten new seeds: the order is reversed. Over all twenty seeds the difference (soft Q-learning minus A2C) is 0.3, with an interval from −2.4 to 3.1, so the first difference was not reproduced.",
    inks: { "A2C, proper bonus": "pg", "soft Q-learning": "sq" },
    compared: "A2C, proper bonus",
  },
  {
    folder: "classic",
    title: "Classic control",
    about:
      "A2C, with the proper bonus, and soft Q-learning end within 1.3 of each other on all five tasks. The natural policy gradient, which measures a step by how much it changes the policy, takes another direction: on MountainCar it is faster, on FrozenLake one run of ten failed.",
    inks: { A2C: "pg", "soft Q-learning": "sq", "natural policy gradient": "third" },
    compared: "A2C",
    without: ["Taxi-v4"],
  },
  {
    folder: "q-learning",
    title: "Q-learning family",
    about:
      "Q-learning that learns from a memory of old steps (DQN), or from many copies of the game at once (PQN). Hard takes the maximum of Q in a backup, soft the soft maximum; Munchausen adds the log-probability of the action to the reward. All 50 runs reach 475 on CartPole and −100 on Acrobot.",
    inks: {
      "soft PQN": "sq",
      PQN: "plain",
      "DQN, hard": "third",
      "DQN, soft-entropy": "fourth",
      "DQN, munchausen": "fifth",
    },
  },
];

const RESAMPLES = 1000;

/** The tasks of all experiments whose tables are below a folder. */
export const evidenceTasks = (folder: string): readonly EvidenceTask[] =>
  experiments.flatMap((experiment) =>
    tasksOf(experiment, join(folder, experiment.source ?? experiment.folder, "curves.csv")),
  );

/** A run's mean returns by steps, in order. */
type Curve = readonly (readonly [step: number, meanReturn: number])[];

/** Of a table of curves: variant, environment, seed, step, meanReturn. */
function tasksOf(experiment: Experiment, path: string): EvidenceTask[] {
  const { folder, source = folder, title, about, inks, compared, without = [] } = experiment;
  const rows = rowsOf(path);
  const environments = [...new Set(rows.map(({ environment }) => environment))].sort();
  return environments
    .filter((environment) => !without.includes(environment))
    .map((environment) => {
      const of = (name: string) =>
        curvesOf(rows.filter((row) => row.environment === environment && row.variant === name));
      const variants = Object.entries(inks).map(([name, ink]) => ({ name, ink, curves: of(name) }));
      const bare = variants.find(({ curves }) => curves.length < 2);
      if (bare !== undefined) throw new Error(`${path}: ${bare.name} on ${environment} has too few runs`);
      const steps = commonSteps(variants.flatMap(({ curves }) => curves));
      const lines = variants.map(({ name, ink, curves }): EvidenceLine => {
        const random = new RandomStreams(0).stream(source, environment, name);
        const points = steps.map((step) => {
          const returns = curves.map((curve) => valueAt(curve, step));
          const { estimate, low, high } = meanInterval(returns, { random, resamples: RESAMPLES });
          return [rounded(estimate), rounded(low), rounded(high)] as const;
        });
        return { name, ink, runs: curves.length, points };
      });
      const returnsOf = (variant: string, step: number) =>
        variants.find(({ name }) => name === variant)?.curves.map((curve) => valueAt(curve, step)) ?? [];
      const differenceAt = (step: number, random: Random): EvidencePoint => {
        const [softQ, policy] = [returnsOf("soft Q-learning", step), returnsOf(compared ?? "", step)];
        const { estimate, low, high } = differenceInterval(softQ, policy, { random, resamples: RESAMPLES });
        return [rounded(estimate), rounded(low), rounded(high)];
      };
      const random = new RandomStreams(0).stream(folder, environment, "difference");
      const difference =
        compared === undefined
          ? null
          : {
              name: `soft Q-learning − ${compared}`,
              points: steps.map((step) => differenceAt(step, random)),
            };
      const name = environment.replace(/^\w+\//, "").replace(/-v\d+$/, "");
      return { id: `${folder}.${name}`, experiment: title, name, about, steps, lines, difference };
    });
}

/** The curves of a variant, one for each seed. */
function curvesOf(rows: readonly Readonly<Record<string, string>>[]): readonly Curve[] {
  const curves = new Map<string, [number, number][]>();
  for (const { seed, step, meanReturn } of rows) {
    const curve = curves.get(seed) ?? [];
    curves.set(seed, curve);
    curve.push([Number(step), Number(meanReturn)]);
  }
  return [...curves.values()].map((curve) => curve.sort(([a], [b]) => a - b));
}

/** The steps of the first curve that all curves reach, and the last that they do. */
function commonSteps(curves: readonly Curve[]): readonly number[] {
  const from = Math.max(...curves.map((curve) => curve[0][0]));
  const to = Math.min(...curves.map((curve) => curve[curve.length - 1][0]));
  return [...curves[0].map(([step]) => step).filter((step) => from <= step && step < to), to];
}

/** The value of a curve at a step between its ends, linear between its points: algorithms log at different steps. */
function valueAt(curve: Curve, step: number): number {
  const after = Math.max(
    1,
    curve.findIndex(([at]) => at >= step),
  );
  const [[x0, y0], [x1, y1]] = [curve[after - 1], curve[after]];
  return y0 + ((step - x0) / (x1 - x0)) * (y1 - y0);
}

const rounded = (value: number): number => Number(value.toPrecision(4));

/** The rows of a table whose quoted cells have no line breaks. */
function rowsOf(path: string): readonly Readonly<Record<string, string>>[] {
  const [header, ...lines] = readFileSync(path, "utf8").trim().split("\n").map(cellsOf);
  return lines.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i]])));
}

const cellsOf = (line: string): string[] =>
  Array.from(line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g), ([, quoted, plain]) => quoted ?? plain);
