import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint, type Snapshot, SoftrlError, type TrainConfig, faces as theFaces } from "softrl";
import { runFiles } from "./run-folder.js";

/** A run folder's checkpoint, opened. */
export interface RunCheckpoint {
  /** Where it was read: what errors about it name. */
  readonly path: string;
  readonly config: TrainConfig;
  readonly snapshot: Snapshot;
}

/**
 * Opens the checkpoint of the run in a folder.
 * @throws SoftrlError when there is none, and names the runs where the folder is that of a comparison.
 */
export function readRunCheckpoint(folder: string): RunCheckpoint {
  const path = join(folder, runFiles.checkpoint);
  return { path, ...openCheckpoint(path, bytesOf(folder, path)) };
}

function bytesOf(folder: string, path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const faces = theFaces.filter((face) => existsSync(join(folder, face, runFiles.checkpoint)));
    if (faces.length > 0) {
      throw new SoftrlError(folder, "the folder of a comparison", {
        expected: "the folder of one training run",
        remedy: `name ${faces.map((face) => join(folder, face)).join(" or ")}`,
      });
    }
    throw new SoftrlError(path, "the checkpoint cannot be read", {
      expected: "the run folder of a training run",
      got: error instanceof Error ? error.message : String(error),
      remedy: "name a folder that `softrl train` wrote; it is the last line that train prints",
    });
  }
}
