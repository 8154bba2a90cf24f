import { existsSync } from "node:fs";
import { join } from "node:path";
import { oneLine, SoftrlError } from "softrl";
import { readEvents } from "../runs/event-file.js";
import { runFiles } from "../runs/run-folder.js";
import { isOfVersion } from "./code-version.js";

/**
 * @param folder of a run, which need not exist
 * @throws SoftrlError for a run that another version of the code began or continued: its result would be recorded as one of
 * this version.
 */
export function requireVersion(folder: string, codeVersion: string): void {
  const path = join(folder, runFiles.events);
  if (!existsSync(path)) return;
  readEvents(path, ({ event, version, commit }) => {
    if ((event !== "started" && event !== "resumed") || typeof version !== "string") return;
    const found = typeof commit === "string" ? { version, commit } : { version };
    if (isOfVersion(found, codeVersion)) return;
    const verb = event === "started" ? "begun" : "continued";
    throw new SoftrlError(folder, `the run was ${verb} by another version of the code`, {
      expected: codeVersion,
      got: oneLine([version, found.commit ?? []].flat().join("+"), 100),
      remedy: "continue it with that version, or remove the folder to make the run again",
    });
  });
}
