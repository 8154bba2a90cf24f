import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Builds the site that the tests read, as the command does; fails with what the build prints. */
export function setup(): void {
  const build = join(import.meta.dirname, "../build.js");
  execFileSync(process.execPath, [build], { stdio: ["ignore", "ignore", "inherit"] });
}
