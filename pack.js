// Runs before npm packs or publishes a package: builds the workspace, and fails where a file that the package names as an
// entry point does not exist. Without it, a package that was never built is packed with nothing in it.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** All texts in a value of package.json: the paths that `exports` and `bin` name, under whatever conditions. */
const textsIn = (value) =>
  typeof value === "string" ? [value] : value === undefined ? [] : Object.values(value).flatMap(textsIn);

// The settings of the npm that packs, such as --workspace, are not for the build.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name)));
try {
  const stdio = ["ignore", process.stderr, process.stderr];
  execFileSync("npm", ["run", "build"], {
    cwd: import.meta.dirname,
    env,
    stdio,
    shell: process.platform === "win32",
  });
} catch {
  console.error("not packed: the build failed; fix it, then pack again.");
  process.exit(1);
}

const { name, exports, bin } = JSON.parse(readFileSync("package.json", "utf8"));
const missing = textsIn([exports, bin]).filter((path) => !existsSync(join(process.cwd(), path)));
if (missing.length > 0) {
  console.error(`${name} is not packed: ${missing.join(", ")} missing after the build; run npm run build.`);
  process.exit(1);
}
