// @ts-check
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RandomStreams } from "softrl";
import { copyOfBaseRun } from "./base-runs.js";
import { snapshotOf, touched } from "./case-folder.js";
import { inspect } from "./inspect-run.js";
import { replaceFile } from "./mutate-files.js";
import { mutateBytes, mutateJson, oddJson, pick, short } from "./odd-values.js";
import { faultsOf, outcomeText } from "./outcome.js";

/** @typedef {import("softrl").Random} Random */

/** Changed config.json and events.jsonl, read by the commands that read them. */
export const folders = {
  name: "folders",
  about:
    "changed config.json and events.jsonl, read by report, resume, csv, plot, tensorboard and train --config",
  inServer: true,
  /** @param {number} seed @param {import("./main.js").CaseContext} context */
  async run(seed, context) {
    const random = new RandomStreams(seed).stream("folders");
    const { name: baseName, folder } = await copyOfBaseRun(random, context);
    const name = pick(random, ["config.json", "events.jsonl"]);
    const path = join(folder.run, name);
    const how = random.integer(6);
    let about = "";
    if (how === 0) {
      about = replaceFile(random, path, folder);
    } else if (how === 1) {
      const mutated = mutateBytes(random, readFileSync(path));
      writeFileSync(path, mutated.bytes);
      about = mutated.about;
    } else {
      const mutate = name === "config.json" ? mutateConfig : mutateEvents;
      const mutated = mutate(random, readFileSync(path, "utf8"));
      writeFileSync(path, mutated.text);
      about = mutated.about;
    }
    const faults = [];
    if (name === "config.json") {
      const before = snapshotOf(folder.path);
      // Options that keep a valid configuration short.
      const limits = ["--steps", "20", "--run-folder", "new"];
      const outcome = await context.execute(["train", "--config", "run/config.json", ...limits], {
        cwd: folder.work,
      });
      const found = faultsOf(outcome);
      found.push(...touched(before, snapshotOf(folder.path), (entry) => /^work\/new(\/|$)/.test(entry)));
      if (found.length > 0) faults.push(...found, outcomeText(outcome));
    }
    faults.push(
      ...(await inspect(folder, context, {
        only: name === "config.json" ? ["report", "resume"] : eventReaders,
      })),
    );
    return { about: `${baseName}, ${name}: ${about}`, faults };
  },
};

/** The commands that read events. */
const eventReaders = ["report", "resume", "csv", "plot", "tensorboard"];

/** @param {Random} random @param {string} text */
function mutateConfig(random, text) {
  const { value, about } = mutateJson(random, JSON.parse(text));
  return { text: oddJson(value, 2), about };
}

/** @param {Random} random @param {string} text */
function mutateEvents(random, text) {
  const lines = text.trimEnd().split("\n");
  const [a, b] = [random.integer(lines.length), random.integer(lines.length)];
  const ended = (/** @type {readonly string[]} */ all) => `${all.join("\n")}\n`;
  switch (random.integer(9)) {
    case 0:
      [lines[a], lines[b]] = [lines[b], lines[a]];
      return { text: ended(lines), about: `lines ${a + 1} and ${b + 1} swapped` };
    case 1:
      lines.splice(a, 1);
      return { text: ended(lines), about: `line ${a + 1} removed` };
    case 2:
      lines.splice(a, 0, lines[b]);
      return { text: ended(lines), about: `line ${b + 1} twice` };
    case 3: {
      const odd = pick(random, [
        "",
        "null",
        "[]",
        "7",
        "{",
        "\ufeff",
        "\u0000\u0000",
        '{"event":"checkpoint"}',
        "x".repeat(1e6),
      ]);
      lines.splice(a, 0, odd);
      return { text: ended(lines), about: `line ${a + 1} is ${short(odd)}` };
    }
    case 4:
      return { text: lines.join("\r\n"), about: "lines that end as on Windows" };
    case 5: {
      const updates = Array.from({ length: 2000 }, (_, i) => `{"event":"update","figures":{"f${i}":1}}`);
      lines.splice(a, 0, ...updates);
      return { text: ended(lines), about: "2,000 updates, each with a figure of its own" };
    }
    default: {
      const { value, about } = mutateJson(random, JSON.parse(lines[a]));
      lines[a] = oddJson(value);
      return { text: ended(lines), about: `line ${a + 1}: ${about}` };
    }
  }
}
