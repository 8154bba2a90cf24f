// @ts-check
import { SoftrlError } from "softrl";

/**
 * The results of one run.
 * @typedef {object} Report
 * @property {1} format
 * @property {number} seed
 * @property {boolean} quick
 * @property {import("./machine.js").Machine} machine
 * @property {{ readonly before: number, readonly after: number }} load
 * @property {readonly { readonly name: string, readonly threads: number, readonly instructionSet: string }[]} executors
 * @property {import("./peers.js").PeerVersions | null} peers
 * @property {readonly string[]} notes
 * @property {readonly import("./rows.js").RowResult[]} rows
 * @property {readonly import("./scaling.js").Growth[]} scaling
 */

const tableHead = [
  ["work", "softrl", "", "peer", "", "ratio (quartiles)", "best blocks", "target", "met"],
  ["---", "---", "---", "---", "---", "---", "---", "---", "---"],
];

/**
 * The comparisons of one row as cells of a Markdown table.
 * @param {import("./rows.js").RowResult} row
 * @returns {string[][]}
 */
export function comparisonCells(row) {
  return row.comparisons.map(({ ours, peer, ratio, best, bar, met }) => [
    row.title,
    ours,
    figure(row, ours),
    peer,
    figure(row, peer),
    `${short(ratio.median)} (${short(ratio.low)}..${short(ratio.high)})`,
    short(best),
    bar ?? "–",
    met === null ? "–" : met ? "yes" : "**no**",
  ]);
}

/**
 * The measurements of one row as text, fastest first.
 * @param {import("./rows.js").RowResult} row
 * @returns {string}
 */
export function contestantLines(row) {
  const sorted = [...row.measurements].sort((a, b) => a.seconds.median - b.seconds.median);
  const lines = sorted.map(({ name, seconds, figures }) => {
    const { median, least, most } = seconds;
    const ends = row.unit === "steps/s" ? [most, least] : [least, most];
    const range = [median, ...ends].map((value) => amount(row, value));
    const { episodeLength, stepsPerUpdate, p50, p99 } = figures;
    const length = episodeLength === undefined ? "" : `, episodes of ${short(episodeLength)} steps`;
    const work = stepsPerUpdate === undefined ? "" : `, an update every ${short(stepsPerUpdate)} steps`;
    const calls = p50 === undefined ? "" : `, p50 ${amount(row, p50)}, p99 ${amount(row, p99)}`;
    return `  ${name.padEnd(30)} ${range[0]} ${row.unit} (${range[1]}..${range[2]})${length}${work}${calls}`;
  });
  const checks = row.checks.map(
    ({ what, difference }) => `  ${what}: ${difference.toExponential(1)} relative`,
  );
  const missing = row.missing.length === 0 ? [] : [`  not measured: ${row.missing.join("; ")}`];
  return [
    `${row.title} (other programs used ${row.busy.toFixed(1)} cores just before)`,
    ...lines,
    ...checks,
    ...missing,
  ].join("\n");
}

/**
 * A report in Markdown: the machine, the tables and the measurements of each row.
 * @param {Report} report
 * @returns {string}
 */
export function markdown(report) {
  const { machine, load, peers, seed } = report;
  const sets = report.executors.map(({ name, instructionSet }) => `${name} (${instructionSet})`);
  const packages = Object.entries(peers?.packages ?? {}).map(([name, version]) => `${name} ${version}`);
  const head = [
    `${machine.processor}, ${machine.cores} cores, ${machine.gibibytes} GiB, ${machine.system}; Node ${machine.node}; ${sets.join(", ")}` +
      `${peers === null ? "" : `; Python ${peers.python}, ${packages.join(", ")}`}.`,
    `Commit ${machine.commit}${machine.changed ? " with changes" : ""}, ${machine.date}, seed ${seed}; ` +
      `load average ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after` +
      `${report.quick ? "; **quick run: the figures are meaningless**" : ""}.`,
  ];
  const cells = [...tableHead, ...report.rows.flatMap(comparisonCells)];
  const growth = growthTable(
    report.scaling.filter(({ over }) => over !== "transitions"),
    (size) => `µs per sample at ${size}`,
    "growth over the best size",
    1e6,
  );
  const sweeps = growthTable(
    report.scaling.filter(({ over }) => over === "transitions"),
    (size) => `ns per transition at ${size.toExponential(0).replace("+", "")}`,
    "exponent",
    1e9,
  );
  return [
    ...head,
    "",
    table(cells),
    ...growth,
    ...sweeps,
    ...report.rows.flatMap((row) => [
      "",
      `<details><summary>${row.title}</summary>`,
      "",
      "```",
      contestantLines(row),
      "```",
      "",
      "</details>",
    ]),
  ].join("\n");
}

/**
 * A table of the cost per sample at the smallest and the largest size, and its growth.
 * @param {Report["scaling"]} growths
 * @param {(size: number) => string} each
 * @param {string} figure
 * @param {number} unit of a second
 * @returns {string[]}
 */
function growthTable(growths, each, figure, unit) {
  if (growths.length === 0) return [];
  /** @param {Report["scaling"][number]} growth */
  const ends = ({ points }) => [points[0], points[points.length - 1]];
  const sizes = ends(growths[0]).map(({ size }) => size);
  const rows = growths.map((growth) => [
    growth.name,
    ...ends(growth).map(({ size, seconds }) => short((seconds.least / size) * unit)),
    short(growth.growth),
    growth.bar ?? "–",
    growth.met ? "yes" : "**no**",
  ]);
  const head = ["growth with size", ...sizes.map(each), figure, "target", "met"];
  return ["", table([head, head.map(() => "---"), ...rows])];
}

/**
 * Replaces the text between the two markers of a document.
 * @param {string} document
 * @param {string} text
 */
export function withTable(document, text) {
  const begin = "<!-- bench: begin -->";
  const end = "<!-- bench: end -->";
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) {
    throw new SoftrlError("bench: --markdown", "the document has no markers for the table", {
      expected: `${begin} and ${end}`,
    });
  }
  return `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`;
}

/**
 * @param {readonly (readonly string[])[]} cells
 * @returns {string}
 */
export function table(cells) {
  return cells.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/**
 * @param {import("./rows.js").RowResult} row
 * @param {string} name
 */
function figure(row, name) {
  const measurement = row.measurements.find((candidate) => candidate.name === name);
  return measurement === undefined ? "" : `${amount(row, measurement.seconds.median)} ${row.unit}`;
}

/**
 * @param {import("./rows.js").RowResult} row
 * @param {number} seconds
 */
function amount(row, seconds) {
  if (row.unit === "ms") return short(seconds * 1000);
  if (row.unit === "µs") return short(seconds * 1e6);
  const rate = row.stepsPerIteration / seconds;
  return rate >= 1e6 ? `${short(rate / 1e6)}M` : `${short(rate / 1e3)}k`;
}

/** Formats a number with three significant digits. @param {number} value */
export function short(value) {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
