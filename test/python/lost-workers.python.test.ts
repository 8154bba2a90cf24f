import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { eventually, startSoftrl } from "../../packages/cli/test/command.js";
import { temporaryFolder } from "../temporary-folder.js";

const place = temporaryFolder("lost-workers");

/** The processes of Python that were started with a variable of this value, from the oldest on. */
function pythons(mark: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const isMarked = readFileSync(join("/proc", pid, "environ"), "latin1").includes(
          `SOFTRL_MARK=${mark}`,
        );
        return isMarked && /python/.test(readFileSync(join("/proc", pid, "cmdline"), "latin1"));
      } catch {
        // It has just ended.
        return false;
      }
    })
    .map(Number)
    .sort((a, b) => a - b);
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

test.runIf(process.platform === "linux").each([
  [
    "is killed",
    "SIGKILL",
    /worker [12] of 2: gymnasium \S+: the Python process ended (during \w+|between two requests)/,
  ],
  // The worker waits for its environment: it is lost, and cannot end the process itself.
  ["answers no more", "SIGSTOP", /worker [12] of 2: the worker has made no step for 2 seconds/],
] as const)(
  "a run of two workers, the environment of one of which %s, leaves no process of Python",
  async (_, signal, message) => {
    const mark = `${process.pid}-${signal}`;
    const id = "softrl_test_environments:Calm-v0";
    const path = join(place, signal);
    const args = `train --algorithm a3c --workers 2 --env ${id} --envs 1 --steps 100000000 --no-chart`.split(
      " ",
    );
    const { child, finished } = startSoftrl([...args, "--run-folder", path], place, {
      env: {
        SOFTRL_MARK: mark,
        ...(signal === "SIGSTOP" ? { SOFTRL_WORKER_PATIENCE: "2" } : {}),
        SOFTRL_EXECUTOR: "wasm",
        SOFTRL_PYTHON: inject("python"),
        PYTHONPATH: fileURLToPath(new URL("../../packages/gymnasium/test/python_modules", import.meta.url)),
      },
    });
    try {
      const hasSteps = () => {
        try {
          return /"event":"update"/.test(readFileSync(join(path, "events.jsonl"), "utf8"));
        } catch {
          return false;
        }
      };
      await eventually(hasSteps);
      // The environment of the run itself, and then that of each worker; they may have processes of their own.
      const ofRun = pythons(mark).filter((pid) => parentOf(pid) === child.pid);
      expect(ofRun).toHaveLength(3);
      process.kill(ofRun[2], signal);
      const { code, stderr } = await finished;
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(message);
      await eventually(() => pythons(mark).length === 0);
    } finally {
      child.kill("SIGKILL");
      for (const pid of pythons(mark)) process.kill(pid, "SIGKILL");
    }
  },
);
