import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtInKinds } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { main } from "../src/main.js";
import { aliases } from "../src/options/aliases.js";
import { settingOptions } from "../src/options/setting-options.js";
import { findParts } from "../src/parts/run-parts.js";

const place = temporaryFolder("aliases");

/** Runs the command in this process; returns its exit code and stderr. */
async function run(...args: string[]) {
  let err = "";
  const stream = (write: (text: string) => void) =>
    Object.assign(Object.create(process.stderr), { write, isTTY: false, columns: 100 });
  const terminal = {
    out: stream(() => {}),
    err: stream((text) => {
      err += text;
    }),
  };
  return { code: await main(args, terminal), err };
}

test("every alias names an option and a key that exist", async () => {
  const options = settingOptions(await findParts({}));
  const { code, err } = await run("train", "--help");
  expect([code, err]).toEqual([0, ""]);
  for (const alias of Object.values(aliases)) {
    if (alias === null) continue;
    const [section, key] = alias.key.split(".");
    if (["name", "id", "executor"].includes(key)) continue;
    expect(options).toContainEqual(expect.objectContaining({ flag: alias.option, section, name: key }));
  }
});

test("a setting of softrl's is no alias in its own section", () => {
  const own = Object.values(builtInKinds)
    .flat()
    .flatMap(({ settings }) => Object.keys(settings));
  expect(own.filter((name) => Object.hasOwn(aliases, name))).toEqual([]);
});

describe("an option of another library is unknown, and the message names softrl's", () => {
  test.each([
    [["--n-steps", "5"], "unknown option --n-steps; softrl calls it --horizon"],
    [["--n_steps=5"], "unknown option --n_steps; softrl calls it --horizon"],
    [["--ent_coef", "0.01"], "unknown option --ent_coef; softrl calls it --tau"],
    [["--learning_rate", "0.01"], "unknown option --learning_rate; softrl calls it --learning-rate"],
    [["--lr", "0.01"], "unknown option --lr; softrl calls it --learning-rate"],
    [["--total-timesteps", "5"], "unknown option --total-timesteps; softrl calls it --steps"],
    [["--num-envs", "5"], "unknown option --num-envs; softrl calls it --envs"],
    [["--optimizer", "adam"], "unknown option --optimizer; softrl calls it --optimiser"],
    [["--algo", "a2c"], "unknown option --algo; softrl calls it --algorithm"],
    [
      ["--device", "cpu"],
      "unknown option --device; softrl calls it --executor, or the environment variable SOFTRL_EXECUTOR",
    ],
    [["--gae-lambda", "0.9"], "unknown option --gae-lambda; softrl has no such setting"],
  ])("%j", async (args, message) => {
    expect(await run("train", ...args)).toEqual({ code: 2, err: `softrl: ${message}\n` });
  });

  test("other options keep the nearest name", async () => {
    expect((await run("train", "--horizn", "5")).err).toContain("Did you mean --horizon?");
    expect((await run("doctor", "--n-steps")).err).toContain("unknown option '--n-steps'");
  });
});

describe("a key of another library is refused with softrl's", () => {
  test.each([
    [{ algorithm: { ent_coef: 0.1 } }, "algorithm.ent_coef: softrl calls it tau."],
    [{ algorithm: { entCoef: 0.1 } }, "algorithm.entCoef: softrl calls it tau."],
    [
      { algorithm: { learning_rate: 0.1 } },
      "algorithm.learning_rate: softrl calls it learningRate, in the section optimiser.",
    ],
    [{ run: { total_timesteps: 10 } }, "run.total_timesteps: softrl calls it steps."],
    [{ environment: { n_envs: 10 } }, "environment.n_envs: softrl calls it count."],
    [{ algorithm: { gae_lambda: 0.9 } }, "algorithm.gae_lambda: softrl has no such setting."],
  ])("%j", async (config, message) => {
    const path = join(place, "run.json");
    writeFileSync(path, JSON.stringify(config));
    expect(await run("train", "--config", path)).toEqual({ code: 1, err: `softrl: ${path}: ${message}\n` });
  });

  test("outside a section", async () => {
    const path = join(place, "flat.json");
    writeFileSync(path, JSON.stringify({ n_steps: 5 }));
    const { err } = await run("train", "--config", path);
    expect(err).toContain('"n_steps" is not in a section');
    expect(err).toContain('put it into "algorithm": {"horizon": …}');
  });
});
