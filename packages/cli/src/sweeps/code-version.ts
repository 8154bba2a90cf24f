import { fileURLToPath } from "node:url";
import { oneLine, SoftrlError, version } from "softrl";
import { askGit, checkoutOf, type GitAnswer } from "../runs/provenance.js";

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

const packageOfCommand = fileURLToPath(new URL("../..", import.meta.url));

/** The key of each run depends on git: a busy machine must not change it. */
const SECONDS = 60;

/**
 * The version of the code that computes runs: `0.1.0`, and in a checkout of softrl `0.1.0+<commit>`, the last commit that
 * changed that code, with `-dirty` appended if it has uncommitted changes.
 * @param packageFolder that of this package
 * @param seconds how long git may take for an answer
 * @throws SoftrlError when git fails or takes longer: another version would make all runs again.
 */
export function codeVersion(packageFolder = packageOfCommand, seconds = SECONDS): string {
  const checkout = checkoutOf(packageFolder);
  if (checkout === null) return version;
  const found = askGit(checkout, ["log", "-1", "--format=%H", "--", ...computing], seconds);
  if ("error" in found && (!found.isInstalled || hasNoCommit(checkout, seconds))) return version;
  const commit = printed(checkout, "log", found, seconds);
  if (commit === "") return version;
  const status = ["status", "--porcelain", "--untracked-files=no", "--", ...computing];
  const changes = printed(checkout, "status", askGit(checkout, status, seconds), seconds);
  return `${version}+${commit.slice(0, 12)}${changes === "" ? "" : "-dirty"}`;
}

/**
 * Whether a run that names its code by a version of softrl and a commit of its checkout, as its events do, was begun by this
 * version of the code. The commit does not tell which changes were not committed: they are left out on both sides.
 */
export function isOfVersion(
  begun: { readonly version: string; readonly commit?: string },
  codeVersion: string,
  packageFolder = packageOfCommand,
): boolean {
  const [own, ownCommit = ""] = codeVersion.replace(/-dirty$/, "").split("+");
  const commit = /^[0-9a-f]{40}(?=-dirty$|$)/.exec(begun.commit ?? "")?.[0];
  const checkout = checkoutOf(packageFolder);
  if (begun.version !== own) return false;
  if (commit === undefined || ownCommit === "" || checkout === null) return (commit ?? "") === ownCommit;
  const found = askGit(checkout, ["log", "-1", "--format=%H", commit, "--", ...computing], SECONDS);
  return "printed" in found && found.printed.slice(0, ownCommit.length) === ownCommit;
}

/** Whether a repository has no commit yet: git says so by this code, and by no other. */
function hasNoCommit(checkout: string, seconds: number): boolean {
  const head = askGit(checkout, ["rev-parse", "--verify", "--quiet", "HEAD"], seconds);
  return "error" in head && head.exitCode === 1;
}

function printed(checkout: string, command: string, answer: GitAnswer, seconds: number): string {
  if ("printed" in answer) return answer.printed;
  throw new SoftrlError(checkout, "the version of the code could not be read", {
    expected: `an answer of git ${command} within ${seconds} s`,
    got: oneLine(answer.error, 300),
    remedy: `run git ${command} there to see what is wrong, then run this command again`,
  });
}
