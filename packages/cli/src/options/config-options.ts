import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import {
  defaultInWords,
  environmentFamily,
  readSettings,
  type SettingName,
  SoftrlError,
  settingNames,
  type TrainConfig,
  trainConfig,
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

/**
 * The configuration of a run: the config file's settings, overruled by the options', filled in with the defaults.
 * @param imposed settings that the command itself chooses.
 * @throws SoftrlError that names the option, or the file and the key, also where two settings do not go together.
 */
export function chosenConfig(options: OptionValues, imposed: Partial<TrainConfig> = {}): TrainConfig {
  const path = typeof options.config === "string" ? options.config : null;
  const fromFile: Partial<TrainConfig> = path === null ? {} : readConfigFile(path);
  let fromOptions: Partial<TrainConfig> = {};
  for (const name of settingNames) {
    const setting = trainSettings[name];
    const text = options[new Option(setting.option).attributeName()];
    if (typeof text !== "string") continue;
    fromOptions = { ...fromOptions, [name]: setting.check(longOption(name), setting.fromText(text)) };
  }
  const chosen = { ...fromFile, ...fromOptions, ...imposed };
  try {
    const config = trainConfig(chosen);
    if (fromOptions.hiddenSizes !== undefined && config.network !== "mlp") {
      throw new SoftrlError("trainConfig", `hiddenSizes does not go with network ${config.network}`, {
        expected: "none",
        got: fromOptions.hiddenSizes.join(","),
        remedy: "its layers are fixed; leave the sizes out, or choose network mlp",
      });
    }
    if (fromOptions.atariProtocol !== undefined && environmentFamily(config.environment) !== "atari") {
      throw new SoftrlError("trainConfig", `atariProtocol does not go with ${config.environment}`, {
        expected: "none",
        got: fromOptions.atariProtocol,
        remedy: "it is for ALE/<Game>-v5 and <Game>NoFrameskip-v4; leave it out",
      });
    }
    return config;
  } catch (error) {
    if (!(error instanceof SoftrlError && error.where === "trainConfig")) throw error;
    const what = error.message.slice(error.where.length + 2);
    const name = settingNames.find((setting) => new RegExp(`^${setting}[ :]`).test(what));
    if (name === undefined) throw error;
    const where = name in fromOptions || path === null ? longOption(name) : `${path}: ${name}`;
    throw new SoftrlError(where, what, {}, { cause: error });
  }
}

const longOption = (name: SettingName): string => new Option(trainSettings[name].option).long ?? name;

const SETTINGS = 'an object such as {"algorithm": "a2c", "tau": 0.01}';

function readConfigFile(path: string): Partial<TrainConfig> {
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const isFolder = error instanceof Error && "code" in error && error.code === "EISDIR";
    throw new SoftrlError("--config", `${path} cannot be read`, {
      expected: "a JSON file of settings",
      got: isFolder ? "a folder" : error instanceof Error ? error.message : String(error),
      remedy: isFolder
        ? "name a file, for instance the config.json in it"
        : "name a file of settings, for instance a run folder's config.json",
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SoftrlError(path, "not JSON", {
      expected: SETTINGS,
      got: syntaxError(text, error instanceof Error ? error.message : ""),
      remedy: "correct it, or start from a run folder's config.json",
    });
  }
  if (
    typeof json === "object" &&
    json !== null &&
    "version" in json &&
    ("faces" in json || "steps" in json)
  ) {
    throw new SoftrlError(path, "the result of a run, not its settings", {
      expected: SETTINGS,
      remedy: "name the run folder's config.json instead of its result.json",
    });
  }
  return readSettings(path, json);
}

/** What JSON.parse said, without the file's text, which it quotes and which may hold line breaks. */
function syntaxError(text: string, message: string): string {
  if (text.trim() === "") return "an empty file";
  const what =
    /^(Unexpected (?:token '[!-~]'|token|end|number|string|non-whitespace character)|Expected .*? in JSON|Bad .*? in JSON)/
      .exec(message)?.[1]
      .replace(" in JSON", "");
  const position = Number(/at position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const line = Number.isNaN(position) ? "" : ` in line ${text.slice(0, position).split("\n").length}`;
  return `${what ?? "a syntax error"}${line}`;
}

/** A whole number given as text, at least `low`. */
export function integerOption(option: string, text: unknown, low: number): number {
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  if (!(Number.isSafeInteger(value) && value >= low)) {
    const high = Number.MAX_SAFE_INTEGER;
    throw new SoftrlError(option, "not a valid value", {
      expected: `an integer ${value > high ? `in [${low}, 2^53 − 1 = ${high}]` : `of at least ${low}`}`,
      got: JSON.stringify(text),
    });
  }
  return value;
}

/** How actions are chosen from a policy. */
export function modeOption(mode: unknown): "sample" | "mode" {
  if (mode === "sample" || mode === "mode") return mode;
  throw new SoftrlError("--mode", "not a valid value", {
    expected: '"sample" or "mode"',
    got: JSON.stringify(mode),
  });
}
