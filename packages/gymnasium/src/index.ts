export {
  createGymnasiumEnvironment,
  type GymnasiumConfig,
  type GymnasiumEnvironment,
  type GymnasiumOptions,
  type GymnasiumVersions,
} from "./environment.js";
export {
  type FoundPython,
  findPython,
  inspectPython,
  managedDirectory,
  type PythonInspection,
} from "./python.js";
export { setupGymnasium } from "./setup.js";
