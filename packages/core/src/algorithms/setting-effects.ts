import { describeValue, fail } from "../base/errors.js";
import type { Setting, Settings, SettingValue, ValuesOf } from "../base/settings.js";

/** A setting that only some choices read: its name, whether the present ones do, and what reads it: `the backup munchausen`. */
export type SettingEffect<Name extends string = string> = readonly [
  name: Name,
  isRead: boolean,
  reader: string,
];

/** The settings of an algorithm, and which of them have an effect beside the others. */
interface Reader<S extends Settings> {
  readonly settings: S;
  effects?(values: ValuesOf<S>): readonly SettingEffect[];
}

/**
 * @param values the algorithm's section of a complete configuration
 * @param where what an error names for a setting
 * @throws SoftrlError for a setting that is not read and has none of its defaults: a configuration holds every default.
 */
export function requireEffects<S extends Settings>(
  reader: Reader<S>,
  values: Readonly<Record<string, SettingValue | undefined>>,
  where = (name: string) => `algorithm.${name}`,
): void {
  const chosen = Object.keys(reader.settings).filter(
    (name) => !isDefault(reader.settings[name], values[name]),
  );
  requireRead(where, reader, values as ValuesOf<S>, chosen);
}

/** The settings of a complete section that the algorithm does not read beside the others. */
export function unreadSettings<S extends Settings>(
  reader: Reader<S>,
  section: Readonly<Record<string, SettingValue | undefined>>,
): ReadonlySet<string> {
  const effects = reader.effects?.(section as ValuesOf<S>) ?? [];
  return new Set(effects.flatMap(([name, isRead]) => (isRead ? [] : [name])));
}

/**
 * @param where what an error names for a setting
 * @param section the algorithm's section of a complete configuration
 * @param changes numbers for some of its settings, or for those of other parts, which are always read
 * @throws SoftrlError for a change without effect.
 */
export function requireChangeEffects<S extends Settings>(
  where: (name: string) => string,
  reader: Reader<S>,
  section: Readonly<Record<string, SettingValue | undefined>>,
  changes: Readonly<Record<string, number>>,
): void {
  requireRead(where, reader, { ...section, ...changes } as ValuesOf<S>, Object.keys(changes));
}

/** Whether the algorithm has a setting of this name that its section of a configuration reads. */
export function readsSetting<S extends Settings>(
  reader: Reader<S>,
  section: Readonly<Record<string, SettingValue | undefined>>,
  name: string,
): boolean {
  return Object.hasOwn(reader.settings, name) && !unreadSettings(reader, section).has(name);
}

function requireRead<S extends Settings>(
  where: (name: string) => string,
  reader: Reader<S>,
  values: ValuesOf<S>,
  names: readonly string[],
): void {
  for (const [name, isRead, needed] of reader.effects?.(values) ?? []) {
    if (isRead || !names.includes(name)) continue;
    fail(where(name), `this setting has no effect without ${needed}`, {
      got: describeValue((values as Readonly<Record<string, unknown>>)[name]),
      remedy: "leave it out",
      setting: name,
    });
  }
}

/** Whether a value is the default of any family. */
function isDefault({ defaults, check }: Setting, value: unknown): boolean {
  const text = JSON.stringify(value);
  return Object.values(defaults).some((standard) => JSON.stringify(check("default", standard)) === text);
}
