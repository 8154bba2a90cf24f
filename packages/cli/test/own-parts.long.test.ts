import { copyFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl, softrlAlone } from "./command.js";

const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));
const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));

const place = temporaryFolder("own");
beforeAll(() => {
  symlinkSync(packages, join(place, "node_modules"), "junction");
  writeFileSync(join(place, "package.json"), '{"type": "module"}');
  for (const name of ["reinforce", "corridor", "wide", "momentum", "own-policy"]) {
    copyFileSync(join(fixtures, `${name}.js`), join(place, `${name}.js`));
  }
});

const bytesOf = (name: string) => readFileSync(join(place, name, "checkpoint.safetensors"));
const own = "-a ./reinforce.js -e ./corridor.js --network ./wide.js --optimiser ./momentum.js".split(" ");
const env = { SOFTRL_EXECUTOR: "wasm" };
const command = (...args: string[]) => softrl(args, place, { env });
/** For errors that name the files which the process has loaded, and for files that change. */
const alone = (...args: string[]) => softrlAlone(args, place, { env });

describe("an algorithm, an environment, a network and an optimiser of one's own, each a file", () => {
  test("train with their own settings, and appear in help", async () => {
    const settings = "--baseline-weight 0.4:0.1 --units 16 --share 0.2 --env-options cells=6".split(" ");
    const run = await command("train", ...own, ...settings, "--steps", "4000", "-o", "own", "--json");
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(JSON.parse(run.stdout)).toMatchObject({ algorithm: "reinforce", environment: "Corridor-v0" });
    expect(JSON.parse(readFileSync(join(place, "own", "config.json"), "utf8"))).toMatchObject({
      environment: { id: "Corridor-v0", module: join(place, "corridor.js"), options: { cells: 6 } },
      network: { name: "wide", module: join(place, "wide.js"), units: 16 },
      optimiser: { name: "momentum", module: join(place, "momentum.js"), share: 0.2 },
      algorithm: {
        name: "reinforce",
        module: join(place, "reinforce.js"),
        baselineWeight: { from: 0.4, to: 0.1 },
      },
    });
    // The configuration of the run, given again, is the run again.
    const again = await command("train", "--config", "own/config.json", "-o", "again");
    expect(again.code, again.stderr).toBe(0);
    expect(bytesOf("again").equals(bytesOf("own"))).toBe(true);

    const { stdout } = await command("train", ...own, "--help");
    for (const words of [
      "--baseline-weight",
      "--units",
      "--share",
      "Corridor-v0 has cells",
      "Network wide:",
    ]) {
      expect(stdout).toContain(words);
    }
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("reinforce (policy gradient with a learned baseline)");
  });

  test("are played, filmed and resumed, from the files that the configuration names", async () => {
    expect((await command("train", ...own, "--steps", "2000", "-o", "half")).code).toBe(0);
    const played = await command("evaluate", "half", "--episodes", "3", "--json");
    expect([played.code, played.stderr]).toEqual([0, ""]);
    expect(JSON.parse(played.stdout)).toMatchObject({ algorithm: "reinforce", episodes: 3 });
    const filmed = await command("record", "half", "--out", "half.gif");
    expect([filmed.code, filmed.stdout]).toEqual([0, expect.stringMatching(/^REINFORCE on Corridor-v0: /)]);
    const resumed = await command("resume", "half", "--steps", "4000", "--baseline-weight", "0.2", "--json");
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
    expect(JSON.parse(resumed.stdout)).toMatchObject({
      steps: 4000,
      changes: [{ step: 2000, settings: { steps: 4000, baselineWeight: 0.2 } }],
    });
  });

  test("are named where a file was moved, and found where an option names it", async () => {
    expect((await command("train", ...own, "--steps", "400", "-o", "moved")).code).toBe(0);
    mkdirSync(join(place, "elsewhere"), { recursive: true });
    const files = ["reinforce.js", "wide.js"];
    for (const name of files) renameSync(join(place, name), join(place, "elsewhere", name));
    try {
      const network =
        /moved\/checkpoint\.safetensors: network: .*wide\.js does not exist; if the file was moved, pass --network <file>/;
      for (const name of ["evaluate", "record"]) expectRefusal(await command(name, "moved"), 1, network);
      const resume = ["resume", "moved", "--steps", "800"];
      expectRefusal(
        await command(...resume),
        1,
        /algorithm: .*reinforce\.js does not exist.*pass --algorithm <file>/,
      );
      // To play takes no algorithm.
      const found = ["--network", "./elsewhere/wide.js"];
      const unnamed = await command("evaluate", "moved", "--episodes", "2", ...found);
      expect([unnamed.code, unnamed.stderr]).toEqual([0, ""]);
      expect(unnamed.stdout).toMatch(/^reinforce on Corridor-v0, 2 episodes/);
      expectRefusal(
        await command("evaluate", "moved", "--network", "./corridor.js"),
        1,
        /--network: the default export of .*corridor\.js is not a network.*it is an environment: pass it as --env/,
      );
      const resumed = await command(...resume, ...found, "-a", "./elsewhere/reinforce.js");
      expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
      // From now on the run names the files where they are.
      expect((await command("evaluate", "moved", "--episodes", "2")).code).toBe(0);
      expect((await command("resume", "moved", "--steps", "1200")).code).toBe(0);
    } finally {
      for (const name of files) renameSync(join(place, "elsewhere", name), join(place, name));
    }
  });

  test("a policy that only its algorithm can make is made by it", async () => {
    expect((await command("train", "-a", "./own-policy.js", "--steps", "400", "-o", "alone")).code).toBe(0);
    const played = await command("evaluate", "alone", "--episodes", "2", "--json");
    expect([played.code, played.stderr]).toEqual([0, ""]);
    expect(JSON.parse(played.stdout)).toMatchObject({ algorithm: "own-policy", episodes: 2 });
  });
});

