import { oneLine } from "softrl";
import { paperFigureSvg } from "../figures/paper-figure.js";
import { runFigure } from "../plots/run-figure.js";
import { type Estimate, FEW_SEEDS } from "../runs/run-statistics.js";
import { counted, inShort } from "../terminal/terminal.js";
import { Html, html, noHtml } from "./html.js";
import { inlineSvg } from "./inline-svg.js";
import type { ReportedScore, ReportSource } from "./report-model.js";
import {
  type EnvironmentScores,
  type Improvement,
  type ReportStatistics,
  reportStatistics,
  type VariantScore,
} from "./report-statistics.js";
import { reportStyle } from "./report-style.js";
import { settingsSection } from "./settings-section.js";

/** Millimetres: a column of a paper, which the page scales to its own. */
const FIGURE_WIDTH = 85;
/** Pairs of variants beyond which only the mean over environments is shown. */
const MOST_PAIRS = 10;
/** Characters of a definition or a configuration that the page quotes. */
const LONGEST_FILE = 100_000;

/**
 * The report as one HTML page without scripts, which loads nothing. The same runs give the same bytes.
 * @throws SoftrlError where the curves of a variant have no steps in common.
 */
export function reportPage(source: ReportSource): string {
  const statistics = reportStatistics(source);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${source.title}</title>
${Html.trusted(reportStyle)}
</head>
<body>
<main>
<h1>${source.title}</h1>
${introduction(source)}
${figures("Learning curves", "curves", source)}
${figures("Final scores", "bars", source)}
${scoreSection(statistics)}
${improvementSection(statistics)}
${settingsSection(source.settings)}
${commandSection(source)}
${originSection(source.runs)}
</main>
</body>
</html>
`;
  return page.text;
}

function introduction({ runs, planned, remarks }: ReportSource): Html {
  const variants = new Set(planned.map(({ variant }) => variant)).size;
  const environments = new Set(planned.map(({ environment }) => environment)).size;
  const counts = [
    numbered(variants, "variant"),
    numbered(environments, "environment"),
    numbered(runs.length, "run"),
  ].join(", ");
  return html`<p>${counts}. A run's score is the mean return of its last 100 training episodes.</p>
${remarks.length === 0 ? noHtml : html`<ul class="note">${remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`}`;
}

/** A figure for each environment, so that its text keeps its size in a column and on a wide page. */
function figures(title: string, kind: "curves" | "bars", { runs }: ReportSource): Html {
  const drawn = runs.filter(({ curve, score }) => (kind === "curves" ? curve : score) !== null);
  if (drawn.length === 0) {
    const missing = kind === "curves" ? "None of the runs has a learning curve." : "No episode has ended.";
    return html`<h2>${title}</h2><p class="note">${missing}</p>`;
  }
  const options = { kind, statistic: "mean", width: FIGURE_WIDTH, theme: "light" } as const;
  const figure = runFigure(drawn, options);
  // A narrow figure with long names has no room for more words; the page has them above.
  const xLabel = kind === "bars" ? "mean return" : figure.xLabel;
  const panels = figure.panels.map((panel) => {
    const svg = paperFigureSvg({ ...figure, xLabel, panels: [panel], note: "" });
    return html`<figure>${inlineSvg(svg, `${title}: ${panel.title}`)}</figure>`;
  });
  return html`<h2>${title}</h2>
<p class="note">${figure.note}.</p>
<div class="figures">
${panels}
</div>`;
}

function scoreSection({ environments, overall, scale, hasUnequalRuns }: ReportStatistics): Html {
  const groups = environments.map(environmentRows);
  if (overall.length > 0) groups.push(rowGroup("All environments, normalised", overall.map(scoreRow)));
  const runs = environments.flatMap(({ variants }) => variants.map((score) => score.runs));
  const isFew = runs.some((count) => count > 0 && count < FEW_SEEDS);
  const zeroAndOne =
    scale === "human"
      ? "0 is a random player and 1 a human one."
      : "0 is the lowest and 1 the highest run of each environment.";
  const weights = hasUnequalRuns
    ? " Over all environments, the mean counts each environment alike, but the IQM counts each run alike: where the numbers of runs differ, environments with more runs weigh more in it."
    : "";
  return html`<h2>Scores</h2>
<table>
<thead><tr><th></th><th>mean</th><th>IQM</th><th>runs</th></tr></thead>
${groups}
</table>
<p class="note">IQM is the interquartile mean. Brackets are 95 % intervals of the stratified bootstrap.${
    isFew ? ` With fewer than ${FEW_SEEDS} seeds they are too narrow.` : ""
  }${overall.length === 0 ? "" : ` Of normalised scores, ${zeroAndOne}`}${weights}</p>`;
}

function environmentRows({ environment, variants, published }: EnvironmentScores): Html {
  const others = published.map(
    ({ source, score }) =>
      html`<tr class="published"><th scope="row">${source}</th><td>${digits(score)}</td><td></td><td></td></tr>
`,
  );
  return rowGroup(environment, [...variants.map(scoreRow), ...others]);
}

const rowGroup = (title: string, rows: readonly Html[]): Html =>
  html`<tbody>
<tr><th colspan="4" scope="rowgroup">${title}</th></tr>
${rows}</tbody>
`;

function scoreRow({ variant, runs, planned, mean, interquartileMean }: VariantScore): Html {
  const count = runs === planned ? String(runs) : `${runs} of ${planned}`;
  return html`<tr><th scope="row">${variant}</th><td>${cell(mean)}</td><td>${cell(interquartileMean)}</td><td>${count}</td></tr>
`;
}

function cell(value: Estimate | null, format = digits): Html {
  if (value === null) return html`–`;
  const { estimate, interval } = value;
  if (interval === null) return html`${format(estimate)}`;
  const bounds = `[${format(interval.low)}, ${format(interval.high)}]`;
  return html`<strong>${format(estimate)}</strong> <span class="interval">${bounds}</span>`;
}

function improvementSection({ improvements }: ReportStatistics): Html {
  if (improvements.length === 0) return noHtml;
  const isLong = improvements.length > MOST_PAIRS;
  return html`<h2>Probability of improvement</h2>
<table>
<thead><tr><th></th><th>probability</th></tr></thead>
${improvements.map((one) => improvementRows(one, isLong))}
</table>
<p class="note">The probability that a run of the first variant scores higher than a run of the second, a tie counting
half; over all environments, the mean of theirs. If an interval
contains 0.5, these runs do not show which of the two is better.</p>`;
}

function improvementRows({ variant, other, environments, overall }: Improvement, isLong: boolean): Html {
  const row = (name: string, probability: Estimate) =>
    html`<tr><th scope="row">${name}</th><td>${cell(probability, twoDigits)}</td></tr>
`;
  const single = isLong && overall !== null;
  return html`<tbody>
<tr><th colspan="2" scope="rowgroup">${variant} over ${other}</th></tr>
${single ? [] : environments.map(({ environment, probability }) => row(environment, probability))}${
  overall === null ? noHtml : row(`all ${environments.length} environments`, overall)
}</tbody>
`;
}

function commandSection({ commands, files }: ReportSource): Html {
  if (commands.length === 0) return noHtml;
  return html`<h2>To repeat the runs</h2>
<pre>${commands.join("\n")}</pre>
${files.map(({ name, text }) => {
  const shown = text.length <= LONGEST_FILE ? text.trim() : `${text.slice(0, LONGEST_FILE)}…`;
  return html`<details><summary><code>${name}</code></summary><pre>${shown}</pre></details>
`;
})}`;
}

/** Where runs come from: an entry for each executor, version and machine. */
function originSection(runs: readonly ReportedScore[]): Html {
  const groups = new Map<string, ReportedScore[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.executor, run.version, run.machine]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(run);
  }
  const entries = [...groups.values()].map((group) => {
    const [{ executor, version, machine }] = group;
    const parts = [
      `${numbered(group.length, "run")}: executor ${recorded(executor)}`,
      `softrl ${recorded(version)}`,
      `machine ${recorded(machine)}`,
      ...speedOf(group),
    ];
    return html`<li>${parts.join("; ")}</li>
`;
  });
  return html`<h2>Executor, version, machine</h2>
<ul>
${entries}</ul>`;
}

const recorded = (text: string): string => (text === "" ? "not recorded" : oneLine(text, 200));

/** The lowest and the highest steps per second of runs, where they are recorded. */
function speedOf(runs: readonly ReportedScore[]): readonly string[] {
  const speeds = runs.flatMap(({ stepsPerSecond }) => stepsPerSecond ?? []).sort((a, b) => a - b);
  if (speeds.length === 0) return [];
  const [lowest, highest] = [counted(speeds[0]), counted(speeds[speeds.length - 1])];
  return [`${lowest === highest ? lowest : `${lowest} to ${highest}`} steps/s`];
}

const digits = (x: number): string => inShort(x).replace("-", "−");
const twoDigits = (x: number): string => x.toFixed(2);
const numbered = (count: number, noun: string): string =>
  `${counted(count)} ${noun}${count === 1 ? "" : "s"}`;
