// @ts-check
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RandomStreams } from "softrl";
import { copyOfBaseRun } from "./base-runs.js";
import { mutateCheckpoint } from "./checkpoint-bytes.js";
import { inspect } from "./inspect-run.js";
import { replaceFile } from "./mutate-files.js";

/** Changed checkpoints, read by every command that reads one. */
export const checkpoints = {
  name: "checkpoints",
  about: "changed checkpoints, read by evaluate, record, report and resume",
  inServer: true,
  /** @param {number} seed @param {import("./main.js").CaseContext} context */
  async run(seed, context) {
    const random = new RandomStreams(seed).stream("checkpoints");
    const { name: baseName, folder } = await copyOfBaseRun(random, context);
    const path = join(folder.run, "checkpoint.safetensors");
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
