import { expect, test } from "vitest";
import { parseConfig } from "../src/options/config-file.js";

test("a configuration of 100,000 brackets is refused in one line", () => {
  for (const [opening, closing] of [
    ["[", "]"],
    ['{"run":', "}"],
  ]) {
    const text = `${opening.repeat(100_000)}1${closing.repeat(100_000)}`;
    expect(() => parseConfig("config.json", text)).toThrow(
      /^config\.json: the brackets nest too deep, expected sections such as \{"run": .*\}\.$/,
    );
  }
  expect(parseConfig("config.json", '{"run": {"seed": 3}}')).toEqual({ run: { seed: 3 } });
});
