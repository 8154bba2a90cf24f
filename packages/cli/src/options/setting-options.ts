import { type Command, Option } from "commander";
import {
  atariSettings,
  type ChosenSettings,
  defaultOf,
  defaultText,
  type EnvironmentFamily,
  environmentFamilies,
  environmentOptions,
  isBuiltIn,
  optionName,
  ownersOf,
  type SectionName,
  type Setting,
  type Settings,
  SoftrlError,
  sectionNames,
  sectionSettings,
} from "softrl";
import type { RunParts } from "../parts/run-parts.js";
import type { OptionValues } from "./plain-options.js";

/** A setting of a run as an option of the command line. */
export interface SettingOption {
  readonly section: SectionName;
  readonly name: string;
  readonly setting: Setting;
  /** `--value-coefficient` */
  readonly flag: string;
}

/** An option that other parts have, but not those of this run. */
export interface ForeignOption extends SettingOption {
  /** The part without it: `a2c`. */
  readonly owner: string;
}

/**
 * The settings of a run of these parts, as options.
 * @throws SoftrlError for a setting of a file's kind whose option cannot be one.
 */
export function settingOptions({ kinds, environment, modules }: RunParts): readonly SettingOption[] {
  const sections = sectionSettings(kinds, environment);
  const options = sectionNames.flatMap((section) => optionsOf(section, sections[section]));
  for (const { section, name, flag } of options) {
    const file = (section === "run" ? undefined : modules[section]) ?? section;
    if (reserved.includes(flag.slice(2))) refuseFlag(file, name, flag);
    if (isFlag.test(flag) && !flag.startsWith("--no-")) continue;
    throw new SoftrlError(file, `the setting ${JSON.stringify(name)} has no valid option`, {
      expected: "a name such as --my-name: lower-case letters, digits and single hyphens, not no- in front",
      got: flag,
      remedy: OWN_OPTION,
    });
  }
  return options;
}

/** The options that commands have besides settings. */
const reserved =
  "help config run-folder json executor algorithm env network optimiser version seeds jobs chart tensorboard o c a e h".split(
    " ",
  );

const isFlag = /^--[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const OWN_OPTION = 'give the setting another one: option: "my-name"';

function refuseFlag(file: string, name: string, flag: string): never {
  throw new SoftrlError(file, `the setting ${name} has the option ${flag}, which is taken`, {
    remedy: OWN_OPTION,
  });
}

/** The settings that other kinds have, as options, where no setting of this run has the same one. */
export function foreignOptions(parts: RunParts, own: readonly SettingOption[]): readonly ForeignOption[] {
  const { kinds, known, environment } = parts;
  const all: ForeignOption[] = optionsOf("environment", atariSettings).map((option) => ({
    ...option,
    owner: environment,
  }));
  for (const section of ["algorithm", "network", "optimiser"] as const) {
    const owner = kinds[section].name;
    for (const { settings } of known[section]) {
      all.push(...optionsOf(section, settings).map((option) => ({ ...option, owner })));
    }
  }
  const flags = new Set(own.map(({ flag }) => flag));
  return all.filter(({ flag }) => {
    const isNew = !flags.has(flag);
    flags.add(flag);
    return isNew;
  });
}

const optionsOf = (section: SectionName, settings: Settings): readonly SettingOption[] =>
  Object.entries(settings).map(([name, setting]) => ({
    section,
    name,
    setting,
    flag: optionName(name, setting),
  }));

/**
 * Adds the options of one section under its heading.
 * @throws SoftrlError when two settings have the same option: one of them is from a file.
 */
export function addSettingOptions(
  command: Command,
  options: readonly SettingOption[],
  section: SectionName,
  parts: RunParts,
  help: (option: SettingOption) => string = (option) => helpOf(parts, option),
  placeholder: (option: SettingOption) => string = ({ setting }) => setting.placeholder,
): void {
  const { modules } = parts;
  for (const option of options.filter((candidate) => candidate.section === section)) {
    const { name, flag } = option;
    if (command.options.some(({ long }) => long === flag)) {
      const file = modules.algorithm ?? modules.network ?? modules.optimiser ?? section;
      refuseFlag(file, name, flag);
    }
    command.option(`${flag} <${placeholder(option)}>`, help(option));
  }
}

/** The heading of a section's options: `Algorithm a2c:`. */
export function heading(section: SectionName, { kinds, environment }: RunParts): string {
  if (section === "run") return "Run:";
  const title = `${section[0].toUpperCase()}${section.slice(1)}`;
  return `${title} ${section === "environment" ? environment : kinds[section].name}:`;
}

/** A setting's line of help: `the discount γ of a reward one step later (default: 0.99) [§6.1]`. */
function helpOf(parts: RunParts, { section, name, setting }: SettingOption): string {
  const of = (family: EnvironmentFamily) => defaultOf(parts.kinds, family, section, name, setting);
  const defaults = { vector: of("vector"), table: of("table"), atari: of("atari"), minatar: of("minatar") };
  const standard: readonly unknown[] = environmentFamilies.map((family) => setting.defaults[family]);
  const isStandard = environmentFamilies.every((family) => standard.includes(defaults[family]));
  const source = setting.source === null || !isStandard ? "" : ` [${setting.source}]`;
  const names = section === "environment" && name === "options" ? `; ${optionsText(parts)}` : "";
  return `${setting.about}${names} (default: ${defaultText({ ...setting, defaults })})${source}`;
}

/** `Corridor-v0 has cells` */
function optionsText({ environment, environmentKind }: RunParts): string {
  const names =
    environmentKind === null
      ? isBuiltIn(environment)
        ? environmentOptions(environment)
        : null
      : Object.keys(environmentKind.options);
  if (names === null) return `${environment} is one of Gymnasium's`;
  return `${environment} has ${names.length === 0 ? "none" : names.join(", ")}`;
}

/** Adds options that are only there to be refused with the name of what has them. */
export function addHiddenOptions(command: Command, options: readonly SettingOption[]): void {
  for (const { flag } of options) {
    if (command.options.some(({ long }) => long === flag)) continue;
    command.addOption(new Option(`${flag} <value>`).hideHelp());
  }
}

/** @throws SoftrlError for an option of another kind: `a2c has no --trust-region; npg has`. */
export function refuseForeign(
  values: OptionValues,
  foreign: readonly ForeignOption[],
  { known }: RunParts,
): void {
  for (const option of foreign) {
    if (textOf(values, option) === undefined) continue;
    const { section, flag, owner } = option;
    const owners = ownersOf(section, (name, setting) => optionName(name, setting) === flag, known);
    throw new SoftrlError(flag, `${owner} has no ${flag}`, owners === null ? {} : { remedy: owners });
  }
}

/** The settings that options give, unchecked, and the options by section and name. */
export function chosenByOptions(
  values: OptionValues,
  options: readonly SettingOption[],
): { readonly chosen: ChosenSettings; readonly given: readonly SettingOption[] } {
  const chosen: { [Section in SectionName]?: Record<string, unknown> } = {};
  const given = options.filter((option) => textOf(values, option) !== undefined);
  for (const option of given) {
    const text = textOf(values, option) ?? "";
    chosen[option.section] = { ...chosen[option.section], [option.name]: option.setting.fromText(text) };
  }
  return { chosen, given };
}

/** The text that was given for an option. */
export function textOf(values: OptionValues, { flag }: SettingOption): string | undefined {
  const value = values[new Option(`${flag} <value>`).attributeName()];
  return typeof value === "string" ? value : undefined;
}
