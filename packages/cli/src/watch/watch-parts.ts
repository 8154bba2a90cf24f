import { paperFigureSvg } from "../figures/paper-figure.js";
import { stepLabel } from "../figures/step-label.js";
import { unnamedSettings, variantNames } from "../plots/trained-run.js";
import { type Html, html, noHtml } from "../reports/html.js";
import { inlineSvg } from "../reports/inline-svg.js";
import { mergedSettings, type VariantSettings } from "../reports/report-model.js";
import { settingsSection } from "../reports/settings-section.js";
import { counted, inShort } from "../terminal/terminal.js";
import type { WatchedRun } from "./watched-run.js";

/** The parts of the page that change, in their order. */
export const partNames = ["summary", "curves", "runs", "settings", "films"] as const;
export type PartName = (typeof partNames)[number];
export type Parts = Readonly<Record<PartName, string>>;

/** Millimetres; the page scales figures to its columns. */
const FIGURE_WIDTH = 85;
/** Figures beyond which environments are left out: a frame has to stay small. */
const MOST_FIGURES = 24;
/** Points of all lines of a figure. */
const MOST_POINTS = 6000;
const FEWEST_LINE_POINTS = 12;
const MOST_LINE_POINTS = 240;
/** Variants of which the page compares the settings. */
const MOST_VARIANTS = 40;

interface NamedRun {
  readonly run: WatchedRun;
  readonly variant: string;
}

/**
 * The parts of the page as HTML. The command draws, not the page: with the code of its figures, which a browser would have
 * to load with its charts, and once for all pages that are open.
 * @param now milliseconds since 1970, by which a run that has stopped writing is told
 */
export function watchParts(runs: readonly WatchedRun[], leftOut: number, now: number): Parts {
  const begun = runs.filter(({ algorithm }) => algorithm !== "");
  const names = variantNames(begun);
  const named = begun.map((run, i): NamedRun => ({ run, variant: names[i] }));
  return {
    summary: summary(runs, leftOut, now).text,
    curves: curves(named).text,
    runs: table(runs, named, now).text,
    settings: settings(named).text,
    films: films(runs).text,
  };
}

function summary(runs: readonly WatchedRun[], leftOut: number, now: number): Html {
  if (runs.length === 0)
    return html`<p class="note">No run yet. The first one appears here when it begins.</p>`;
  const states = runs.map((run) => run.stateAt(now));
  const counts = [...new Set(states)].map(
    (state) => `${states.filter((one) => one === state).length} ${state}`,
  );
  const more = leftOut === 0 ? "" : ` ${counted(leftOut)} more are left out: name fewer folders.`;
  return html`<p class="note">${counted(runs.length)} run${runs.length === 1 ? "" : "s"}: ${counts.join(", ")}.${more}</p>`;
}

function curves(named: readonly NamedRun[]): Html {
  const drawn = named.filter(({ run }) => run.curve.latest !== null);
  if (drawn.length === 0) return html`<p class="note">No episode has ended yet.</p>`;
  const variants = [...new Set(drawn.map(({ variant }) => variant))];
  const environments = [...new Set(drawn.map(({ run }) => run.environment))];
  const figures = environments.slice(0, MOST_FIGURES).map((environment) => {
    const own = drawn.filter(({ run }) => run.environment === environment);
    return html`<figure>${inlineSvg(figureOf(environment, own, variants), `Learning curves: ${environment}`)}</figure>`;
  });
  const missing = environments.length - figures.length;
  const note = missing > 0 ? ` ${missing} more environments are not drawn.` : "";
  return html`<p class="note">Each line is a run: the mean return of its last 100 training episodes.${note}</p>
<div class="figures">${figures}</div>`;
}

function figureOf(environment: string, own: readonly NamedRun[], variants: readonly string[]): string {
  const most = Math.floor(MOST_POINTS / own.length);
  const perLine = Math.max(FEWEST_LINE_POINTS, Math.min(MOST_LINE_POINTS, most));
  const series = own.map(({ run, variant }) => ({
    name: variant,
    points: run.curve
      .points(perLine)
      .map(({ step, value }) => ({ x: step, estimate: value, low: value, high: value })),
  }));
  return paperFigureSvg({
    width: FIGURE_WIDTH,
    theme: "light",
    panels: [{ kind: "lines", title: environment, series }],
    names: variants,
    xLabel: "environment steps",
    yLabel: "mean return",
    xFormat: stepLabel,
    xFrom: 0,
    note: "",
  });
}

function table(runs: readonly WatchedRun[], named: readonly NamedRun[], now: number): Html {
  if (runs.length === 0) return noHtml;
  const variants = new Map(named.map(({ run, variant }) => [run.id, variant]));
  const rows = runs.map((run) => row(run, variants.get(run.id) ?? "", now));
  return html`<h2>Runs</h2>
<table>
<thead><tr><th scope="col">run</th><th scope="col">state</th><th scope="col">steps</th><th scope="col">mean return</th></tr></thead>
<tbody>
${rows}</tbody>
</table>`;
}

function row(run: WatchedRun, variant: string, now: number): Html {
  const { id, name, environment, seed, step, steps, stepsPerSecond, damagedLines, problem } = run;
  const state = run.stateAt(now);
  const about = [variant, environment, seed === "" ? "" : `seed ${seed}`].filter((text) => text !== "");
  const speed = stepsPerSecond === null ? "" : `${counted(stepsPerSecond)} steps/s`;
  const problems = [
    ...(problem === null ? [] : [problem]),
    ...(damagedLines === 0 ? [] : [`${counted(damagedLines)} damaged line${damagedLines === 1 ? "" : "s"}`]),
  ];
  return html`<tr><th scope="row"><span class="name">${name}</span> <span class="about">${about.join(" · ")}</span> <a id="config-${id}" href="run/${id}/config" target="_blank" aria-label="config of ${name}">config</a>${problems.map(
    (text) => html` <span class="problem">${text}</span>`,
  )}</th><td class="${state}">${state}</td><td>${counted(step)}${
    steps > 0
      ? html`<progress max="${steps}" value="${Math.min(step, steps)}" aria-label="steps of ${name}"></progress>`
      : noHtml
  }<span class="about">${speed}</span></td><td>${inShort(run.curve.latest?.value ?? null).replace("-", "−")}</td></tr>
`;
}

function settings(named: readonly NamedRun[]): Html {
  const all = named.map(
    ({ run, variant }): VariantSettings => ({
      variant,
      values: new Map(
        Object.entries(run.settings)
          .filter(([name]) => !unnamedSettings.includes(name))
          .map(([name, value]) => [name, [String(value ?? "none")]]),
      ),
    }),
  );
  const merged = mergedSettings(all);
  const missing = merged.length - MOST_VARIANTS;
  return html`${settingsSection(merged.slice(0, MOST_VARIANTS))}${
    missing > 0 ? html`<p class="note">${missing} more variants are left out.</p>` : noHtml
  }`;
}

function films(runs: readonly WatchedRun[]): Html {
  const all = runs.flatMap(({ id, name, films: files }) =>
    files.map(
      (file, i) => html`<details id="film-${id}-${i}"><summary>${name}: ${file}</summary>
<img loading="lazy" src="run/${id}/film/${i}" alt="Film ${file} of ${name}"></details>
`,
    ),
  );
  return all.length === 0 ? noHtml : html`<h2>Films</h2>${all}`;
}
