import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isRecord, nearMatch, nestsTooDeep, oneLine, SoftrlError } from "softrl";
import { codeOf, isFolder, readNamed } from "../files/regular-file.js";
import { errorText } from "../parts/file-fault.js";
import { whileLoading } from "../parts/loaded-files.js";
import { seedList } from "./seed-list.js";
import { shownValue } from "./shown-value.js";

/** The definition in a folder that is named instead of a file. */
export const DEFINITION_FILE = "runs.json";

/** The options of `softrl train` that a definition gives, by name without dashes. */
export type SweepOptions = Readonly<Record<string, string>>;

/** An algorithm with its options, under the name that results have. */
export interface SweepVariant {
  readonly name: string;
  /** A built-in algorithm, or a file relative to the definition. */
  readonly algorithm: string;
  readonly options: SweepOptions;
  readonly environments: readonly string[];
  readonly seeds: readonly number[];
}

/** Every variant on every one of its environments with every one of its seeds. */
export interface SweepDefinition {
  readonly title: string;
  readonly variants: readonly SweepVariant[];
  /** Scores of others by source and environment, which reports show beside the results. */
  readonly published: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The file that it was read from: what errors name. */
  readonly path: string;
  /** Where its relative paths start, and where its results are written unless set. */
  readonly folder: string;
}

const MOST_BYTES = 2 ** 24;
const MOST_COMBINATIONS = 1000;
/** Of a name: figures and reports cut longer ones, so that two could look the same. */
const MOST_LETTERS = 100;
const EXAMPLE =
  '{"variants": [{"name": "A2C", "algorithm": "a2c"}], "environments": ["CartPole-v1"], "seeds": "1..5"}';

/** Options of `softrl train` that a sweep sets itself, and why a definition cannot. */
export const refusedOptions: Readonly<Record<string, string>> = {
  env: "name the environments in environments",
  algorithm: "name it in the variant's algorithm",
  seed: "name the seeds in seeds",
  seeds: "name the seeds in seeds",
  jobs: "pass --jobs to softrl sweep",
  "run-folder": "the sweep chooses the run folders",
  tensorboard: "run softrl tensorboard on runs kept with --keep-runs",
  chart: "run softrl report on a run kept with --keep-runs",
  "no-chart": "a sweep draws no charts",
  json: "pass --json to softrl sweep",
  help: "run softrl train --help",
};

/**
 * Reads the definition that `softrl sweep` names: a JSON file, a file that exports one by default, or a folder with
 * runs.json.
 * @throws SoftrlError when it cannot be read, or is not a definition: the message names the file and the key.
 */
export async function readDefinition(named: string): Promise<SweepDefinition> {
  const path = isFolder(named) ? join(named, DEFINITION_FILE) : named;
  if (!existsSync(path)) {
    throw new SoftrlError(path, "there is no such definition", {
      expected: `a JSON file, a file that exports one, or a folder with ${DEFINITION_FILE}`,
    });
  }
  if (!/\.[cm]?[jt]s$/.test(path)) return checkDefinition(path, parsed(path));
  const value = await exportedBy(path);
  try {
    return checkDefinition(path, value);
  } catch (error) {
    if (error instanceof SoftrlError) throw error;
    // The export is a Proxy, or has getters, which threw.
    const details = { got: errorText(error), remedy: "export a plain object" };
    throw new SoftrlError(path, "the default export cannot be read", details, { cause: error });
  }
}

/**
 * A definition, checked and completed.
 * @param path what errors name; relative paths start from its folder
 * @throws SoftrlError that names the key.
 */
