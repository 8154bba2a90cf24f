import { fileURLToPath } from "node:url";
import { version } from "softrl";
import { checkoutOf, gitIn } from "../runs/provenance.js";

/**
 * What decides the numbers of a run: the library with its kernels and bridges, and what the command makes of a run's settings
 * and takes from its folder. The rest of the command, the documents and the experiments do not.
 */
export const computing: readonly string[] = [
  "kernels",
  "packages/core/src",
  "packages/native",
  "packages/gymnasium",
  "packages/node/src",
  "packages/cli/src/parts",
  ...["assemble", "executor", "run-plan", "training", "training-worker"].map(
    (name) => `packages/cli/src/runs/${name}.ts`,
  ),
  "packages/cli/src/sweeps/finished-run.ts",
];

/** The key of each run depends on git: a busy machine must not change it. */
const SECONDS = 60;

/**
 * The version of the code that computes runs: `0.1.0`, and in a checkout of softrl `0.1.0+<commit>`, the last commit that
 * changed that code, with `-dirty` appended if it has uncommitted changes.
 */
export function codeVersion(packageFolder = fileURLToPath(new URL("../..", import.meta.url))): string {
  const checkout = checkoutOf(packageFolder);
  if (checkout === null) return version;
  const commit = gitIn(checkout, ["log", "-1", "--format=%H", "--", ...computing], SECONDS);
  if (commit === null || commit === "") return version;
  const changes = gitIn(
    checkout,
    ["status", "--porcelain", "--untracked-files=no", "--", ...computing],
    SECONDS,
  );
  return `${version}+${commit.slice(0, 12)}${changes === "" ? "" : "-dirty"}`;
}
