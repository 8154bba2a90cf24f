import { environmentOptions, isBuiltIn, isRecord, runConfig, sectionSettings } from "softrl";
import { type ConfigFile, partsOfConfig } from "../options/config-file.js";
import { type KindName, kindNames } from "../parts/kind-shape.js";
import { findParts, type NamedParts, type RunParts } from "../parts/run-parts.js";

/** A part that a file of settings names, and that an option or the command replaces by another one. */
export interface Replacement {
  /** The option with its value, or the command: `--algorithm soft-q`. */
  readonly by: string;
  /** The part that the file names: `a2c`. */
  readonly replaced: string;
  /** The section of the part. */
  readonly section: KindName;
  /** The settings of the file that the new part does not have: `entropyBonus`, `options.slip`. */
  readonly leftOut: readonly string[];
}

/**
 * A file of settings without the settings of the parts that are replaced, where the new parts do not have them.
 * @param parts the parts of the run
 * @param replacing the parts that options or the command name; they win over those of the file
 * @throws SoftrlError when the file has a setting that its own part does not have.
 */
export async function withoutReplaced(
  file: ConfigFile,
  parts: RunParts,
  replacing: NamedParts,
): Promise<{ readonly file: ConfigFile; readonly replacements: readonly Replacement[] }> {
  const replacements = kindNames.flatMap((section) => replacementOf(section, file, parts, replacing));
  const leftOut = (section: KindName) =>
    replacements.filter((replacement) => replacement.section === section).flatMap((each) => each.leftOut);
  if (replacements.length > 0) await requireConsistent(file);
  const chosen = { ...file.chosen };
  for (const { section } of replacements) chosen[section] = without(chosen[section] ?? {}, leftOut(section));
  return { file: { ...file, chosen }, replacements };
}

/** `--algorithm soft-q replaces the file's a2c; left out: entropyBonus` */
export function replacementText({ by, replaced, leftOut }: Replacement): string {
  return `${by} replaces the file's ${replaced}; left out: ${leftOut.join(", ")}`;
}

/** Settings without those of these names; `options.slip` is the entry slip of the setting options. */
export function without(
  settings: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  const kept = Object.entries(settings).filter(([name]) => !names.includes(name));
  return Object.fromEntries(
    kept.map(([name, value]) => {
      const inner = names.filter((each) => each.startsWith(`${name}.`));
      if (inner.length === 0 || !isRecord(value)) return [name, value];
      return [
        name,
        without(
          value,
          inner.map((each) => each.slice(name.length + 1)),
        ),
      ];
    }),
  );
}

function replacementOf(
  section: KindName,
  { names, modules, chosen }: ConfigFile,
  parts: RunParts,
  replacing: NamedParts,
): readonly Replacement[] {
  const replaced = names[section] ?? modules[section];
  const part = replacing[section];
  const own = section === "environment" ? parts.environment : parts.kinds[section].name;
  if (replaced === undefined || part === undefined || replaced === own) return [];
  const settings = sectionSettings(parts.kinds, parts.environment)[section];
  const given = chosen[section] ?? {};
  const leftOut = Object.keys(given).filter((name) => !Object.hasOwn(settings, name));
  if (section === "environment") leftOut.push(...foreignOptionsOf(given.options, parts));
  if (leftOut.length === 0) return [];
  const by = part.where.startsWith("--") ? `${part.where} ${part.name}` : part.where;
  return [{ by, replaced, section, leftOut }];
}

/** The options of another environment that this one does not have, or is not known to have. */
function foreignOptionsOf(options: unknown, { environment, environmentKind }: RunParts): readonly string[] {
  if (!isRecord(options)) return [];
  const own: readonly string[] =
    environmentKind !== null
      ? Object.keys(environmentKind.options)
      : isBuiltIn(environment)
        ? environmentOptions(environment)
        : [];
  return Object.keys(options)
    .filter((name) => !own.includes(name))
    .map((name) => `options.${name}`);
}

/** Files that export parts are not loaded: those that are replaced may be gone. */
async function requireConsistent(file: ConfigFile): Promise<void> {
  if (Object.keys(file.modules).length > 0) return;
  const { kinds, environment, known } = await findParts(partsOfConfig(file));
  const executor = { name: "reference", precision: "float64" } as const;
  runConfig(
    { kinds, environment, executor, chosen: file.chosen, known },
    (section, name) => `${file.path}: ${section}.${name}`,
  );
}
