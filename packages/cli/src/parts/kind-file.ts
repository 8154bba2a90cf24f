import { existsSync, statSync } from "node:fs";
import { basename, isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type ErrorDetails, SoftrlError } from "softrl";
import { requireNamed } from "../files/regular-file.js";
import { errorText, isSoftrlError } from "./file-fault.js";
import { guarded } from "./guarded-kind.js";
import {
  type ExportedKinds,
  isKind,
  type KindName,
  kindNames,
  missingParts,
  partsOf,
  partText,
} from "./kind-shape.js";
import { whileLoading } from "./loaded-files.js";

/** The option that names each kind. */
export const kindOptions: Readonly<Record<KindName, string>> = {
  algorithm: "--algorithm",
  environment: "--env",
  network: "--network",
  optimiser: "--optimiser",
};

/** More than any bundle of modules has. */
const MOST_MODULE_BYTES = 2 ** 26;

/** Whether a name is that of a file, not of a built-in kind. An environment's id may contain a slash. */
export function isFile(which: KindName, name: string): boolean {
  if (/\.[cm]?[jt]s$/.test(name) || /^\.{1,2}[\\/]/.test(name) || isAbsolute(name)) return true;
  return which !== "environment" && /[\\/]/.test(name);
}

/**
 * The kind that a file exports by default.
 * @param where what an error names: the option, or the configuration's key
 * @param remedy what to do if the file does not exist
 * @throws SoftrlError when the file is missing, cannot be loaded, or exports something else.
 */
export async function loadKind<Which extends KindName>(
  which: Which,
  where: string,
  file: string,
  remedy = "check the path",
): Promise<ExportedKinds[Which]> {
  if (!existsSync(file))
    return refuse(where, `${file} does not exist`, { remedy: toCompile(file) ?? remedy });
  if (statSync(file).isDirectory()) {
    return refuse(where, `${file} is a folder`, { expected: `a file that exports ${article(which)}` });
  }
  // Node reads a file to its end before it looks at it, and a device has none.
  requireNamed(file, MOST_MODULE_BYTES);
  const exported = await whileLoading(file, () => importFile(where, file));
  try {
    return kindOf(which, where, file, exported.default);
  } catch (error) {
    if (isSoftrlError(error)) throw error;
    // The export is a Proxy, or has getters, which threw.
    const details = { got: errorText(error), remedy: "export a plain object" };
    const what = `the default export of ${file} cannot be read`;
    throw new SoftrlError(where, what, details, { cause: error });
  }
}

/** @throws SoftrlError when the value is something else; other errors are the value's own. */
function kindOf<Which extends KindName>(
  which: Which,
  where: string,
  file: string,
  kind: unknown,
): ExportedKinds[Which] {
  if (isKind(which, kind)) return guarded(which, file, kind);
  const other = kindNames.find((candidate) => isKind(candidate, kind));
  const [missing] = missingParts(which, kind);
  const needed = other === undefined ? partText(missing) : null;
  return refuse(where, `the default export of ${file} is not ${article(which)}`, {
    expected: needed ?? `an object with ${partsOf(which).join(", ")}`,
    got:
      kind === undefined
        ? "no default export"
        : `one without ${missing.endsWith("s") ? "" : "a "}valid ${missing}`,
    ...(other === undefined ? {} : { remedy: `it is ${article(other)}: pass it as ${kindOptions[other]}` }),
  });
}

/** What to do where the TypeScript source of a missing file exists; null where it does not. */
function toCompile(file: string): string | null {
  const source = /\.[cm]?js$/.test(file) ? file.replace(/js$/, "ts") : null;
  if (source === null || !existsSync(source)) return null;
  const name = basename(source);
  return `compile it first: npx tsc --ignoreConfig ${name}; Node 22.18 or newer loads ${name} itself`;
}

/** The absolute path of a file, which a folder's files name relative to it. */
export const absolute = (folder: string, file: string): string => resolve(folder, file);

async function importFile(where: string, file: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const isUnknownType = errorText(error).includes("Unknown file extension");
    const details: ErrorDetails = {
      got: errorText(error),
      remedy: isUnknownType
        ? "compile it to JavaScript, or use a Node.js that reads TypeScript (22.18 or newer)"
        : "fix this in the file",
    };
    throw new SoftrlError(where, `${file} could not be loaded`, details, { cause: error });
  }
}

const article = (which: KindName): string => (which === "network" ? "a network" : `an ${which}`);

function refuse(where: string, what: string, details: ErrorDetails): never {
  throw new SoftrlError(where, what, details);
}
