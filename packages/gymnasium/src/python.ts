import { type ExecFileException, execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentFamily, oneLine, SoftrlError } from "softrl";

/** Which of the packages that the bridge needs are installed for an interpreter. */
export interface PythonInspection {
  /** The interpreter, as it was given. */
  readonly path: string;
  /** Its version, for instance `3.11.7`. */
  readonly version: string;
  /** The versions of the installed packages, by name. */
  readonly packages: Readonly<Record<string, string>>;
  /** The packages that the bridge uses but that are not installed. */
  readonly missing: readonly string[];
  /** The packages whose version differs from the one that setup installs; they work, but results may differ. */
  readonly different: readonly string[];
}

/** An interpreter and how it was found. */
export interface FoundPython extends PythonInspection {
  readonly source: "option" | "SOFTRL_PYTHON" | "managed" | "PATH";
}

type Variables = Readonly<Record<string, string | undefined>>;

export const requirementsFile = fileURLToPath(new URL("../python/requirements.txt", import.meta.url));

/** The pinned version of each package. */
export function pinnedVersions(): Readonly<Record<string, string>> {
  const pins = readFileSync(requirementsFile, "utf8").matchAll(/^([\w.-]+)==(\S+)$/gm);
  return Object.fromEntries(Array.from(pins, ([, name, version]) => [name, version]));
}

/** The folder for what softrl keeps of a user: SOFTRL_HOME, or `softrl` in the user's data folder. */
export function dataDirectory(variables: Variables = process.env): string {
  const set = (name: string) => (variables[name] === "" ? undefined : variables[name]);
  return (
    set("SOFTRL_HOME") ??
    join(
      set("XDG_DATA_HOME") ??
        (process.platform === "win32" ? set("LOCALAPPDATA") : undefined) ??
        join(homedir(), ".local", "share"),
      "softrl",
    )
  );
}

/** The folder for the virtual environment of `softrl setup gymnasium`, in {@link dataDirectory}. */
export const managedDirectory = (variables: Variables = process.env): string =>
  join(dataDirectory(variables), "gymnasium");

/** The variables of a Python that inspects or installs: modules in the current folder are not imported. */
export const safePath = (): NodeJS.ProcessEnv => ({ ...process.env, PYTHONSAFEPATH: "1" });

/** The interpreter of a virtual environment. */
export const venvPython = (directory: string): string =>
  process.platform === "win32" ? join(directory, "Scripts", "python.exe") : join(directory, "bin", "python");

/** The packages that environments need, with the names of their modules. */
const modules = {
  gymnasium: "gymnasium",
  numpy: "numpy",
  "ale-py": "ale_py",
  "opencv-python-headless": "cv2",
};
const needs = {
  plain: ["gymnasium", "numpy"],
  atari: ["gymnasium", "numpy", "ale-py", "opencv-python-headless"],
} as const;

/** Whether an id is an Atari environment with the standard preprocessing. */
export const isAtari = (id: string): boolean => environmentFamily(id) === "atari";

const inspection = `
import json, sys
from importlib import metadata, util
modules, pins = map(json.loads, sys.argv[1:])
found = {}
for name in pins:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
missing = [name for name, module in modules.items() if util.find_spec(module) is None]
print(json.dumps({"version": ".".join(map(str, sys.version_info[:3])), "packages": found, "missing": missing}))
`;

/**
 * Inspects which packages are installed for the interpreter at `path`, without importing them.
 * @throws SoftrlError if it is not a working Python interpreter.
 */
export async function inspectPython(path: string): Promise<PythonInspection> {
  const pins = pinnedVersions();
  const output = await runPython(path, ["-c", inspection, JSON.stringify(modules), JSON.stringify(pins)]);
  const { version, packages, missing } = readInspection(path, output);
  const different = Object.keys(pins).filter(
    (name) => packages[name] !== undefined && packages[name] !== pins[name],
  );
  return { path, version, packages, missing, different };
}

/**
 * Finds the first interpreter with the needed packages, in this order: the `python` option, SOFTRL_PYTHON, the managed
 * virtual environment, python3 on PATH. If the option or SOFTRL_PYTHON is set, only that interpreter is considered.
 *
 * @param id the environment to run: only Atari needs ale-py and OpenCV. Without an id, all packages are needed.
 * @throws SoftrlError with the code `no-python`, which lists the interpreters and what each lacks; with another code when
 * the Python that was named does not run.
 */
