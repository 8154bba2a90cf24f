import type { Settings, ValuesOf } from "../base/settings.js";

/** The values of a kind's settings in its section of a configuration, checked. */
export function sectionValues<S extends Settings>(
  where: string,
  settings: S,
  section: Readonly<Record<string, unknown>>,
): ValuesOf<S> {
  const entries = Object.entries(settings).map(([name, setting]) => [
    name,
    setting.check(`${where}.${name}`, section[name]),
  ]);
  return Object.fromEntries(entries);
}
