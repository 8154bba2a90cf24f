import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { oneLine } from "softrl";
import { isRunProgress, type RunProgress, SECONDS_TO_END, SUPERVISED } from "../terminal/supervisor.js";

/** How the process of a run ended. */
export interface EndedProcess {
  /** Null where a signal ended it. */
  readonly code: number | null;
  /** Its own error in a few lines; empty where it printed none. */
  readonly error: string;
}

const bin = fileURLToPath(new URL("../../bin/softrl.js", import.meta.url));
/** What is kept of what a process prints to stderr. */
const MOST_CHARACTERS = 8000;
const MOST_LINES = 3;
const SECONDS_TO_READ = 2;

/** Processes that run. They end with this one: at its exit by a kill, else because their channel closes. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Runs `softrl` in a process of its own.
 *
 * It has a process group of its own, so that Ctrl-C in a terminal reaches this process alone, and a channel to this one:
 * progress comes through it, and when it closes, the run writes its checkpoint and ends.
 * @param stop closes the channel; a process that does not end in time is killed
 */
export function runProcess(
  args: readonly string[],
  onProgress: (progress: RunProgress) => void,
  stop: AbortSignal,
): Promise<EndedProcess> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...args], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, [SUPERVISED]: String(process.pid) },
      // On Windows a detached process would open a window.
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    running.add(child);
    let printed = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      printed = `${printed}${text}`.slice(-MOST_CHARACTERS);
    });
    child.on("message", (message) => {
      if (isRunProgress(message)) onProgress(message);
    });
    let killing: NodeJS.Timeout | undefined;
    const leave = () => {
      if (child.connected) child.disconnect();
      killing ??= setTimeout(() => child.kill("SIGKILL"), SECONDS_TO_END * 1000);
    };
    stop.addEventListener("abort", leave, { once: true });
    if (stop.aborted) leave();
    const end = (code: number | null, error: string) => {
      stop.removeEventListener("abort", leave);
      clearTimeout(killing);
      running.delete(child);
      resolve({ code, error });
    };
    child.once("error", (error) => end(null, oneLine(error.message, 500)));
    // Not at "close", which does not come once this side has closed the channel.
    child.once("exit", async (code, signal) => {
      await stderrEnded(child);
      end(code, signal === null ? errorIn(printed) : `the process was ended by ${signal}`);
    });
  });
}

/** Waits for what a process has printed; a process that it left behind may hold the stream. */
async function stderrEnded({ stderr }: ChildProcess): Promise<void> {
  if (stderr === null || stderr.closed) return;
  const closed = new Promise((resolve) => stderr.once("close", resolve));
  await Promise.race([closed, sleep(SECONDS_TO_READ * 1000, undefined, { ref: false })]);
  stderr.destroy();
}

/** The first lines of the error that a command printed last. */
export function errorIn(printed: string): string {
  const lines = printed.split("\n").filter((line) => line.trim() !== "");
  const last = lines.findLastIndex((line) => line.startsWith("softrl: "));
  const own = last === -1 ? thrownIn(lines) : lines.slice(last, last + MOST_LINES);
  return own.map((line) => oneLine(line.replace(/^softrl: /, ""), 500)).join("\n");
}

/** The error above the stack that Node prints; the last lines where there is none. */
function thrownIn(lines: readonly string[]): readonly string[] {
  const stack = lines.findIndex((line) => line.startsWith("    at "));
  return stack < 1 ? lines.slice(-MOST_LINES) : [lines[stack - 1]];
}
