import { spawn } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { SoftrlError } from "softrl";
import {
  type FoundPython,
  inspectPython,
  managedDirectory,
  type PythonInspection,
  requirementsFile,
  safePath,
  venvPython,
} from "./python.js";

const WHERE = "setup gymnasium";
const OLDEST = [3, 11] as const;
const candidates =
  process.platform === "win32" ? ["python", "py"] : ["python3", "python3.13", "python3.12", "python3.11"];

/**
 * Creates a virtual environment with pinned versions of Gymnasium, the Arcade Learning Environment and OpenCV, and
 * checks that Pong starts. Does nothing if it is already complete. After a failure it removes the partial installation,
 * but keeps an older one that works.
 *
 * @param onLine receives one line per action.
 * @param directory the folder; {@link managedDirectory} by default.
 * @param signal stops the setup and kills the processes that it has started.
 * @throws SoftrlError that reports what is missing (Python, venv, the network, disk space) and what to do.
 */
export async function setupGymnasium({
  onLine = () => {},
  directory = managedDirectory(),
  signal,
}: {
  readonly onLine?: (line: string) => void;
  readonly directory?: string;
  readonly signal?: AbortSignal;
} = {}): Promise<FoundPython> {
  const python = venvPython(directory);
  const before = await contents(directory);
  let complete = false;
  if (before.includes("pyvenv.cfg")) {
    const standing = await inspectPython(python).catch(() => undefined);
    complete = standing?.missing.length === 0;
    if (standing !== undefined && complete && standing.different.length === 0) {
      onLine(`${directory} is ready: ${described(standing)}`);
      return { ...standing, source: "managed" };
    }
  } else if (before.length > 0) {
    throw new SoftrlError(WHERE, `${directory} is not a virtual environment`, {
      expected: "an empty or missing folder",
      got: `a folder with ${before[0]}`,
      remedy: "move it away, or set SOFTRL_HOME to another folder",
    });
  }

  try {
    if (!complete) {
      const base = await basePython();
      await makeParent(directory);
      onLine(`making a virtual environment in ${directory} with Python ${base.version}`);
      await run(base.path, ["-m", "venv", "--clear", directory], venvFailure, { signal });
    }
    onLine("installing the pinned packages");
    const install = ["install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
    const patience = ["--retries", "2", "--timeout", "20"];
    await run(python, ["-m", "pip", ...install, ...patience, "-r", requirementsFile], installFailure, {
      signal,
      onLine: (line) => {
        if (/^(Collecting|Successfully installed)/.test(line)) onLine(line);
      },
    });
    onLine("checking that Pong starts");
    await run(python, ["-c", check], checkFailure, { signal });
  } catch (error) {
    // A working environment with other versions is better than none.
    if (!complete) await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const found = await inspectPython(python);
  onLine(`${directory} is ready: ${described(found)}`);
  return { ...found, source: "managed" };
}

const check = `
import ale_py, cloudpickle, cv2, gymnasium, numpy
gymnasium.register_envs(ale_py)
gymnasium.make("ALE/Pong-v5").reset(seed=0)
`;

const described = ({ version, packages }: PythonInspection): string =>
  `Python ${version}, gymnasium ${packages.gymnasium}, ale-py ${packages["ale-py"]}`;

async function contents(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw folderFailure(directory, error);
  }
}

async function makeParent(directory: string): Promise<void> {
  try {
    await mkdir(dirname(directory), { recursive: true });
  } catch (error) {
    throw folderFailure(directory, error);
  }
}

const folderFailure = (directory: string, error: unknown): SoftrlError =>
  new SoftrlError(
    WHERE,
    `${directory} cannot be used`,
    {
      got: error instanceof Error ? error.message : String(error),
      remedy: "set SOFTRL_HOME to a writable folder",
    },
    { cause: error },
  );

/** A Python that is new enough to create the virtual environment. */
async function basePython(): Promise<PythonInspection> {
  const seen: string[] = [];
  for (const candidate of candidates) {
    const found = await inspectPython(candidate).catch(() => undefined);
    if (found === undefined) continue;
    const [major, minor] = found.version.split(".").map(Number);
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return found;
    seen.push(`${candidate} of version ${found.version}`);
  }
  throw new SoftrlError(WHERE, "no suitable Python is installed", {
    expected: `Python ${OLDEST.join(".")} or newer as ${candidates[0]} on PATH`,
    got: seen.length === 0 ? "none" : seen.join(", "),
    remedy: "install Python, then run the command again",
    code: "no-python",
  });
}

type Diagnosis = (output: string) => SoftrlError;

function run(
  program: string,
  parameters: readonly string[],
  diagnose: Diagnosis,
  {
    onLine = () => {},
    signal,
  }: { readonly onLine?: (line: string) => void; readonly signal: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const interruption = () =>
      new SoftrlError(WHERE, "interrupted", { remedy: "run the command again to complete the installation" });
    if (signal?.aborted) return reject(interruption());
    const child = spawn(program, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      env: safePath(),
      // A process group of its own, so that killing it also kills pip's child processes.
      detached: process.platform !== "win32",
    });
    const kill = () => {
      try {
        if (child.pid !== undefined && process.platform !== "win32") process.kill(-child.pid, "SIGKILL");
        else child.kill("SIGKILL");
      } catch {
        // It has already exited.
      }
    };
    process.on("exit", kill);
    signal?.addEventListener("abort", kill);
    const settled = () => {
      process.off("exit", kill);
      signal?.removeEventListener("abort", kill);
    };
    let output = "";
    let line = "";
    const read = (text: string) => {
      output = (output + text).slice(-65536);
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const whole of lines) onLine(whole.trim());
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.once("error", (error) => {
      settled();
      const details = {
        got: error.message,
        remedy: "fix this, then run the command again",
        code: "no-python",
      } as const;
      reject(new SoftrlError(WHERE, `${program} cannot be started`, details, { cause: error }));
    });
    child.once("close", (code) => {
      settled();
      if (signal?.aborted) reject(interruption());
      else if (code === 0) resolve();
      else reject(diagnose(output));
    });
  });
}

