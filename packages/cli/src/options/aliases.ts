import { type ChosenSettings, SoftrlError, sectionNames } from "softrl";
import type { SettingOption } from "./setting-options.js";

/** What softrl calls a setting of another library; it is used in hints only. */
interface Alias {
  /** `--tau` */
  readonly option: string;
  /** The section and the key in a file of settings: `algorithm.tau`. */
  readonly key: string;
}

const tau: Alias = { option: "--tau", key: "algorithm.tau" };
const horizon: Alias = { option: "--horizon", key: "algorithm.horizon" };
const steps: Alias = { option: "--steps", key: "run.steps" };
const envs: Alias = { option: "--envs", key: "environment.count" };
const valueCoefficient: Alias = { option: "--value-coefficient", key: "algorithm.valueCoefficient" };
const learningRate: Alias = { option: "--learning-rate", key: "optimiser.learningRate" };
const executor: Alias = { option: "--executor", key: "run.executor" };

/** The names of stable-baselines3 and CleanRL, in kebab case; null where softrl has no such setting. */
export const aliases: Readonly<Record<string, Alias | null>> = {
  "ent-coef": tau,
  "entropy-coef": tau,
  "n-steps": horizon,
  "num-steps": horizon,
  "total-timesteps": steps,
  "n-envs": envs,
  "num-envs": envs,
  "vf-coef": valueCoefficient,
  "value-coef": valueCoefficient,
  "max-grad-norm": { option: "--max-gradient-norm", key: "optimiser.maxGradientNorm" },
  lr: learningRate,
  "learning-rate": learningRate,
  "net-arch": { option: "--hidden-sizes", key: "network.hiddenSizes" },
  algo: { option: "--algorithm", key: "algorithm.name" },
  "env-id": { option: "--env", key: "environment.id" },
  optimizer: { option: "--optimiser", key: "optimiser.name" },
  device: executor,
  cuda: executor,
  "gae-lambda": null,
};

/** The alias of a name in any spelling: `--ent_coef`, `ent_coef`, `entCoef`; undefined where there is none. */
export function aliasOf(name: string): Alias | null | undefined {
  const kebab = name
    .replace(/^-+/, "")
    .replaceAll(/[A-Z]/g, (letter) => `-${letter}`)
    .replaceAll("_", "-")
    .toLowerCase();
  return Object.hasOwn(aliases, kebab) ? aliases[kebab] : undefined;
}

/**
 * The message about an unknown option that another library has: `unknown option --n-steps; softrl calls it --horizon`.
 * Null for all other messages.
 * @param message commander's
 * @param options those of the command
 */
export function aliasHint(message: string, options: readonly string[]): string | null {
  const option = /unknown option '(--[\w-]+)/.exec(message)?.[1];
  const alias = option === undefined ? undefined : aliasOf(option);
  if (alias === undefined) return null;
  const unknown = `unknown option ${option}`;
  if (alias === null) return `${unknown}; softrl has no such setting`;
  if (!options.includes(alias.option)) return null;
  const variable = alias === executor ? ", or the environment variable SOFTRL_EXECUTOR" : "";
  return `${unknown}; softrl calls it ${alias.option}${variable}`;
}

/** @throws SoftrlError for a key that another library has: `run.json: algorithm.ent_coef: softrl calls it tau`. */
export function refuseAliases(
  { path, chosen }: { readonly path: string; readonly chosen: ChosenSettings },
  options: readonly SettingOption[],
): void {
  for (const section of sectionNames) {
    for (const name of Object.keys(chosen[section] ?? {})) {
      const alias = aliasOf(name);
      const isOwn = options.some((option) => option.section === section && option.name === name);
      if (alias === undefined || isOwn || alias?.key.split(".")[1] === name) continue;
      throw new SoftrlError(`${path}: ${section}.${name}`, aliasFault(section, alias), {
        code: "unknown-setting",
        setting: name,
      });
    }
  }
}

function aliasFault(section: string, alias: Alias | null): string {
  if (alias === null) return "softrl has no such setting";
  const [home, key] = alias.key.split(".");
  return `softrl calls it ${key}${home === section ? "" : `, in the section ${home}`}`;
}
