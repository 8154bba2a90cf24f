// @ts-check
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { RandomStreams } from "softrl";
import { copyOfBaseRun } from "./base-runs.js";
import { mutateCheckpoint, mutateReplay } from "./checkpoint-bytes.js";
import { inspect } from "./inspect-run.js";
import { replaceFile } from "./mutate-files.js";

/** Changed checkpoints and replays, read by every command that reads one. */
export const checkpoints = {
  name: "checkpoints",
  about: "changed checkpoints and replays, read by evaluate, record, report and resume",
  inServer: true,
  /** @param {number} seed @param {import("./main.js").CaseContext} context */
  async run(seed, context) {
    const random = new RandomStreams(seed).stream("checkpoints");
    const { name: baseName, folder } = await copyOfBaseRun(random, context);
    const path = join(folder.run, "checkpoint.safetensors");
    if (existsSync(join(folder.run, "replay")) && random.integer(2) === 0) {
      const { about, refused } = changeReplay(random, folder);
      // Resuming alone reads the replay.
      const faults = await inspect(folder, context, { refused, only: ["resume"] });
      if (refused) faults.push(...(await inspect(folder, context, { succeeds: true, only: readers })));
      // A link in place of the folder cannot be written to.
      const only = ["resume --without-replay"];
      const isFolder =
        lstatSync(join(folder.run, "replay"), { throwIfNoEntry: false })?.isDirectory() !== false;
      if (refused) faults.push(...(await inspect(folder, context, { succeeds: isFolder, only })));
      return { about: `${baseName}, ${about}`, faults };
    }
    let about = "";
    let refused = false;
    if (random.integer(12) === 0) {
      about = replaceFile(random, path, folder);
      refused = true;
    } else {
      const mutated = mutateCheckpoint(random, readFileSync(path));
      writeFileSync(path, mutated.bytes);
      about = mutated.about;
      refused = mutated.damaged;
    }
    const faults = await inspect(folder, context, { refused, trust: random.integer(2) === 0 });
    return { about: `${baseName}, ${about}`, faults };
  },
};

/** The commands that work without the replay. */
const readers = ["evaluate", "record", "report"];

/**
 * Changes a piece of the replay, or puts something else in the place of it or of all of them.
 * @param {import("softrl").Random} random
 * @param {import("./case-folder.js").CaseFolder} folder
 * @returns {{ about: string, refused: boolean }} refused: only an error is right for resume
 */
function changeReplay(random, folder) {
  const replay = join(folder.run, "replay");
  const names = readdirSync(replay).sort();
  const name = names[random.integer(names.length)];
  const path = join(replay, name);
  switch (random.integer(6)) {
    case 0:
      return { about: replaceFile(random, path, folder), refused: true };
    case 1:
      return { about: replaceFile(random, replay, folder), refused: true };
    case 2: {
      const elsewhere = join(folder.beside, "replay");
      renameSync(replay, elsewhere);
      symlinkSync(elsewhere, replay);
      return { about: "replay: a link to the folder itself", refused: true };
    }
    case 3: {
      const other = join(replay, names[random.integer(names.length)]);
      if (other === path) {
        rmSync(path);
        return { about: `${name}: missing`, refused: true };
      }
      writeFileSync(path, readFileSync(other));
      return { about: `${name}: another piece`, refused: true };
    }
    default: {
      const checkpoint = join(folder.run, "checkpoint.safetensors");
      const changed = mutateReplay(random, name, readFileSync(path), readFileSync(checkpoint));
      rmSync(path);
      writeFileSync(join(replay, changed.name), changed.bytes);
      writeFileSync(checkpoint, changed.checkpoint);
      return { about: `${name}: ${changed.about}`, refused: changed.damaged };
    }
  }
}
