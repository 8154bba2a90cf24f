import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder, type Outcome, run, runProgram } from "./command.js";

const modules = fileURLToPath(new URL("../../packages/gymnasium/test/python_modules", import.meta.url));
const env = { PYTHONPATH: modules, PYTHONDONTWRITEBYTECODE: "1" };

function expectOneError({ code, stdout, stderr }: Outcome, message: RegExp): void {
  console.log(stderr.trim());
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^softrl: .*\n$/);
  expect(stdout).toBe("");
  expect(code).toBe(1);
}

function expectFailedFolder(runFolder: string, error: RegExp): void {
  const names = readdirSync(runFolder);
  expect(names).not.toContain("result.json");
  expect(names.filter((name) => name.startsWith("."))).toEqual([]);
  const lines = readFileSync(join(runFolder, "events.jsonl"), "utf8").split("\n");
  expect(lines.pop()).toBe("");
  const events = lines.map((line) => JSON.parse(line));
  expect(events.at(-1)).toEqual({ event: "failed", error: expect.stringMatching(error) });
}

describe("softrl train on a faulty Gymnasium environment", () => {
  it.each([
    [
      "NanObservation",
      /the observation of environment 0 is not finite at step 3, expected finite numbers, got nan/,
    ],
    [
      "InfiniteReward",
      /the reward of environment 0 is not finite at step 3, expected a finite number, got -inf/,
    ],
    [
      "WrongShape",
      /environment 0 at step 3: the observation has the wrong shape, expected \(2,\), got \(3,\)/,
    ],
    ["Exits", /the Python process ended during step.*exit code 9.*"so long"/],
  ])("%s: one clear error line, which is also in the run folder", async (name, message) => {
    await inTemporaryFolder(async (folder) => {
      const runFolder = join(folder, "run");
      const id = `softrl_test_environments:${name}-v0`;
      const outcome = await run(["train", "--env", id, "--json", "--run-folder", runFolder], { env });
      expectOneError(outcome, message);
      expect(outcome.stderr).toContain(id);
      expect(outcome.stderr).toContain(runFolder);
      expectFailedFolder(runFolder, message);
    });
  });

  it("a child process that is killed during training", async () => {
    await inTemporaryFolder(async (folder) => {
      const runFolder = join(folder, "run");
      const args = [
        "train",
        "--env",
        "CartPole-v0",
        "--steps",
        "50000000",
        "--json",
        "--run-folder",
        runFolder,
      ];
      const softrl = fileURLToPath(new URL("../../packages/cli/bin/softrl.js", import.meta.url));
      const child = spawn(process.execPath, [softrl, ...args], { stdio: ["ignore", "pipe", "pipe"] });
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (text) => {
        stdout += text;
      });
      child.stderr.on("data", (text) => {
        stderr += text;
      });
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      const events = join(runFolder, "events.jsonl");
      while (!existsSync(events) || readFileSync(events).length < 20_000) {
        expect(child.exitCode, stderr).toBeNull();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
        .trim()
        .split(" ");
      expect(children).toHaveLength(1);
      process.kill(Number(children[0]), "SIGKILL");
      const outcome = { code: await ended, stdout, stderr: stderr.replace(/^ .*\n/gm, ""), json: () => null };
      expectOneError(
        outcome,
        /the Python process ended .*signal SIGKILL.*To start it again: softrl train --config \S+/,
      );
      expectFailedFolder(runFolder, /signal SIGKILL/);
    });
  });
});

describe("softrl train with a folder that cannot be written", () => {
  it("a read-only file system", async (context) => {
    await inTemporaryFolder(async (folder) => {
      const place = join(folder, "read-only");
      mkdirSync(place);
      // Root can write despite permissions, but not to a read-only file system.
      const mounted = await runProgram("mount", ["-t", "tmpfs", "-o", "ro", "none", place]).catch(() => null);
      const target = mounted?.code === 0 ? join(place, "run") : "/sys/softrl-run";
      try {
        if (!existsSync(join(target, ".."))) return context.skip();
        const outcome = await run(["train", "--steps", "40", "--run-folder", target]);
        expectOneError(
          outcome,
          /: the run folder could not be made, got E(ROFS|PERM|ACCES|NOENT): .*--run-folder/,
        );
        expect(outcome.stderr).not.toContain("free some space");
        expect(existsSync(target)).toBe(false);
      } finally {
        if (mounted?.code === 0) await runProgram("umount", [place]);
      }
    });
  });

  it("a full disk: the events end with a complete line, and no partial file remains", async (context) => {
    await inTemporaryFolder(async (folder) => {
      const place = join(folder, "full");
      mkdirSync(place);
      const mounted = await runProgram("mount", ["-t", "tmpfs", "-o", "size=64k", "none", place]).catch(
        () => null,
      );
      if (mounted?.code !== 0) return context.skip();
      try {
        const target = join(place, "run");
        const outcome = await run(["train", "--steps", "500000", "--run-folder", target]);
        expectOneError(outcome, /could not be written, got ENOSPC: .*; free some space/);
        const names = readdirSync(target);
        expect(names.filter((name) => name.startsWith("."))).toEqual([]);
        const lines = readFileSync(join(target, "events.jsonl"), "utf8").split("\n");
        expect(lines.pop()).toBe("");
        for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
      } finally {
        await runProgram("umount", [place]);
      }
    });
  });
});
