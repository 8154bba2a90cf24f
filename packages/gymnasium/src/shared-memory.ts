import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { BridgeTransport } from "./config.js";

/** The interface of addon/shared-memory.cpp. */
interface Addon {
  /** The descriptor of an empty file in memory that has no name. */
  readonly openFile: () => number;
  /** The file, made that long and filled with zeros. */
  readonly map: (file: number, bytes: number) => ArrayBuffer;
  readonly closeFile: (file: number) => void;
}

/** A file in memory that children can be given; it is gone with the last process that has it. */
export interface SharedFile {
  readonly descriptor: number;
  /** The file's memory, as long as asked for. @throws Error when there is not so much. */
  map(bytes: number): ArrayBuffer;
  /** What is mapped stays. */
  close(): void;
}

const path = fileURLToPath(new URL("../build/Release/shared-memory.node", import.meta.url));
let loaded: Addon | null | undefined;

function loadAddon(): Addon | null {
  if (!existsSync(path)) return null;
  try {
    return createRequire(import.meta.url)(path);
  } catch {
    return null;
  }
}

/** A new file, or null where the addon is not built or the system refuses: pipes serve then. */
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

/** How observations come from a child on this machine unless told otherwise. */
export function bridgeTransport(): BridgeTransport {
  const file = openSharedFile();
  file?.close();
  return file === null ? "stdio" : "shared memory";
}
