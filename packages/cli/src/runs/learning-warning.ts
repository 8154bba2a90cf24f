import { builtInAlgorithms, type LearningWarning, NetworkPolicy, type Policy, type Trainer } from "softrl";
import { settingOptions } from "../options/setting-options.js";
import { counted, inShort, type Terminal } from "../terminal/terminal.js";
import type { RunPlan } from "./run-plan.js";
import { environmentTitle, readsTau } from "./run-report.js";

/** A run whose mean return has not left its start: what was measured. */
export function learningWarningText(warning: LearningWarning): string {
  const { reason, step, steps, firstEpisodes, newestEpisodes, firstMean, newestMean } = warning;
  if (reason === "no-update")
    return `no update is made in ${counted(steps)} steps: learning starts after more`;
  const when = `after ${counted(step)} of ${counted(steps)} steps`;
  if (reason === "no-episode") return `${when} no episode has ended, so there is no mean return`;
  return (
    `${when} the mean return has not risen: ${inShort(newestMean)} over the newest ${newestEpisodes} episodes, ` +
    `${inShort(firstMean)} over the first ${firstEpisodes}`
  );
}

/** What to try, with the options of this run: `try another --learning-rate (now 0.002:0), …`. */
function remedyText({ reason }: LearningWarning, { config, parts }: RunPlan, policy: Policy): string {
  const options = settingOptions(parts);
  const option = (section: string, name: string) =>
    options.find((each) => each.section === section && each.name === name);
  const change = (section: "optimiser" | "algorithm", name: string) => {
    const found = option(section, name);
    if (found === undefined) return [];
    const { flag, setting } = found;
    return [`another ${flag} (now ${setting.toText(setting.check(flag, config[section][name]))})`];
  };
  const choose = (section: "network" | "algorithm", name: string, value: string) => {
    const found = option(section, name);
    const isThere = found?.setting.placeholder.includes(value) === true && config[section][name] !== value;
    return isThere ? [`${found.flag} ${value}`] : [];
  };
  const returns = option("algorithm", "normaliseReturns");
  const normalisedReturns =
    returns === undefined || config.algorithm.normaliseReturns === true ? [] : [`${returns.flag} true`];
  const envs = option("environment", "count");
  const fewer = envs === undefined || config.environment.count === 1 ? [] : [`fewer ${envs.flag}`];
  const followsObservations = policy instanceof NetworkPolicy && policy.followsObservations;
  const others = builtInAlgorithms.map((kind) => kind.name).filter((name) => name !== config.algorithm.name);
  const remedies = {
    "no-update": ["more --steps", ...change("algorithm", "replayStart")],
    "no-episode": ["more --steps", ...fewer],
    "no-rise": [
      ...normalisedReturns,
      ...change("optimiser", "learningRate"),
      ...change("algorithm", "trustRegion"),
      ...change("algorithm", readsTau(config.algorithm) ? "tau" : "epsilon"),
      ...choose("algorithm", "bodies", "separate"),
      ...(followsObservations ? choose("network", "inputs", "normalised") : []),
      "more --steps",
      `another --algorithm (${others.join(", ")})`,
    ],
  };
  return `try ${remedies[reason].join(", ").replace(/, ([^,]*(\([^)]*\))?)$/, " or $1")}`;
}

/** Prints the warning of each run once, when it comes: not those that a resumed run gave before. */
export class WarningLines {
  readonly #runs: readonly { readonly trainer: Trainer; readonly plan: RunPlan; shown: boolean }[];

  constructor(runs: readonly { readonly trainer: Trainer; readonly plan: RunPlan }[]) {
    this.#runs = runs.map((run) => ({ ...run, shown: run.trainer.progress.warning !== undefined }));
  }

  /** @param before called before a line is printed */
  show({ err }: Terminal, before: () => void): void {
    for (const run of this.#runs) {
      const { warning } = run.trainer.progress;
      if (run.shown || warning === undefined) continue;
      run.shown = true;
      before();
      const { config, parts } = run.plan;
      const { policy } = run.trainer.algorithm;
      const title = `${parts.kinds.algorithm.title} on ${environmentTitle(config)}`;
      err.write(
        `softrl: ${title}: ${learningWarningText(warning)}; ${remedyText(warning, run.plan, policy)}\n`,
      );
    }
  }
}
