import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import {
  isRecord,
  type KeptPolicy,
  oneLine,
  type ReadConfig,
  type RunConfig,
  readConfig,
  readRunSnapshot,
  type Snapshot,
  SoftrlError,
  savedConfig,
  snapshotNumber,
  snapshotSection,
  versionFault,
} from "softrl";
import { readRegular } from "../files/regular-file.js";
import { parseConfig } from "../options/config-file.js";
import { isFile, kindOptions } from "../parts/kind-file.js";
import { type KindName, kindNames } from "../parts/kind-shape.js";
import type { NamedPart, NamedParts } from "../parts/run-parts.js";
import { pathArgument } from "../terminal/shown-path.js";
import type { CheckpointPlace } from "./event-file.js";
import { executorName, executorOfVariable, type WantedExecutor } from "./executor.js";
import { runFiles } from "./run-folder.js";
import type { Where } from "./run-plan.js";

/** More than any file of settings has. */
const MOST_CONFIG_BYTES = 2 ** 24;
/** As much as one array of bytes can be in every Node. */
const MOST_CHECKPOINT_BYTES = 2 ** 31 - 1;

/** What a run folder may hold a policy in. */
export type SavedFile = "checkpoint" | KeptPolicy;

/** A run folder's checkpoint, or a policy that the run kept, opened. */
export interface SavedRun {
  readonly folder: string;
  /** The name of the file. */
  readonly file: string;
  /** The file: what errors about it name. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly snapshot: Snapshot;
  /** The configuration as it was saved. */
  readonly json: unknown;
  readonly config: ReadConfig;
  readonly where: Where;
  /** Environment steps taken. */
  readonly step: number;
  /** The settings that `resume` changed, by name. */
  readonly changed: Snapshot;
}

declare const trusted: unique symbol;

/** A saved run whose code may run. */
export type TrustedRun = SavedRun & { readonly [trusted]: true };

/**
 * Opens the checkpoint of the run in a folder, or a policy that the run kept.
 * @throws SoftrlError when there is none, and names the runs where the folder is that of a comparison.
 */
export function openSavedRun(folder: string, which: SavedFile = "checkpoint"): SavedRun {
  const file = runFiles[which];
  const path = join(folder, file);
  if (which !== "checkpoint" && existsSync(join(folder, runFiles.checkpoint)) && !existsSync(path)) {
    throw new SoftrlError(path, "the run has kept no such policy", {
      expected: "the folder of a run that was trained with --evaluate-every",
      remedy: "leave --policy out: then the checkpoint's is used",
    });
  }
  return savedRunOf(folder, file, bytesOf(folder, path));
}

/**
 * The run as it is now: another process may have gone on with it since it was opened. The same run where its file has the
 * same bytes; they are decoded once.
 */
export function currentRun(run: SavedRun): SavedRun {
  const bytes = bytesOf(run.folder, run.path);
  return Buffer.compare(bytes, run.bytes) === 0 ? run : savedRunOf(run.folder, run.file, bytes);
}

function savedRunOf(folder: string, file: string, bytes: Uint8Array): SavedRun {
  const path = join(folder, file);
  const snapshot = readRunSnapshot(path, bytes);
  return readingOf({ path, snapshot }, () => {
    const json = savedConfig(path, snapshot);
    const live = snapshotSection(path, snapshot, "live");
    return {
      folder,
      file,
      path,
      bytes,
      snapshot,
      json,
      config: readConfig(path, json),
      where: (section, name) => `${path}: ${section}.${name}`,
      step: snapshotNumber(path, live, "step"),
      changed: snapshotSection(path, live, "set"),
    };
  });
}

/** What `read` makes of a saved run; errors about what is saved name the version that wrote it, if it is another. */
export function readingOf<Result>(
  { path, snapshot }: Pick<SavedRun, "path" | "snapshot">,
  read: () => Result,
): Result {
  const explain = (error: unknown): never => {
    throw versionFault(path, snapshot, error);
  };
  try {
    const result = read();
    return result instanceof Promise ? (result.catch(explain) as Result) : result;
  } catch (error) {
    return explain(error);
  }
}

/** Whether the run can be continued: its environments could save their state. */
export const canResume = ({ snapshot }: SavedRun): boolean => snapshot.environment !== null;

/** Which of a run's events belong to its checkpoint. */
export function placeOf(run: SavedRun): CheckpointPlace {
  const { path, snapshot, step } = run;
  if (snapshot.events === undefined) {
    throw new SoftrlError(path, "the checkpoint does not hold the number of its events", {
      got: `a checkpoint of softrl ${oneLine(String(snapshot.version), 40)}`,
      remedy: "use the version that wrote it; evaluate and record play its policy",
    });
  }
  const events = snapshotNumber(path, snapshot, "events");
  if (Number.isSafeInteger(events) && events > 0) return { step, events };
  throw new SoftrlError(path, "the number of its events is not valid", {
    expected: "an integer of at least 1",
    got: String(events),
    remedy: "use the checkpoint as softrl wrote it",
  });
}

/**
 * The parts that a run was trained with; options may name the files anew, where they were moved.
 * @throws SoftrlError for an option that names another part.
 */
export function savedParts({ config, path }: TrustedRun, named: NamedParts): NamedParts {
  const parts: { [Which in KindName]?: NamedPart } = {};
  for (const which of kindNames) {
    const name = config.names[which];
    const module = config.modules[which];
    if (name === undefined) continue;
    const option = named[which];
    const moved = option !== undefined && option.name !== name ? option : null;
    if (moved !== null && (module === undefined || !isFile(which, moved.name)))
      refusePart(which, name, moved);
    parts[which] =
      moved === null
        ? {
            name,
            ...(module === undefined ? {} : { module }),
            where: `${path}: ${which}`,
            folder: ".",
            remedy: `if the file was moved, pass ${kindOptions[which]} <file>`,
          }
        : { ...moved, expected: name };
  }
  return parts;
}

