import { CommanderError } from "commander";
import { environmentFamily, isBuiltIn, isRecord, oneLine, SoftrlError } from "softrl";
import { readTrainArguments } from "../options/train-options.js";
import { isFile, kindOptions } from "../parts/kind-file.js";
import { kindNames } from "../parts/kind-shape.js";
import { planRun } from "../runs/run-plan.js";
import { refusedOptions } from "../sweeps/definition.js";
import { keyOf, type PlannedRun, settingsText } from "../sweeps/sweep-plan.js";

/** A run as a queue holds it. */
export interface QueuedRun extends Pick<PlannedRun, "key" | "settings" | "args"> {
  /** Of the code that is to compute it. */
  readonly version: string;
}

/** A queued run that a worker has checked. */
export interface CheckedRun extends QueuedRun {
  readonly title: string;
}

const MOST_ARGUMENTS = 200;
const MOST_CHARACTERS = 2 ** 16;
const KEY = /^[0-9a-f]{16}$/;
const ARGUMENT = /^--([a-z][a-z0-9-]*)=(.*)$/s;

/** The queue of a version: its workers compute what the sweep's own machine would. */
export const queueNameOf = (version: string): string => `runs-${version}`;

/** The id of a run's job: its key, so that it is queued once. BullMQ refuses ids of digits alone. */
export const jobIdOf = (key: string): string => `run-${key}`;

/** The key of a job's run; null for another kind of job. */
export function keyOfJob(id: string | undefined): string | null {
  const key = id?.startsWith("run-") === true ? id.slice("run-".length) : "";
  return KEY.test(key) ? key : null;
}

/**
 * Checks a run that comes from a queue, which whoever reaches the Redis server can write.
 * @param version of this worker's code
 * @param trust whether files and environments that are not built in may run
 * @throws SoftrlError for anything but a run of this version whose arguments give the settings that its key is a hash of.
 */
export async function checkQueuedRun(
  value: unknown,
  id: string | undefined,
  version: string,
  trust: boolean,
): Promise<CheckedRun> {
  const where = `job ${oneLine(String(id), 100)}`;
  const refuse = (what: string, details: object = {}): never => {
    throw new SoftrlError(where, what, details);
  };
  if (!isRecord(value)) return refuse("this is not a run of softrl", { expected: "an object" });
  const { key, settings, args } = value;
  const isText = (text: unknown): text is string =>
    typeof text === "string" && text.length <= MOST_CHARACTERS;
  if (!isText(key) || keyOfJob(id) !== key) return refuse("the key is not that of the job");
  if (value.version !== version) {
    return refuse("the run is of another version of the code", {
      expected: version,
      got: JSON.stringify(value.version),
    });
  }
  if (!isText(settings) || keyOf(settings, version) !== key) {
    return refuse("the key is not the hash of the settings");
  }
  if (!Array.isArray(args) || args.length > MOST_ARGUMENTS || !args.every(isText)) {
    return refuse("invalid arguments", { expected: `at most ${MOST_ARGUMENTS} texts` });
  }
  requirePlain(where, args);
  if (!trust) requireBuiltIn(where, args);
  const found = await settingsOf(where, args);
  if (found.settings !== settings) {
    return refuse("the arguments do not give the settings of the run", {
      remedy: "compare the files that it names on both machines",
    });
  }
  return { key, settings, args, version, title: found.title };
}

/** @throws SoftrlError for anything but `--name=value`, and for options by which a run writes elsewhere. */
function requirePlain(where: string, args: readonly string[]): void {
  for (const argument of args) {
    const name = ARGUMENT.exec(argument)?.[1];
    const isKnown = name === "env" || name === "algorithm" || name === "seed";
    const isRefused = name === undefined || name === "trust" || Object.hasOwn(refusedOptions, name);
    if (isKnown || (!isRefused && !/\p{Cc}/u.test(argument))) continue;
    throw new SoftrlError(where, "a queued run cannot have this argument", {
      expected: "--name=value, of options that a definition can set",
      got: JSON.stringify(argument),
    });
  }
}

/** @throws SoftrlError for arguments that read files, or name an environment outside softrl and Atari's. */
function requireBuiltIn(where: string, args: readonly string[]): void {
  for (const argument of args) {
    const [, name = "", value = ""] = ARGUMENT.exec(argument) ?? [];
    const which = kindNames.find((kind) => kindOptions[kind] === `--${name}`);
    const reads = name === "config" || (which !== undefined && isFile(which, value));
    const isForeign = which === "environment" && !isBuiltIn(value) && environmentFamily(value) !== "atari";
    if (!reads && !isForeign) continue;
    throw new SoftrlError(where, "this worker runs only built-in algorithms and environments", {
      got: JSON.stringify(argument),
      remedy: "if you trust everyone who can reach the queue, start the worker with --trust",
    });
  }
}

/** What arguments come down to, as `softrl train` reads them. */
async function settingsOf(
  where: string,
  args: readonly string[],
): Promise<{ readonly settings: string; readonly title: string }> {
  try {
    const { values, draft } = await readTrainArguments(args);
    const { config, chosenExecutor } = await planRun(values, draft);
    const { seed } = config.run;
    const settings = settingsText(config, seed, chosenExecutor);
    return {
      settings,
      title: oneLine(`${config.algorithm.name}, ${config.environment.id}, seed ${seed}`, 200),
    };
  } catch (error) {
    if (error instanceof CommanderError) {
      const what = oneLine(error.message.replace(/^error: /, ""), 300);
      throw new SoftrlError(where, what, {}, { cause: error });
    }
    if (!(error instanceof SoftrlError)) throw error;
    throw new SoftrlError(where, `${error.where}: ${error.what}`, error.details, { cause: error });
  }
}
