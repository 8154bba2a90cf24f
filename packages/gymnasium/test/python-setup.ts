import { fileURLToPath } from "node:url";
import { findPython, setupGymnasium } from "@softrl/gymnasium";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** The path of an interpreter with all packages. */
    python: string;
  }
}

/** Finds a Python with Gymnasium for the tests, or installs one in a cache folder. */
export default async function setup(project: TestProject): Promise<void> {
  const directory = fileURLToPath(new URL("../../../node_modules/.cache/softrl-gymnasium", import.meta.url));
  const found = await findPython().catch(() =>
    setupGymnasium({ directory, onLine: (line) => process.stdout.write(`${line}\n`) }),
  );
  project.provide("python", found.path);
}
