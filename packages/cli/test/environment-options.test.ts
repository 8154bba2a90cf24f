import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl } from "./command.js";

const place = temporaryFolder("options");

describe("softrl train --env-options", () => {
  const lake = ["train", "--env", "FrozenLake-v1", "--steps", "400"];

  test("are kept with the run, and played with", async () => {
    const args = [...lake, "--env-options", "slippery=false,maxEpisodeSteps=7", "--run-folder", "lake"];
    expect(await softrl(args, place)).toMatchObject({ code: 0 });
    const config: unknown = JSON.parse(readFileSync(join(place, "lake", "config.json"), "utf8"));
    expect(config).toMatchObject({ environment: { options: { slippery: false, maxEpisodeSteps: 7 } } });
    const played = await softrl(["evaluate", "lake", "--episodes", "40", "--json"], place);
    const { lengths } = JSON.parse(played.stdout);
    expect(Math.max(...lengths)).toBe(7);
  });

  test.each([
    ["slipery=false", /--env-options: .*FrozenLake-v1 has no option slipery, .*did you mean slippery/],
    ["slippery=maybe", /--env-options: .*invalid value of slippery, expected true or false, got "maybe"/],
    ["__proto__=1", /--env-options: .*FrozenLake-v1 has no option __proto__/],
    ["slippery", /--env-options: invalid value, expected values by name/],
    ["slippery=true,slippery=false", /--env-options: invalid value, expected values by name/],
    ["maxEpisodeSteps=0", /maxEpisodeSteps/],
  ])("refuses %s with one line", async (text, message) => {
    expectRefusal(await softrl([...lake, "--env-options", text], place), 1, message);
  });
});
