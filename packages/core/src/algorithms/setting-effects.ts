import { describeValue, fail } from "../base/errors.js";
import { valueAt } from "../base/schedule.js";
import type { CurrentValues, Setting, Settings } from "../base/settings.js";

/** A setting that only some choices read: its name, whether the present ones do, and what reads it: `the backup munchausen`. */
export type SettingEffect<S extends Settings> = readonly [
  name: keyof S & string,
  isRead: boolean,
  reader: string,
];

/** @throws SoftrlError for a setting that is not read and has none of its defaults: a configuration holds every default. */
export function requireEffects<S extends Settings>(
  settings: S,
  current: CurrentValues<S>,
  effects: readonly SettingEffect<S>[],
): void {
  for (const [name, isRead, reader] of effects) {
    if (isRead || isDefault(settings[name], current[name])) continue;
    fail(`algorithm.${name}`, `this setting has no effect without ${reader}`, {
      got: describeValue(current[name]),
      remedy: "leave it out",
      setting: name,
    });
  }
}

/** Whether a value is the default of any family, or how that one begins. */
function isDefault({ defaults, live }: Setting, value: unknown): boolean {
  return Object.values(defaults).some((standard) => {
    const isNumber = typeof standard === "number" || live;
    return value === (isNumber ? valueAt(standard as number, 0, 1) : standard);
  });
}
