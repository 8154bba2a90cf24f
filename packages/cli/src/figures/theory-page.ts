import type { Demonstration, Fact, Series } from "softrl";
import { figureSvg } from "./figure.js";

/** Below it a number that should be zero is what float64 rounds; its digits say nothing. */
const ROUNDING = 1e-10;

/** How the page begins, by which it is known again. */
export const PAGE_TITLE = "# The theory, measured\n";

/** Files by name: a figure and its numbers for each demonstration of a seed, and the page that shows them. */
export function theoryFiles(demonstrations: readonly Demonstration[], seed: number): Map<string, string> {
  const files = new Map<string, string>();
  for (const demonstration of demonstrations) {
    files.set(`${demonstration.name}.svg`, demonstrationSvg(demonstration));
    files.set(`${demonstration.name}.csv`, numbersCsv(demonstration.series));
  }
  files.set("README.md", page(demonstrations, seed));
  return files;
}

/** A demonstration as a figure. */
export function demonstrationSvg({ title, equation, x, y, series }: Demonstration): string {
  const kinds = { measured: "line", theory: "reference", cloud: "dots" } as const;
  return figureSvg({
    title,
    subtitle: equation,
    x,
    y,
    series: series.map(({ name, kind, points }) => ({ name, kind: kinds[kind], points })),
  });
}

/** What was measured, in few digits; "rounding" for what is zero but for float64. */
export function measuredInShort({ measured }: Fact): string {
  if (measured !== 0 && Math.abs(measured) < ROUNDING) return "rounding";
  return String(Number(measured.toPrecision(4)));
}

/** `≤ 1e-12`, `≈ 1 ± 0.05` */
export function requirement({ relation, bound, tolerance }: Fact): string {
  return `${relation} ${bound}${tolerance > 0 ? ` ± ${tolerance}` : ""}`;
}

function numbersCsv(series: readonly Series[]): string {
  const digits = (value: number) => String(Number(value.toPrecision(6)));
  const lines = series.flatMap(({ name, points }) =>
    points.map(([x, y]) => `${JSON.stringify(name)},${digits(x)},${digits(y)}`),
  );
  return `${["series,x,y", ...lines].join("\n")}\n`;
}

function page(demonstrations: readonly Demonstration[], seed: number): string {
  return `${PAGE_TITLE}
The paper's theory in ${demonstrations.length} pictures: exact numbers in float64, on problems small enough that nothing has to be sampled or
trained. Whoever has never trained a network can read this page from top to bottom;
docs/paper.md of softrl has the function behind each equation.

\`\`\`sh
npx softrl theory                              # the table of what must hold, in a second
npx softrl theory --out experiments/theory     # this page, its figures and their numbers
\`\`\`

The words: a **state** s is where one is, an **action** a what one does there, a **reward** r what one gets for it. A
**policy** π says how likely each action is in each state; π̄ is the policy (or just weights) that one starts from. What
comes a step later counts γ times as much, γ < 1. V(s) is what a state is worth, Q(s, a) what an action in it is worth.
KL[π‖π̄] is how different π is from π̄, zero where they are the same; the **temperature** τ is its price. θ are the
parameters of a policy or of Q, the numbers that learning changes, and ∇ the direction in θ of steepest ascent. E_π[…]
is an average over the actions that π takes, and ‖…‖∞ the largest entry without its sign.

${demonstrations.map(section).join("\n")}
Each problem is drawn from a seed (\`--seed\`, ${seed} on this page); the same seed gives the same page. Where a figure is called
*rounding*, it is zero in theory and below 1e-10 here. \`npx softrl verify\` measures 54 identities in the same way, on 50
seeds each (four on the Nature CNN on one), and \`npx softrl verify --mutants\` shows that each of them fails when the mathematics is wrong.
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

The paper's ${where}.

![${title}](${name}.svg)

${prose.join("\n\n")}

| | measured | must be |
| --- | --- | --- |
${rows.join("\n")}

Numbers: [${name}.csv](${name}.csv).
`;
}
