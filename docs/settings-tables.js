// @ts-check
import {
  atariSettings,
  builtInAlgorithms,
  builtInNetworks,
  builtInOptimisers,
  defaultText,
  environmentSettings,
  inputSettings,
  optionName,
  runSettings,
  stepSettings,
} from "softrl";

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

const families = /** @type {const} */ (["vector", "table", "minatar", "atari"]);

/** A table of the options that algorithms set for the other parts of a run; algorithms that set the same share a row. */
export function ownDefaultsTable() {
  /** @type {Map<string, string[]>} names of algorithms, by their cells */
  const algorithms = new Map();
  for (const kind of builtInAlgorithms) {
    const cells = families.map((family) => ownDefaults(kind.defaults?.(family) ?? {})).join(" | ");
    algorithms.set(cells, [...(algorithms.get(cells) ?? []), `\`${kind.name}\``]);
  }
  const rows = [...algorithms].map(([cells, names]) => `| ${names.join(", ")} | ${cells} |`);
  return ["| Algorithm | Vectors | Tables | MinAtar | Atari |", `|${" --- |".repeat(5)}`, ...rows].join("\n");
}

/**
 * Defaults as the options that set them.
 * @param {import("softrl").SectionDefaults} defaults
 */
function ownDefaults(defaults) {
  const optimiser =
    builtInOptimisers.find(({ name }) => name === defaults.optimiser?.name) ?? builtInOptimisers[0];
  const settings = {
    run: [runSettings],
    environment: [environmentSettings],
    network: [inputSettings, ...builtInNetworks.map((kind) => kind.settings)],
    optimiser: [stepSettings, optimiser.settings],
  };
  const options = /** @type {const} */ (["run", "environment", "network", "optimiser"]).flatMap((section) =>
    Object.entries(defaults[section] ?? {}).map(([name, value]) => {
      if (name === "name") return `--${section} ${value}`;
      const own = settings[section].find((some) => Object.hasOwn(some, name));
      if (own === undefined) throw new Error(`${section} has no setting ${name}`);
      const setting = /** @type {import("softrl").Settings} */ (own)[name];
      return `${optionName(name, setting)} ${setting.toText(value) || "none"}`;
    }),
  );
  return options.map((option) => `\`${option}\``).join("<br>") || "–";
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
  const ownDefaultsPlace = /(<!-- defaults of algorithms -->\n)[\s\S]*?(<!-- end -->)/;
  if (!ownDefaultsPlace.test(page))
    throw new Error("docs/settings.md has no table of the algorithms' defaults");
  return written.replace(
    ownDefaultsPlace,
    (_, opening, closing) => `${opening}\n${ownDefaultsTable()}\n\n${closing}`,
  );
}

/** @param {string} cell */
const escaped = (cell) => cell.replaceAll("|", "\\|");
