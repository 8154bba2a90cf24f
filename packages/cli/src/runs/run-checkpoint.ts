import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Algorithm,
  openCheckpoint,
  type Snapshot,
  SoftrlError,
  snapshotSection,
  type TrainConfig,
  faces as theFaces,
} from "softrl";
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

/** Takes over what was learned, whichever executor it was learned on. */
export function adoptTheta(path: string, algorithm: Algorithm, snapshot: Snapshot): void {
  const learner = snapshotSection(path, snapshotSection(path, snapshot, "algorithm"), "learner");
  const { theta } = snapshotSection(path, learner, "states");
  const parameters = algorithm.theta().length;
  if (!((theta instanceof Float32Array || theta instanceof Float64Array) && theta.length === parameters)) {
    throw new SoftrlError(path, "the checkpoint's theta does not fit its network", {
      expected: `${parameters} numbers`,
      got: ArrayBuffer.isView(theta) ? `an array of ${theta.byteLength} bytes` : "none",
      remedy: "use the checkpoint as softrl wrote it",
    });
  }
  const damaged = theta.findIndex((parameter) => !Number.isFinite(parameter));
  if (damaged !== -1) {
    throw new SoftrlError(path, `the checkpoint holds ${theta[damaged]} in theta, at ${damaged}`, {
      expected: "finite numbers",
      remedy: "use the checkpoint of a run that did not diverge",
    });
  }
  algorithm.adopt(theta);
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
      remedy: "name the run folder that `softrl train` printed",
    });
  }
}