export async function findPython({
  python,
  id,
  variables = process.env,
}: {
  readonly python?: string | undefined;
  readonly id?: string;
  readonly variables?: Variables;
} = {}): Promise<FoundPython> {
  const needed: readonly string[] = id === undefined || isAtari(id) ? needs.atari : needs.plain;
  const named = variables.SOFTRL_PYTHON;
  if (python === "") {
    throw new SoftrlError("findPython", "the option python is empty", {
      expected: "the path of a Python interpreter",
      got: '""',
      remedy: "leave the option out to search for one",
    });
  }
  if (python !== undefined) return inspectNamed(python, "option", needed);
  if (named !== undefined && named !== "") return inspectNamed(named, "SOFTRL_PYTHON", needed);

  const lacks: string[] = [];
  const managed = venvPython(managedDirectory(variables));
  if (await exists(managed)) {
    const found = await attempt(managed, needed, lacks);
    if (found !== undefined) return { ...found, source: "managed" };
  }
  const onPath = process.platform === "win32" ? "python" : "python3";
  const found = await attempt(onPath, needed, lacks);
  if (found !== undefined) return { ...found, source: "PATH" };
  throw new SoftrlError("findPython", "no Python with Gymnasium was found", {
    got: lacks.join(", and "),
    remedy: "run `softrl setup gymnasium`",
    code: "no-python",
  });
}

async function inspectNamed(
  path: string,
  source: "option" | "SOFTRL_PYTHON",
  needed: readonly string[],
): Promise<FoundPython> {
  const by = source === "option" ? "the python option" : source;
  const found = await inspectPython(path).catch((error: unknown) => {
    if (!(error instanceof SoftrlError)) throw error;
    throw new SoftrlError(by, error.what, error.details, { cause: error });
  });
  if (lacksAny(found, needed)) {
    throw new SoftrlError("findPython", `the Python named by ${by} lacks packages`, {
      got: lacking(found, needed),
      remedy: `install them there, or run \`softrl setup gymnasium\` and do not set ${by}`,
      code: "no-python",
    });
  }
  return { ...found, source };
}

async function attempt(
  path: string,
  needed: readonly string[],
  lacks: string[],
): Promise<PythonInspection | undefined> {
  try {
    const found = await inspectPython(path);
    if (!lacksAny(found, needed)) return found;
    lacks.push(lacking(found, needed));
  } catch (error) {
    if (!(error instanceof SoftrlError)) throw error;
    lacks.push(`${path}, which does not run`);
  }
  return undefined;
}

const lacksAny = ({ missing }: PythonInspection, needed: readonly string[]): boolean =>
  missing.some((name) => needed.includes(name));

const lacking = ({ path, version, missing }: PythonInspection, needed: readonly string[]): string =>
  `${path} (Python ${version}) without ${missing.filter((name) => needed.includes(name)).join(", ")}`;

function readInspection(
  path: string,
  output: string,
): { version: string; packages: Record<string, string>; missing: string[] } {
  let cause: unknown;
  try {
    const { version, packages, missing } = JSON.parse(output.trim().split("\n").at(-1) ?? "");
    if (typeof version === "string" && typeof packages === "object" && Array.isArray(missing)) {
      return { version: oneLine(version, 40), packages, missing };
    }
  } catch (error) {
    cause = error;
  }
  const details = {
    got: `${path}: ${JSON.stringify(output.slice(0, 80))}`,
    remedy: "give the path of a Python interpreter",
  };
  throw new SoftrlError("inspectPython", "the interpreter does not answer like Python", details, {
    cause,
  });
}

function runPython(path: string, parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      path,
      parameters,
      { timeout: 60_000, windowsHide: true, env: safePath() },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const details = {
          expected: "Python 3.11 or newer",
          got: `${path}: ${reasonOf(error, stderr)}`,
          remedy: "install Python, or give the path of a working interpreter",
        };
        const what = "the Python interpreter does not run";
        reject(new SoftrlError("inspectPython", what, details, { cause: error }));
      },
    );
  });
}

/** Why a program did not start or failed, in one line that does not repeat its arguments. */
function reasonOf({ code, signal }: ExecFileException, stderr: string): string {
  if (code === "ENOENT") return "no such file";
  if (code === "EACCES") return "a folder, or not executable";
  if (typeof code === "string") return code;
  const words = stderr.trim().split("\n").at(-1)?.trim().slice(0, 120) ?? "";
  const ending = signal ? `signal ${signal}` : `exit code ${code}`;
  return words === "" ? ending : `${ending}, ${JSON.stringify(words)}`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
