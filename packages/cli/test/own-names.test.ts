import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl } from "./command.js";

const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));

const place = temporaryFolder("names");
beforeAll(() => {
  symlinkSync(packages, join(place, "node_modules"), "junction");
  writeFileSync(join(place, "package.json"), '{"type": "module"}');
});

const command = (...args: string[]) => softrl(args, place, { env: { SOFTRL_EXECUTOR: "wasm" } });

describe("a setting whose name or option cannot be an option of the command line", () => {
  let files = 0;
  /** Writes an algorithm with such a setting; each is a file of its own, since a process loads a file once. */
  const withSetting = (name: string, option?: unknown): string => {
    const setting = 'integerSetting({ about: "x", low: 0, default: 0 })';
    const entry = `{ ...${setting}, ${option === undefined ? "" : `option: ${JSON.stringify(option)}`} }`;
    const settings = `{ ...a2c.settings, ${JSON.stringify(name)}: ${entry} }`;
    const text = `export default { ...a2c, name: "mine", settings: ${settings} };`;
    const folder = `file-${files++}`;
    mkdirSync(join(place, folder));
    writeFileSync(join(place, folder, "mine.js"), `import { a2c, integerSetting } from "softrl";\n${text}`);
    return `./${folder}/mine.js`;
  };

  test.each([
    ["mine", "executor"],
    ["mine", "help"],
    ["network", undefined],
    ["optimiser", undefined],
    ["runFolder", undefined],
  ])("%s with the option %s is taken", async (name, option) => {
    expectRefusal(
      await command("train", "-a", withSetting(name, option)),
      1,
      /mine\.js: the setting \w+ has the option --[a-z-]+, which is taken; give .* option: "my-name"/,
    );
  });

  test.each([
    ["Tau2", undefined],
    ["", undefined],
    ["my setting", undefined],
    ["a--b", undefined],
    ["noBaseline", undefined],
    ["mine", 5],
  ])("%s with the option %s is not valid", async (name, option) => {
    expectRefusal(
      await command("train", "-a", withSetting(name, option)),
      1,
      /mine\.js: the setting ".*" has no valid option, expected .*; give .* option: "my-name"/,
    );
  });
});

describe("names of parts", () => {
  test("an environment without a name is refused", async () => {
    expectRefusal(await command("train", "--env", ""), 1, /^softrl: --env: invalid value, .* got ""/);
  });

  test("a kind named like one that softrl ships is refused", async () => {
    writeFileSync(
      join(place, "mlp.js"),
      'import { flatten } from "softrl";\n' +
        'export default { name: "mlp", about: "x", settings: {}, body: () => flatten };',
    );
    expectRefusal(
      await command("train", "--network", "./mlp.js"),
      1,
      /--network: .*mlp\.js exports a kind of network named mlp, which softrl has already/,
    );
  });

  test("two algorithms with one name are not compared", async () => {
    for (const file of ["a.mjs", "b.mjs"]) {
      writeFileSync(
        join(place, file),
        'import { a2c } from "softrl";\nexport default { ...a2c, name: "mine" };',
      );
    }
    expectRefusal(
      await command("compare", "--algorithms", "./a.mjs,./b.mjs"),
      1,
      /--algorithms: two algorithms have the same name, .* got "mine" from \.\/a\.mjs and from \.\/b\.mjs; give the algorithm of \.\/b\.mjs a name of its own/,
    );
  });

  test("a long name makes a folder with a shorter one", async () => {
    writeFileSync(
      join(place, "long.js"),
      'import { a2c } from "softrl";\nexport default { ...a2c, name: "x".repeat(400) };',
    );
    const run = await command("train", "-a", "./long.js", "--steps", "40");
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(readdirSync(join(place, "runs"))).toEqual([`CartPole-v1-seed1-${"x".repeat(182)}`]);
  });
});

describe("a file of settings", () => {
  const withConfig = (text: string) => writeFileSync(join(place, "config.json"), text);

  test("that names another algorithm is not for compare", async () => {
    withConfig('{"algorithm": {"name": "npg"}}');
    expectRefusal(
      await command("compare", "--config", "config.json"),
      1,
      /config\.json: algorithm\.name: compare trains a2c and soft-q only, expected a2c or soft-q, got "npg"/,
    );
  });

  test("with a setting __proto__ is refused", async () => {
    withConfig('{"run": {"__proto__": {"seed": 3}}}');
    expectRefusal(
      await command("train", "--config", "config.json"),
      1,
      /run\.__proto__: the section run has no setting "__proto__"/,
    );
  });
});
