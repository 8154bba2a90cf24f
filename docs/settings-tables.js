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

/**
 * The page with every table between its markers, `<!-- settings of <name> -->` and `<!-- end -->`, written anew.
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
  return written;
}

/** @param {string} cell */
const escaped = (cell) => cell.replaceAll("|", "\\|");
