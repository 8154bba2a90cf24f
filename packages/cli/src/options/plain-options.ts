import { SoftrlError } from "softrl";

/** The command line's options, as commander hands them over. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** A whole number given as text, at least `low`. */
export function integerOption(option: string, text: unknown, low: number): number {
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  if (!(Number.isSafeInteger(value) && value >= low)) {
    const high = Number.MAX_SAFE_INTEGER;
    throw new SoftrlError(option, "invalid value", {
      expected: `an integer ${value > high ? `in [${low}, 2^53 − 1 = ${high}]` : `of at least ${low}`}`,
      got: JSON.stringify(text),
    });
  }
  return value;
}

/** A number given as text, in [low, high]. */
export function numberOption(
  option: string,
  text: unknown,
  [low, high]: readonly [number, number],
  unit: string,
): number {
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  if (low <= value && value <= high) return value;
  throw new SoftrlError(option, "invalid value", {
    expected: `${unit} in [${low}, ${high}]`,
    got: JSON.stringify(text),
  });
}

/** The width of a figure for a page, in millimetres. */
export const widthOption = (text: unknown): number => numberOption("--width", text, [60, 600], "millimetres");

/** How actions are chosen from a policy. */
export function modeOption(mode: unknown): "sample" | "mode" {
  if (mode === "sample" || mode === "mode") return mode;
  throw new SoftrlError("--mode", "invalid value", {
    expected: '"sample" or "mode"',
    got: JSON.stringify(mode),
  });
}

/** Which of a run's policies is played. */
export function policyOption(policy: unknown): "checkpoint" | "best" | "last" {
  if (policy === "checkpoint" || policy === "best" || policy === "last") return policy;
  throw new SoftrlError("--policy", "invalid value", {
    expected: '"checkpoint", "best" or "last"',
    got: JSON.stringify(policy),
  });
}

/** The text of an option, undefined where it is not given. */
export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}
