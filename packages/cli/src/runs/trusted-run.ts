import { environmentFamily, isBuiltIn, SoftrlError } from "softrl";
import { kindNames } from "../parts/kind-shape.js";
import type { NamedParts, RunParts } from "../parts/run-parts.js";
import type { RunFolder } from "./run-folder.js";
import { isMarked } from "./run-marks.js";
import type { SavedRun, TrustedRun } from "./saved-run.js";

/** What a command does with a saved run, as far as code of others may run. */
export interface Intent {
  /** The files that options name, instead of those of the run. */
  readonly named: NamedParts;
  /** Whether the environments continue from their saved states. */
  readonly restores: boolean;
  /** Whether the user trusts whoever made the run. */
  readonly trust: boolean;
}

/**
 * A saved run whose code may run: one that runs none, that softrl wrote for this user on this machine, or that the user
 * trusts.
 * @throws SoftrlError for every other run: a checkpoint can name any file, and a pickle can run any code.
 */
export function requireTrust(run: SavedRun, { named, restores, trust }: Intent): TrustedRun {
  const code = trust ? [] : codeOf(run, named, restores);
  if (code.length === 0 || isMarked(run.folder, run.file, run.bytes)) return run as TrustedRun;
  throw new SoftrlError(
    run.path,
    "this run can execute code, and nothing shows that softrl wrote it on this account",
    {
      got: `a run that ${code.join(", ")}`,
      remedy: "if you trust whoever made it, add --trust",
    },
  );
}

/** What of a saved run executes code that the run chooses; none for built-in parts and Atari. */
function codeOf({ config }: SavedRun, named: NamedParts, restores: boolean): readonly string[] {
  const { names, modules, chosen } = config;
  const files = kindNames.flatMap((which) => {
    const module = modules[which];
    const isMoved = named[which] !== undefined && named[which].name !== names[which];
    return module === undefined || isMoved ? [] : [`loads ${module}`];
  });
  const { environment: id = "" } = names;
  if (modules.environment !== undefined || !isPlainGymnasium(id)) return files;
  const options = chosen.environment?.options ?? {};
  return [
    ...files,
    ...(id.includes(":") ? [`imports the Python module ${id.slice(0, id.indexOf(":"))}`] : []),
    ...(Object.keys(options).length > 0 ? [`passes options to the Python code of ${id}`] : []),
    ...(restores ? [`reads Python pickles as the states of ${id}`] : []),
  ];
}

/** Whether Gymnasium makes the environment as its id says; Atari has options and states that run nothing. */
const isPlainGymnasium = (id: string): boolean => !isBuiltIn(id) && environmentFamily(id) !== "atari";

/** A folder that a run with these parts is written into: it is marked where its commands would ask for trust. */
export function marked(folder: RunFolder, { modules, environment, environmentKind }: RunParts): RunFolder {
  const runsCode =
    Object.keys(modules).length > 0 || (environmentKind === null && isPlainGymnasium(environment));
  if (runsCode) folder.mark();
  return folder;
}
