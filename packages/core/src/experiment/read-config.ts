import { describeValue, fail } from "../base/errors.js";
import { suggestion } from "../base/near-match.js";
import { isRecord } from "../base/record.js";
import { type ChosenSettings, type SectionName, sectionNames } from "./run-config.js";

/** A configuration of unknown completeness, split into names and settings; nothing in it is checked but its shape. */
export interface ReadConfig {
  /** The environment's id, and the names of the kinds, where they are given. */
  readonly names: { readonly [Kind in "environment" | "algorithm" | "network" | "optimiser"]?: string };
  /** The files that kinds were loaded from, where they are not built in. */
  readonly modules: { readonly [Kind in "environment" | "algorithm" | "network" | "optimiser"]?: string };
  /** The executor that it names, and the identity of its arithmetic. */
  readonly executor: {
    readonly executor?: string;
    readonly precision?: string;
    readonly instructionSet?: string;
  };
  readonly chosen: ChosenSettings;
}

const EXAMPLE = '{"algorithm": {"name": "a2c", "tau": 0.01}, "run": {"seed": 3}}';

/**
 * Splits a configuration, for instance parsed JSON.
 * @param where what an error names: the file that it came from
 * @throws SoftrlError when it is not an object of sections.
 */
export function readConfig(where: string, json: unknown): ReadConfig {
  if (!isRecord(json)) {
    return fail(where, "not a configuration", {
      expected: `sections such as ${EXAMPLE}`,
      got: describeValue(json),
    });
  }
  const sections = new Map<SectionName, Readonly<Record<string, unknown>>>();
  for (const [name, section] of Object.entries(json)) {
    const known = sectionNames.find((candidate) => candidate === name);
    if (known === undefined) {
      return fail(where, `unknown section ${JSON.stringify(name)}`, {
        expected: `sections such as ${EXAMPLE}`,
        remedy: suggestion(name, sectionNames),
      });
    }
    if (!isRecord(section)) {
      return fail(`${where}: ${name}`, "not a section", {
        expected: "an object of settings",
        got: describeValue(section),
      });
    }
    sections.set(known, section);
  }
  const text = (section: SectionName, name: string): string | undefined => {
    const value = sections.get(section)?.[name];
    if (value === undefined || typeof value === "string") return value;
    return fail(`${where}: ${section}.${name}`, "invalid value", {
      expected: "a text",
      got: describeValue(value),
    });
  };
  const present = <Name extends string>(entries: readonly (readonly [Name, string | undefined])[]) =>
    Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as { [N in Name]?: string };
  const named = { run: runNames, environment: ["id", "module"] };
  const chosen = [...sections].map(([section, settings]) => {
    const names: readonly string[] =
      section === "run" || section === "environment" ? named[section] : ["name", "module"];
    return [section, Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name)))];
  });
  return {
    names: present([
      ["environment", text("environment", "id")],
      ["algorithm", text("algorithm", "name")],
      ["network", text("network", "name")],
      ["optimiser", text("optimiser", "name")],
    ]),
    modules: present([
      ["environment", text("environment", "module")],
      ["algorithm", text("algorithm", "module")],
      ["network", text("network", "module")],
      ["optimiser", text("optimiser", "module")],
    ]),
    executor: present(runNames.map((name) => [name, text("run", name)] as const)),
    chosen: Object.fromEntries(chosen),
  };
}

const runNames = ["executor", "precision", "instructionSet"] as const;
