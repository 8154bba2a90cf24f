export {
  createGymnasiumEnvironment,
  type GymnasiumConfig,
  type GymnasiumEnvironment,
  type GymnasiumOptions,
} from "./environment.js";
export type { GymnasiumVersions } from "./handshake.js";
export {
  type FoundPython,
  findPython,
  inspectPython,
  managedDirectory,
  type PythonInspection,
} from "./python.js";
export { setupGymnasium } from "./setup.js";