export function checkDefinition(path: string, value: unknown): SweepDefinition {
  const all = record(path, "", value);
  requireKeys(path, "", all, ["title", "options", "variants", "environments", "seeds", "published"]);
  const at = (key: string) => `${path}: ${key}`;
  const title = all.title === undefined ? "" : text(at("title"), all.title);
  const shared = choicesOf(path, "options", all.options);
  const { variants } = all;
  if (!Array.isArray(variants) || variants.length === 0) {
    throw new SoftrlError(at("variants"), "invalid value", {
      expected: `a list of at least one variant: ${EXAMPLE}`,
      got: shownValue(variants),
    });
  }
  // What a list leaves out, [, 1], must not be skipped.
  const checked = Array.from<unknown>(variants).flatMap((variant, i): readonly SweepVariant[] => {
    const key = `variants[${i}]`;
    const own = record(path, key, variant);
    requireKeys(path, key, own, ["name", "algorithm", "options", "environments", "seeds"]);
    const name = text(at(`${key}.name`), own.name);
    const algorithm = text(at(`${key}.algorithm`), own.algorithm);
    const environments = environmentsOf(path, key, own.environments, all.environments);
    const seeds =
      own.seeds === undefined ? seedList(at("seeds"), all.seeds) : seedList(at(`${key}.seeds`), own.seeds);
    const choices = { ...shared, ...choicesOf(path, `${key}.options`, own.options) };
    return combinationsOf(at(key), choices).map(({ suffix, options }) => ({
      name: `${name}${suffix}`,
      algorithm,
      options,
      environments,
      seeds,
    }));
  });
  const names = new Set<string>();
  for (const { name } of checked) {
    requireShort(at("variants"), name);
    if (names.size < names.add(name).size) continue;
    throw new SoftrlError(at("variants"), "two variants have this name", {
      expected: "a name of its own, which results are kept under",
      got: JSON.stringify(name),
    });
  }
  return {
    title,
    variants: checked,
    published: publishedOf(path, all.published),
    path,
    folder: dirname(resolve(path)),
  };
}

function publishedOf(path: string, value: unknown): SweepDefinition["published"] {
  const sources = Object.entries(value === undefined ? {} : record(path, "published", value));
  return Object.fromEntries(
    sources.map(([source, given]) => {
      const key = `published.${source}`;
      const scores = Object.entries(record(path, key, given)).map(([environment, score]) => {
        if (typeof score === "number") return [environment, score] as const;
        const where = `${path}: ${key}.${environment}`;
        throw new SoftrlError(where, "invalid value", { expected: "a score", got: shownValue(score) });
      });
      return [source, Object.fromEntries(scores)];
    }),
  );
}

function environmentsOf(path: string, key: string, own: unknown, shared: unknown): readonly string[] {
  const where = own === undefined ? `${path}: environments` : `${path}: ${key}.environments`;
  const value: unknown = own ?? shared;
  const ids: unknown = Array.isArray(value) ? Array.from<unknown>(value) : value;
  const isList = Array.isArray(ids) && ids.length > 0 && ids.every((id) => typeof id === "string");
  if (isList && new Set(ids).size === ids.length) {
    for (const id of ids) requireShort(where, id);
    return ids;
  }
  throw new SoftrlError(where, "invalid value", {
    expected: 'a list of distinct environments, such as ["CartPole-v1"]',
    got: shownValue(ids),
  });
}

/** The values of each option: one, or those of a list. */
type Choices = Readonly<Record<string, readonly string[]>>;

/** Every combination of the options' values, the last option fastest, with what it adds to the name of the variant. */
function combinationsOf(
  where: string,
  choices: Choices,
): readonly { readonly suffix: string; readonly options: SweepOptions }[] {
  const count = Object.values(choices).reduce((product, values) => product * values.length, 1);
  if (count > MOST_COMBINATIONS) {
    throw new SoftrlError(where, "the lists of options have too many combinations", {
      expected: `at most ${MOST_COMBINATIONS}`,
      got: String(count),
    });
  }
  let all = [{ suffix: "", options: {} as SweepOptions }];
  for (const [option, values] of Object.entries(choices)) {
    all = all.flatMap(({ suffix, options }) =>
      values.map((value) => ({
        suffix: values.length === 1 ? suffix : `${suffix}, ${option} ${value}`,
        options: { ...options, [option]: value },
      })),
    );
  }
  return all;
}