function venvFailure(output: string): SoftrlError {
  if (/ensurepip|No module named venv/.test(output)) {
    return new SoftrlError(WHERE, "this Python has no venv module", {
      remedy: "install it (Debian, Ubuntu: apt install python3-venv), then run the command again",
    });
  }
  return general("could not create the virtual environment", output);
}

/** Makes an error that explains pip's failure from its output. */
export function installFailure(output: string): SoftrlError {
  const network =
    /NewConnectionError|Name or service not known|name resolution|Network is unreachable|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Connection refused|Max retries/i;
  if (network.test(output)) {
    return new SoftrlError(WHERE, "the Python package index cannot be reached", {
      got: lastError(output, network),
      remedy: "connect to the network, or set PIP_INDEX_URL to a reachable index, then run the command again",
    });
  }
  const unfound = /No matching distribution found for (\S+)/.exec(output);
  if (unfound !== null) {
    return new SoftrlError(WHERE, `pip cannot find ${unfound[1]} for this Python and platform`, {
      remedy: "use Python 3.11 to 3.14 on a platform with prebuilt packages",
    });
  }
  return general("pip could not install the packages", output);
}

const checkFailure: Diagnosis = (output) => general("the installed packages do not run", output);

function general(what: string, output: string): SoftrlError {
  const full = /No space left on device/.test(output);
  return new SoftrlError(WHERE, full ? `${what}: the disk is full` : what, {
    got: lastError(output),
    remedy: full ? "free disk space, then run the command again" : "fix this, then run the command again",
  });
}

function lastError(output: string, kind = /error/i): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const telling = lines.findLast((line) => kind.test(line)) ?? lines.at(-1) ?? "no output";
  return telling.slice(0, 300);
}