describe("a file that exports something else", () => {
  test.each([
    [
      "none.js",
      "",
      /--algorithm: .*none\.js is not an algorithm, expected an object with name, title, about, settings, make, got no default export/,
    ],
    [
      "half.js",
      'export default { name: "x", title: "X", about: "x", settings: {} };',
      /got one without a valid make/,
    ],
    ["broken.js", "export default {", /broken\.js could not be loaded, got SyntaxError/],
    [
      "throws.js",
      'throw new Error("one\\ntwo");',
      /throws\.js could not be loaded, got Error: one; fix this in the file/,
    ],
    ["lost.js", 'import "no-such-package";', /lost\.js could not be loaded, got .*no-such-package/],
    [
      "settings.js",
      'export default { name: "x", title: "X", about: "x", settings: { a: 1 }, make() {} };',
      /without valid settings/,
    ],
  ])("%s", async (name, text, message) => {
    writeFileSync(join(place, name), text);
    expectRefusal(await command("train", "--algorithm", `./${name}`), 1, message);
  });

  test("an environment with options of unknown kinds: the message lists the kinds", async () => {
    const text = 'export default { id: "X-v0", about: "x", options: { size: 5 }, make() {} };';
    writeFileSync(join(place, "options.js"), text);
    expectRefusal(
      await command("train", "--env", "./options.js"),
      1,
      /options\.js is not an environment, expected options by name, each with one of the values "number", "boolean", "text", got one without valid options/,
    );
  });

  test("a file that is not compiled yet: the message says how", async () => {
    writeFileSync(join(place, "source.ts"), "export default {};");
    expectRefusal(
      await command("train", "-a", "./source.js"),
      1,
      /source\.js does not exist; compile it first: npx tsc --ignoreConfig source\.ts; Node 22\.18 or newer loads source\.ts itself\.\n$/,
    );
  });

  test("an environment whose make returns a single one, and a setting whose option is taken", async () => {
    const single =
      'import { environmentKind } from "softrl";\n' +
      'export default environmentKind({ id: "Single-v0", about: "one", options: {}, make: () => ({ reset() {}, step() {} }) });';
    writeFileSync(join(place, "single.js"), single);
    expectRefusal(
      await command("train", "--env", "./single.js"),
      1,
      /single\.js: make did not return environments that step together.*vectorize/,
    );
    const taken =
      'import { a2c, integerSetting } from "softrl";\n' +
      'export default { ...a2c, name: "taken", settings: { ...a2c.settings, seed: integerSetting({ about: "x", low: 0, default: 0 }) } };';
    writeFileSync(join(place, "taken.js"), taken);
    expectRefusal(
      await command("train", "-a", "./taken.js"),
      1,
      /the option --seed, which is taken.*option: "my-name"/,
    );
  });

  test("a fault in a file names the file, and the run so far", async () => {
    const faulty =
      'import { a2c } from "softrl";\n' +
      'export default { ...a2c, name: "faulty", make() { throw new TypeError("no such thing"); } };';
    writeFileSync(join(place, "faulty.js"), faulty);
    const run = await alone("train", "-a", "./faulty.js", "-o", "faulty");
    expectRefusal(
      run,
      1,
      /^softrl: \S*faulty\.js: make failed, got TypeError: no such thing; fix the file; SOFTRL_DEBUG=1 prints the stack\.\n$/,
    );
    const shown = await softrlAlone(["train", "-a", "./faulty.js"], place, {
      env: { ...env, SOFTRL_DEBUG: "1" },
    });
    expect(shown.code).toBe(1);
    expect(shown.stderr).toMatch(
      /^TypeError: no such thing\n +at .*faulty\.js:2:\d+.*softrl: \S*faulty\.js: make failed/s,
    );
  });

  test("a fault during training in what a file uses names both, and the run so far", async () => {
    const faulty =
      'import { a2c } from "softrl";\n' +
      'export default { ...a2c, name: "late", make: (...parts) => {\n' +
      "  const algorithm = a2c.make(...parts);\n" +
      "  return { policy: algorithm.policy, save: () => algorithm.save(), restore() {},\n" +
      "    iterate: () => Reflect.construct(Proxy, []) };\n" +
      "} };";
    writeFileSync(join(place, "late.js"), faulty);
    const own = await alone("train", "-a", "./late.js", "-o", "late");
    expectRefusal(
      own,
      1,
      /^softrl: \S*late\.js:5: iterate failed, got TypeError: .*; fix the file; .*\. The run so far is in late\.\n$/,
    );
    writeFileSync(join(place, "inner.js"), "export const fail = () => undefined.nothing;\n");
    writeFileSync(
      join(place, "late.js"),
      `import { fail } from "./inner.js";\n${faulty.replace("Reflect.construct(Proxy, [])", "fail()")}`,
    );
    const both = await alone("train", "-a", "./late.js", "-o", "later");
    expectRefusal(
      both,
      1,
      /^softrl: \S*late\.js: a part of the run failed, got TypeError: .*; fix the file; .*\. The run so far is in later\.\n$/,
    );
  });
});