function refusePart(which: KindName, name: string, { where, name: got }: NamedPart): never {
  const what = `${where} only names the moved file of the run's own ${which}`;
  throw new SoftrlError(where, what, {
    expected: name,
    got: JSON.stringify(got),
    remedy: "leave it out, or train another run",
  });
}

/**
 * The executor that a run was trained with.
 * @throws SoftrlError when SOFTRL_EXECUTOR forces another one.
 */
export function savedExecutor({ config, where, folder }: SavedRun): WantedExecutor {
  const { executor: name = "", ...arithmetic } = config.executor;
  const forced = executorOfVariable();
  if (forced !== null && executorName(forced) !== name) {
    throw new SoftrlError("SOFTRL_EXECUTOR", `the run in ${folder} was started with another executor`, {
      expected: name,
      got: forced.name,
      remedy: `unset SOFTRL_EXECUTOR: another executor computes other bytes`,
    });
  }
  return {
    name,
    where: where("run", "executor"),
    ...arithmetic,
    remedy: "continue the run on a machine where it works",
  };
}

/**
 * The content of config.json in the folder, null where there is none. The configuration of the checkpoint is the one that
 * counts; where the files of parts are does not decide bytes, and may differ.
 * @throws SoftrlError when the file is damaged or a setting in it differs.
 */
export function uneditedConfig({ folder, json }: SavedRun): unknown {
  const path = join(folder, runFiles.config);
  if (!existsSync(path)) return null;
  const edited = parseConfig(path, configText(path));
  const difference = firstDifference(withModules(edited, {}), withModules(json, {}), []);
  if (difference === null) return edited;
  const remedy = "restore it, or start a new run with softrl train --config";
  throw new SoftrlError(path, difference, { remedy });
}

/** @throws SoftrlError where the settings of a run, completed by this version, are not those that were saved. */
export function requireSavedSettings({ path, json }: SavedRun, config: RunConfig): void {
  const own: unknown = JSON.parse(JSON.stringify(config));
  const difference = firstDifference(withModules(own, {}), withModules(json, {}), []);
  if (difference === null) return;
  throw new SoftrlError(path, difference, { remedy: "use the checkpoint as softrl wrote it" });
}

function configText(path: string): string {
  try {
    return readRegular(path, MOST_CONFIG_BYTES)
      .toString("utf8")
      .replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof SoftrlError) throw error;
    throw new SoftrlError(
      path,
      "the run's settings could not be read",
      {
        got: error instanceof Error ? error.message : String(error),
        remedy: "restore the file, or remove it: the checkpoint has the settings, too",
      },
      { cause: error },
    );
  }
}

/** `algorithm.tau is 0.5, the checkpoint has 0.01`; null where both are equal. */
function firstDifference(edited: unknown, saved: unknown, path: readonly string[]): string | null {
  if (isRecord(edited) && isRecord(saved)) {
    for (const name of new Set([...Object.keys(saved), ...Object.keys(edited)])) {
      const difference = firstDifference(edited[name], saved[name], [...path, name]);
      if (difference !== null) return difference;
    }
    return null;
  }
  const [its, ours] = [JSON.stringify(edited), JSON.stringify(saved)];
  if (its === ours) return null;
  const text = (value: string | undefined) => (value === undefined ? "missing" : value);
  const what = path.length === 0 ? "it" : path.join(".");
  return `${what} is ${text(its)}, the checkpoint has ${ours === undefined ? "no such setting" : ours}`;
}

/** A saved configuration with other files for its parts. */
export function withModules(json: unknown, modules: { readonly [Which in KindName]?: string }): unknown {
  if (!isRecord(json)) return json;
  const sections = Object.entries(json).map(([name, section]) => {
    const which = kindNames.find((kind) => kind === name);
    if (which === undefined || !isRecord(section)) return [name, section];
    const { module: _, ...settings } = section;
    const entries = Object.entries(settings);
    const module = modules[which];
    if (module !== undefined) entries.splice(1, 0, ["module", module]);
    return [name, Object.fromEntries(entries)];
  });
  return Object.fromEntries(sections);
}

function bytesOf(folder: string, path: string): Uint8Array {
  try {
    return readRegular(path, MOST_CHECKPOINT_BYTES);
  } catch (error) {
    if (error instanceof SoftrlError) throw error;
    const runs = ["a2c", "soft-q"].filter((name) => existsSync(join(folder, name, runFiles.checkpoint)));
    if (runs.length > 0) {
      throw new SoftrlError(folder, "this is the folder of a comparison", {
        expected: "the folder of one training run",
        remedy: `name ${runs.map((name) => join(folder, name)).join(" or ")}`,
      });
    }
    const begun = [runFiles.config, runFiles.events].every((name) => existsSync(join(folder, name)));
    if (begun && !existsSync(path)) {
      throw new SoftrlError(folder, "the run ended before its first checkpoint", {
        expected: `${basename(path)} in the run folder`,
        remedy: `start it again: softrl train --config ${pathArgument(join(folder, runFiles.config))}`,
      });
    }
    throw new SoftrlError(path, "the checkpoint could not be read", {
      expected: "the run folder of a training run",
      got: error instanceof Error ? error.message : String(error),
      remedy: "name the run folder that `softrl train` printed",
    });
  }
}
