import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import {
  defaultInWords,
  readSettings,
  type SettingName,
  SoftrlError,
  settingNames,
  type TrainConfig,
  trainSettings,
} from "softrl";

/** The command line's options, as commander hands them over. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** Adds an option for every setting of a training run, but for those left out, and `--config`. */
export function addConfigOptions(command: Command, leftOut: readonly SettingName[] = []): void {
  command.option("-c, --config <file>", "a JSON file of settings, for instance a run folder's config.json");
  for (const name of settingNames) {
    if (leftOut.includes(name)) continue;
    const { option, description } = trainSettings[name];
    command.option(option, `${description} (default: ${defaultInWords(trainSettings[name])})`);
  }
}

/** The settings that the config file chose, overruled by those that options chose. */
export function chosenSettings(options: OptionValues): Partial<TrainConfig> {
  let chosen: Partial<TrainConfig> = typeof options.config === "string" ? readConfigFile(options.config) : {};
  for (const name of settingNames) {
    const setting = trainSettings[name];
    const option = new Option(setting.option);
    const text = options[option.attributeName()];
    if (typeof text === "string") {
      chosen = { ...chosen, [name]: setting.check(option.long ?? name, setting.fromText(text)) };
    }
  }
  return chosen;
}

function readConfigFile(path: string): Partial<TrainConfig> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new SoftrlError("--config", `${path} cannot be read`, {
      expected: "a JSON file of settings",
      got: error instanceof Error ? error.message : String(error),
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SoftrlError(path, "not JSON", {
      expected: 'an object such as {"algorithm": "a2c", "tau": 0.01}',
      got: error instanceof Error ? error.message : String(error),
    });
  }
  return readSettings(path, json);
}

/** A whole number given as text, at least `low`. */
export function integerOption(option: string, text: unknown, low: number): number {
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  if (!(Number.isSafeInteger(value) && value >= low)) {
    throw new SoftrlError(option, "not a valid value", {
      expected: `an integer of at least ${low}`,
      got: JSON.stringify(text),
    });
  }
  return value;
}
