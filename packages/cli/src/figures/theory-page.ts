import { type Demonstration, identities, type Series } from "softrl";
import { figureSvg } from "./figure.js";
import { measuredInShort, PAGE_TITLE, requirement } from "./theory-words.js";

/** Millimetres: a column of many papers. */
const COLUMN = 85;

/** Files by name: a figure and its numbers for each demonstration of a seed, and the page that shows them. @param width of the figures, in millimetres */
export function theoryFiles(
  demonstrations: readonly Demonstration[],
  seed: number,
  width = COLUMN,
): Map<string, string> {
  const files = new Map<string, string>();
  for (const demonstration of demonstrations) {
    files.set(`${demonstration.name}.svg`, demonstrationSvg(demonstration, width));
    files.set(`${demonstration.name}.csv`, numbersCsv(demonstration.series));
  }
  files.set("README.md", page(demonstrations, seed));
  return files;
}

/** Draws a demonstration as an SVG figure. */
export function demonstrationSvg(demonstration: Demonstration, width = COLUMN): string {
  const { title, equation, x, y } = demonstration;
  const kinds = { measured: "line", theory: "reference", cloud: "dots" } as const;
  const series = demonstration.series.map(({ name, kind, points }) => ({ name, kind: kinds[kind], points }));
  return figureSvg({ title, subtitle: equation, x, y, series }, width);
}

function numbersCsv(series: readonly Series[]): string {
  const digits = (value: number) => String(Number(value.toPrecision(6)));
  const lines = series.flatMap(({ name, points }) =>
    points.map(([x, y]) => `${JSON.stringify(name)},${digits(x)},${digits(y)}`),
  );
  return `${["series,x,y", ...lines].join("\n")}\n`;
}

function page(demonstrations: readonly Demonstration[], seed: number): string {
  const slow = identities.filter((identity) => identity.slow).length;
  return `${PAGE_TITLE}
This page shows the theory of the paper in ${demonstrations.length} figures. All numbers are exact up to float64 rounding: the problems are
so small that nothing has to be sampled or trained. You need to know what a gradient is, but nothing about
reinforcement learning. docs/paper.md in the repository of softrl lists the function that implements each equation.

\`\`\`sh
npx softrl theory                              # prints the table of facts, in about a second
npx softrl theory --out experiments/theory     # writes this page with its figures and numbers; --width 170 for a page's width
\`\`\`

## Notation

An agent observes a **state** s, chooses an **action** a, and receives a **reward** r. A **policy** π gives the
probability of each action in each state. Rewards that come one step later are discounted by the factor γ < 1.

- V(s) is the value of a state: the expected sum of the discounted rewards that follow it. Q(s, a) is the value of an
  action a in state s. Subscripts name the policy, as in V_π; a star marks the best policy π* and its values.
- π̄ is the reference policy. The divergence KL[π‖π̄] measures how much π differs from it, and is zero if the two are
  equal. The **temperature** τ is its price: τ KL[π‖π̄] is subtracted from the reward.
- θ are the parameters of a policy or of Q, which learning changes, and ∇ is the gradient with respect to θ.
- E_π[…] is the expectation over the actions of π. ‖…‖∞ is the largest absolute value of an entry.

${demonstrations.map(section).join("\n")}
All problems are drawn from a seed (\`--seed\`, ${seed} on this page), and the same seed gives the same page. *rounding* means that
the measured number is zero in theory and below 1e-10 here. \`npx softrl verify\` measures ${identities.length} identities in the same way:
${identities.length - slow} with 50 seeds each, and ${slow} on the Nature CNN with one seed. \`npx softrl verify --mutants\` shows that each of them
fails when the mathematics is wrong.
`;
}

function section({ name, title, section: where, equation, prose, facts }: Demonstration): string {
  const rows = facts.map(
    (fact) => `| ${fact.what.replaceAll("|", "\\|")} | ${measuredInShort(fact)} | ${requirement(fact)} |`,
  );
  return `## ${title}

\`\`\`text
${equation}
\`\`\`

In the paper: ${where}.

![${title}](${name}.svg)

${prose.join("\n\n")}

| | measured | must be |
| --- | --- | --- |
${rows.join("\n")}

Numbers: [${name}.csv](${name}.csv).
`;
}
