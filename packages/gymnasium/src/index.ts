/// <reference types="node" preserve="true" />
export {
  type BridgeTransport,
  bridgeTransports,
  type GymnasiumConfig,
  type GymnasiumOptions,
} from "./config.js";
export { createGymnasiumEnvironment, type GymnasiumEnvironment } from "./environment.js";
export type { GymnasiumVersions } from "./handshake.js";
export {
  dataDirectory,
  type FoundPython,
  findPython,
  inspectPython,
  managedDirectory,
  type PythonInspection,
} from "./python.js";
export { setupGymnasium } from "./setup.js";
export { bridgeTransport } from "./shared-memory.js";
