import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Provenance } from "softrl";
import { codeOf } from "../files/regular-file.js";

/** This machine, and the commit of softrl's code where it runs from a git checkout. */
export function provenance(): Provenance {
  const commit = commitOf(fileURLToPath(new URL("../..", import.meta.url)));
  return {
    host: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      platform: `${process.platform} ${process.arch}`,
      runtime: `node ${process.versions.node}`,
    },
    ...(commit === null ? {} : { commit }),
  };
}

/**
 * The commit of the checkout that this package is `packages/cli` of, with `-dirty` appended if files differ from it.
 * Null elsewhere: a package that is installed into somebody's project is no part of that project's history.
 */
export function commitOf(packageFolder: string): string | null {
  const checkout = checkoutOf(packageFolder);
  if (checkout === null) return null;
  return gitIn(checkout, ["describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]);
}

/** The git checkout of softrl that this package is `packages/cli` of; null where it is installed. */
export function checkoutOf(packageFolder: string): string | null {
  const checkout = resolve(packageFolder, "../..");
  const isOurs = resolve(checkout, "packages/cli") === resolve(packageFolder);
  return isOurs && existsSync(join(checkout, ".git")) ? checkout : null;
}

/** What git prints; null where it fails, or takes longer. */
export function gitIn(checkout: string, args: readonly string[]): string | null {
  const answer = askGit(checkout, args, 5);
  return "printed" in answer ? answer.printed : null;
}

/** What git prints, or how it failed. */
export type GitAnswer =
  | { readonly printed: string }
  /** The exit code is null where git is not installed, or was ended after its time. */
  | { readonly error: string; readonly exitCode: number | null; readonly isInstalled: boolean };

/** Runs git in a checkout, for so many seconds at most. */
export function askGit(checkout: string, args: readonly string[], seconds: number): GitAnswer {
  // Git's own variables, set inside a hook, would name another repository.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  const { error, status, stdout, stderr } = spawnSync("git", args, {
    cwd: checkout,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: seconds * 1000,
  });
  if (error === undefined && status === 0) return { printed: stdout.trim() };
  const code = codeOf(error);
  const ended = status === null ? "git was ended by a signal" : `git ended with code ${status}`;
  return {
    error: code === "ETIMEDOUT" ? `none within ${seconds} s` : error?.message || stderr.trim() || ended,
    exitCode: status,
    isInstalled: code !== "ENOENT",
  };
}
