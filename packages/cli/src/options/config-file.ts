import { dirname } from "node:path";
import {
  builtInKinds,
  environmentSettings,
  isRecord,
  nestsTooDeep,
  type ReadConfig,
  readConfig,
  runSettings,
  SoftrlError,
  sectionNames,
  stepSettings,
} from "softrl";
import { codeOf, readNamed } from "../files/regular-file.js";
import { type KindName, kindNames } from "../parts/kind-shape.js";
import type { NamedPart, NamedParts } from "../parts/run-parts.js";
import { aliasOf } from "./aliases.js";

/** Settings take a few kilobytes. */
const MOST_BYTES = 2 ** 24;

/** A file of settings, read and split; nothing in it is checked yet. */
export interface ConfigFile extends ReadConfig {
  readonly path: string;
}

const EXAMPLE = '{"run": {"seed": 3}, "algorithm": {"name": "a2c", "tau": 0.01}}';

/**
 * Reads a file of settings, for instance a run folder's config.json.
 * @throws SoftrlError when it cannot be read, is not JSON, or has no sections.
 */
export function readConfigFile(path: string): ConfigFile {
  const json = parseConfig(path, configText(path));
  requireSettings(path, json);
  requireSections(path, json);
  return { path, ...readConfig(path, json) };
}

/** The parts of a run that a configuration names; relative paths start from the file's folder. */
export function partsOfConfig({ path, names, modules }: ConfigFile): NamedParts {
  const parts: { [Which in KindName]?: NamedPart } = {};
  for (const which of kindNames) {
    const name = names[which];
    const module = modules[which];
    if (name === undefined && module === undefined) continue;
    const key = module !== undefined ? "module" : which === "environment" ? "id" : "name";
    parts[which] = {
      // A module without a name has the name that it exports.
      ...(name !== undefined && module !== undefined ? { name, module } : { name: name ?? module ?? "" }),
      where: `${path}: ${which}.${key}`,
      folder: dirname(path),
    };
  }
  return parts;
}

/**
 * Parses the text of a configuration.
 * @throws SoftrlError that says in which line the text is not JSON.
 */
export function parseConfig(path: string, text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SoftrlError(
      path,
      "not JSON",
      {
        expected: `sections such as ${EXAMPLE}`,
        got: syntaxError(text, error instanceof Error ? error.message : ""),
        remedy: "correct it, or start from a run folder's config.json",
      },
      { cause: error },
    );
  }
  if (!nestsTooDeep(json)) return json;
  throw new SoftrlError(path, "the brackets nest too deep", { expected: `sections such as ${EXAMPLE}` });
}

function configText(path: string): string {
  try {
    return readNamed(path, MOST_BYTES)
      .toString("utf8")
      .replace(/^\uFEFF/, "");
  } catch (error) {
    const isFolder = codeOf(error) === "EISDIR";
    if (error instanceof SoftrlError) throw error;
    throw new SoftrlError("--config", `${path} could not be read`, {
      expected: "a JSON file of settings",
      got: isFolder ? "a folder" : error instanceof Error ? error.message : String(error),
      remedy: isFolder
        ? "name a file, for instance the config.json in it"
        : "name a file of settings, for instance a run folder's config.json",
    });
  }
}

function requireSettings(path: string, json: unknown): void {
  if (!isRecord(json) || !("version" in json) || !("runs" in json || "steps" in json)) return;
  throw new SoftrlError(path, "this is the result of a run, not its settings", {
    expected: `sections such as ${EXAMPLE}`,
    remedy: "name the run folder's config.json instead of its result.json",
  });
}

/** Refuses settings at the top level, where softrl 0.1.0 had them. */
function requireSections(path: string, json: unknown): void {
  if (!isRecord(json)) return;
  const loose = Object.entries(json).find(([, value]) => !isRecord(value));
  if (loose === undefined) return;
  const [name] = loose;
  const alias = aliasOf(name);
  const section = sectionOf(name) ?? (alias == null ? null : sectionOfKey(alias.key));
  throw new SoftrlError(path, `${JSON.stringify(name)} is not in a section`, {
    expected: `sections such as ${EXAMPLE}`,
    remedy: section === null ? `the sections are ${sectionNames.join(", ")}` : `put it into ${section}`,
  });
}

const within = (section: string, key: string) => `"${section}": {"${key}": …}`;

function sectionOfKey(path: string): string {
  const [section, key] = path.split(".");
  return within(section, key);
}

/** Where a setting or the name of a part belongs: `"algorithm": {"tau": …}`; null for an unknown name. */
function sectionOf(name: string): string | null {
  if (name === "environment") return within("environment", "id");
  if (name === "algorithm" || name === "network" || name === "optimiser") return within(name, "name");
  if (Object.hasOwn(runSettings, name)) return within("run", name);
  if (Object.hasOwn(environmentSettings, name)) return within("environment", name);
  if (Object.hasOwn(stepSettings, name)) return within("optimiser", name);
  for (const section of ["algorithm", "network", "optimiser"] as const) {
    if (builtInKinds[section].some(({ settings }) => Object.hasOwn(settings, name)))
      return within(section, name);
  }
  return null;
}

/** What is wrong with the text, without the text itself, which JSON.parse quotes and which may hold line breaks. */
function syntaxError(text: string, message: string): string {
  if (text.trim() === "") return "an empty file";
  const what =
    /^(Unexpected (?:token '[!-~]'|token|end|number|string|non-whitespace character)|Expected .*? in JSON|Bad .*? in JSON)/
      .exec(message)?.[1]
      .replace(" in JSON", "");
  const position = Number(/at position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const line = Number.isNaN(position) ? "" : ` in line ${text.slice(0, position).split("\n").length}`;
  return `${what ?? "a syntax error"}${line}`;
}
