import type { RunFolder } from "./run-folder.js";

/** What a run's folder passes through when it is opened. */
export type Follower = (folder: RunFolder) => RunFolder;

/** Writes the events of runs for TensorBoard, too, if that is wanted; else nothing of it is loaded. */
export async function tensorBoardFollower(wanted: boolean): Promise<Follower> {
  if (!wanted) return (folder) => folder;
  const { followRun } = await import("../tensorboard/event-log.js");
  return (folder) => {
    folder.follow(followRun(folder.path));
    return folder;
  };
}
