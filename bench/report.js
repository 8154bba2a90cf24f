// @ts-check
import { SoftrlError } from "softrl";

/**
 * Everything that one run measured.
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
  ["work", "ours", "", "peer", "", "ratio (quartiles)", "of the best", "bar", "met"],
  ["---", "---", "---", "---", "---", "---", "---", "---", "---"],
];

/**
 * One row's figures as lines of a Markdown table.
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
 * The contestants of one row, fastest first.
 * @param {import("./rows.js").RowResult} row
 * @returns {string}
 */
export function contestantLines(row) {
  const sorted = [...row.measurements].sort((a, b) => a.seconds.median - b.seconds.median);
  const lines = sorted.map(({ name, seconds, figures }) => {
    const { median, least, most } = seconds;
    const ends = row.unit === "ms" ? [least, most] : [most, least];
    const range = [median, ...ends].map((value) => amount(row, value));
    const length =
      figures.episodeLength === undefined ? "" : `, episodes of ${short(figures.episodeLength)} steps`;
    return `  ${name.padEnd(30)} ${range[0]} ${row.unit} (${range[1]}..${range[2]})${length}`;
  });
  const checks = row.checks.map(
    ({ what, difference }) => `  ${what}: ${difference.toExponential(1)} relative`,
  );
  const missing = row.missing.length === 0 ? [] : [`  not measured: ${row.missing.join("; ")}`];
  return [
    `${row.title} (others kept ${row.busy.toFixed(1)} cores busy before)`,
    ...lines,
    ...checks,
    ...missing,
  ].join("\n");
}

/**
 * The table of a report, in Markdown, with the machine above it.
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
      `load ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after on ${machine.cores} cores` +
      `${report.quick ? "; **quick: these figures mean nothing**" : ""}.`,
  ];
  const cells = [...tableHead, ...report.rows.flatMap(comparisonCells)];
  const growth = growthTable(
    report.scaling.filter(({ over }) => over !== "transitions"),
    (size) => `µs a sample at ${size}`,
    "growth over the best",
    1e6,
  );
  const sweeps = growthTable(
    report.scaling.filter(({ over }) => over === "transitions"),
    (size) => `ns a transition at ${size.toExponential(0).replace("+", "")}`,
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
 * What one of the smallest and of the largest size costs, and how the cost grows.
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
  const head = ["as the work grows", ...sizes.map(each), figure, "bar", "met"];
  return ["", table([head, head.map(() => "---"), ...rows])];
}

/**
 * Puts text between the two markers of a document.
 * @param {string} document
 * @param {string} text
 */
export function withTable(document, text) {
  const begin = "<!-- bench: begin -->";
  const end = "<!-- bench: end -->";
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) {
    throw new SoftrlError("bench: --markdown", "the document has no place for the table", {
      expected: `${begin} and ${end} in it`,
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
  const rate = row.stepsPerIteration / seconds;
  return rate >= 1e6 ? `${short(rate / 1e6)}M` : `${short(rate / 1e3)}k`;
}

/** Three digits that count. @param {number} value */
export function short(value) {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