/** The values of options as texts; a number and a boolean may stand as such, and a list for several. */
function choicesOf(path: string, key: string, value: unknown): Choices {
  if (value === undefined) return {};
  const entries = Object.entries(record(path, key, value)).map(([name, given]) => {
    const where = `${path}: ${key}.${name}`;
    if (!/^[a-z][a-z0-9-]*$/.test(name)) {
      throw new SoftrlError(where, "this is not the name of an option", {
        expected: "the name of an option of softrl train without its dashes, such as learning-rate",
        got: JSON.stringify(name),
      });
    }
    if (Object.hasOwn(refusedOptions, name)) {
      throw new SoftrlError(where, "a definition cannot set this option", { remedy: refusedOptions[name] });
    }
    const values: readonly unknown[] = Array.isArray(given) ? Array.from(given) : [given];
    const isPlain = values.every((one) => ["string", "number", "boolean"].includes(typeof one));
    const texts = isPlain ? values.map(String) : [];
    if (texts.length > 0 && new Set(texts).size === texts.length) return [name, texts] as const;
    throw new SoftrlError(where, "invalid value", {
      expected: "a text, a number or a boolean, as the option takes it, or a list of distinct ones",
      got: shownValue(given),
    });
  });
  return Object.fromEntries(entries);
}

/** @throws SoftrlError for a name that figures and reports would not show as it is. */
function requireShort(where: string, name: string): void {
  if (!LONE_SURROGATE.test(name) && oneLine(name, MOST_LETTERS) === name) return;
  throw new SoftrlError(where, "this name is too long, or has invisible characters", {
    expected: `at most ${MOST_LETTERS} visible characters, together with the options that a list adds`,
    got: JSON.stringify(name),
    remedy: "shorten it",
  });
}

/** Half of a character: a file cannot hold it. */
const LONE_SURROGATE = /\p{Cs}/u;

function text(where: string, value: unknown): string {
  const isText = typeof value === "string" && value.trim() !== "" && value.length <= 300;
  // A line break would end a row of the results for whoever reads them line by line.
  if (isText && !/\p{Cc}/u.test(value) && !LONE_SURROGATE.test(value)) return value;
  throw new SoftrlError(where, "invalid value", {
    expected: "a text of one line",
    got: shownValue(value),
  });
}

function record(path: string, key: string, value: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(value) && !Array.isArray(value)) return value;
  throw new SoftrlError(key === "" ? path : `${path}: ${key}`, "not a definition of a sweep", {
    expected: `an object such as ${EXAMPLE}`,
    got: Array.isArray(value) ? "a list" : typeof value,
  });
}

function requireKeys(path: string, key: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearMatch(unknown, known);
  throw new SoftrlError(`${path}: ${key === "" ? "" : `${key}.`}${unknown}`, "unknown key", {
    expected: known.join(", "),
    ...(near === null ? {} : { remedy: `did you mean ${near}?` }),
  });
}

function parsed(path: string): unknown {
  const expected = `JSON such as ${EXAMPLE}`;
  let value: unknown;
  try {
    value = JSON.parse(
      readNamed(path, MOST_BYTES)
        .toString("utf8")
        .replace(/^\uFEFF/, ""),
    );
  } catch (error) {
    if (error instanceof SoftrlError) throw error;
    const isSyntax = codeOf(error) === undefined;
    throw new SoftrlError(path, isSyntax ? "not JSON" : "the definition could not be read", {
      ...(isSyntax ? { expected } : {}),
      got: error instanceof Error ? error.message : String(error),
    });
  }
  if (!nestsTooDeep(value)) return value;
  throw new SoftrlError(path, "the brackets nest too deep", { expected });
}

async function exportedBy(path: string): Promise<unknown> {
  const file = resolve(path);
  try {
    const exported: { readonly default?: unknown } = await whileLoading(
      file,
      () => import(pathToFileURL(file).href),
    );
    return exported.default;
  } catch (error) {
    const details = { got: errorText(error), remedy: "fix this in the file" };
    throw new SoftrlError(path, "the definition could not be loaded", details, { cause: error });
  }
}
