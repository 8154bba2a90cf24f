import { join } from "node:path";
import { build } from "vite";

/** Builds the page that the tests open. */
export async function setup(): Promise<void> {
  const configFile = join(import.meta.dirname, "../../vite.config.ts");
  await build({ configFile, logLevel: "error" });
}
