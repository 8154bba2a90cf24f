import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { BridgeTransport } from "./config.js";

/** The interface of addon/shared-memory.cpp. */
interface Addon {
  /** Opens an empty, unnamed file in memory and returns its descriptor. */
  readonly openFile: () => number;
  /** Resizes the file, filled with zeros, and maps it. */
  readonly map: (file: number, bytes: number) => ArrayBuffer;
  readonly closeFile: (file: number) => void;
}

/** A file in memory that children can inherit; it disappears with the last process that has it open or mapped. */
export interface SharedFile {
  readonly descriptor: number;
  /** Maps this many bytes. @throws Error if there is not enough memory. */
  map(bytes: number): ArrayBuffer;
  /** Closes the descriptor; existing mappings stay valid. */
  close(): void;
}

// Built on this machine, or prebuilt in a published package.
const paths = ["build/Release", `prebuilds/${process.platform}-${process.arch}`].map((folder) =>
  fileURLToPath(new URL(`../${folder}/shared-memory.node`, import.meta.url)),
);
let loaded: Addon | null | undefined;

function loadAddon(): Addon | null {
  for (const path of paths.filter((path) => existsSync(path))) {
    try {
      return createRequire(import.meta.url)(path);
    } catch {}
  }
  return null;
}

/** Opens a new file, or returns null if the addon is not built or the system refuses; then pipes are used. */
export function openSharedFile(): SharedFile | null {
  loaded ??= loadAddon();
  if (loaded === null) return null;
  const addon = loaded;
  try {
    const descriptor = addon.openFile();
    return {
      descriptor,
      map: (bytes) => addon.map(descriptor, bytes),
      close: () => addon.closeFile(descriptor),
    };
  } catch {
    return null;
  }
}

/** The default transport of observations on this machine. */
export function bridgeTransport(): BridgeTransport {
  const file = openSharedFile();
  file?.close();
  return file === null ? "stdio" : "shared memory";
}
