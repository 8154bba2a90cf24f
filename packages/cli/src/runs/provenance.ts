import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Provenance } from "softrl";

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
export function gitIn(checkout: string, args: readonly string[], seconds = 5): string | null {
  // Git's own variables, set inside a hook, would name another repository.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  try {
    return execFileSync("git", args, {
      cwd: checkout,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: seconds * 1000,
    }).trim();
  } catch {
    return null;
  }
}
