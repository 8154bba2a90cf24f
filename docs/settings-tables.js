// @ts-check
import {
  atariSettings,
  builtInAlgorithms,
  builtInNetworks,
  builtInOptimisers,
  defaultNetwork,
  defaultOptimiser,
  defaultText,
  environmentFamily,
  environmentSettings,
  inputSettings,
  optionName,
  runSettings,
  sectionSettings,
  stepSettings,
} from "softrl";
import { betweenMarks } from "../experiments/between-marks.js";

/**
 * The settings that docs/settings.md lists, by the name of their table.
 * @returns {ReadonlyMap<string, import("softrl").Settings>}
 */
export function documentedSettings() {
  /** @param {readonly { readonly name: string, readonly settings: import("softrl").Settings }[]} kinds */
  const tables = (kinds) => kinds.map(({ name, settings }) => /** @type {const} */ ([name, settings]));
  return new Map([
    ["run", runSettings],
    ["environment", environmentSettings],
    ["atari", atariSettings],
    ["network", inputSettings],
    ...tables(builtInNetworks),
    ["optimiser", stepSettings],
    ...tables(builtInOptimisers),
    ...tables(builtInAlgorithms),
  ]);
}

/**
 * A table with a row for each setting.
 * @param {import("softrl").Settings} settings
 */
export function settingsTable(settings) {
  const rows = Object.entries(settings).map(([name, setting]) => [
    `\`${name}\`${setting.live ? " (live)" : ""}`,
    `\`${optionName(name, setting)}\``,
    defaultText(setting),
    setting.about,
    setting.source ?? "",
  ]);
  const cells = [
    ["Setting", "Option", "Default", "Meaning", "Source of the default"],
    Array(5).fill("---"),
    ...rows,
  ];
  return cells.map((row) => `| ${row.map(escaped).join(" | ")} |`.replaceAll("|  |", "| |")).join("\n");
}

/** An environment of each family, by the heading of its column. */
const ofFamilies = {
  Vectors: "CartPole-v1",
  Tables: "FrozenLake-v1",
  MinAtar: "MinAtar/Breakout-v1",
  Atari: "ALE/Pong-v5",
};

/** A table of the options that algorithms set for the other parts of a run; algorithms that set the same share a row. */
function ownDefaultsTable() {
  /** @type {Map<string, string[]>} names of algorithms, by their cells */
  const algorithms = new Map();
  for (const kind of builtInAlgorithms) {
    const cells = Object.values(ofFamilies)
      .map((id) => ownDefaults(kind, id))
      .join(" | ");
    algorithms.set(cells, [...(algorithms.get(cells) ?? []), `\`${kind.name}\``]);
  }
  const headings = ["Algorithm", ...Object.keys(ofFamilies)];
  const rows = [...algorithms].map(([cells, names]) => `| ${names.join(", ")} | ${cells} |`);
  return [`| ${headings.join(" | ")} |`, `|${" --- |".repeat(headings.length)}`, ...rows];
}

/**
 * The defaults of an algorithm for the other parts of a run, as the options that set them.
 * @param {import("softrl").AlgorithmKind} algorithm @param {string} environmentId
 */
function ownDefaults(algorithm, environmentId) {
  const family = environmentFamily(environmentId);
  const network = kindNamed(builtInNetworks, defaultNetwork(algorithm, family));
  const optimiser = kindNamed(builtInOptimisers, defaultOptimiser(algorithm, family, network));
  const settings = sectionSettings({ algorithm, network, optimiser }, environmentId);
  const own = algorithm.defaults?.(family) ?? {};
  const options = /** @type {const} */ (["run", "environment", "network", "optimiser"]).flatMap((section) =>
    Object.entries(own[section] ?? {}).map(([name, value]) => {
      if (name === "name") return `--${section} ${value}`;
      const setting = settings[section][name];
      return `${optionName(name, setting)} ${setting.toText(value) || "none"}`;
    }),
  );
  return options.map((option) => `\`${option}\``).join("<br>") || "–";
}

/**
 * @template {{ readonly name: string }} Kind
 * @param {readonly Kind[]} kinds @param {string} name
 */
function kindNamed(kinds, name) {
  const kind = kinds.find((each) => each.name === name);
  if (kind === undefined) throw new Error(`softrl has no ${name}`);
  return kind;
}

/**
 * The page with every table between its markers written anew: `<!-- settings of <name> -->` or
 * `<!-- defaults of algorithms -->`, and `<!-- end -->`.
 * @param {string} page
 */
export function withTables(page) {
  const settings = documentedSettings();
  const missing = new Set(settings.keys());
  const written = page.replaceAll(
    /(<!-- settings of (\S+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, opening, name, closing) => {
      const table = settings.get(name);
      if (table === undefined)
        throw new Error(`docs/settings.md has a table of ${name}, which has no settings`);
      missing.delete(name);
      return `${opening}\n${settingsTable(table)}\n\n${closing}`;
    },
  );
  if (missing.size > 0) throw new Error(`docs/settings.md has no table of ${[...missing].join(", ")}`);
  const whole = betweenMarks(written, "<!-- defaults of algorithms -->", "<!-- end -->", [
    "",
    ...ownDefaultsTable(),
    "",
  ]);
  if (whole === null) throw new Error("docs/settings.md has no table of the algorithms' defaults");
  return whole;
}

/** @param {string} cell */
const escaped = (cell) => cell.replaceAll("|", "\\|");
