import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { expectRefusal, softrl, softrlAlone } from "./command.js";

const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));
const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));

const place = temporaryFolder("faults");
beforeAll(() => {
  symlinkSync(packages, join(place, "node_modules"), "junction");
  writeFileSync(join(place, "package.json"), '{"type": "module"}');
  for (const name of ["reinforce.js", "corridor.js"]) copyFileSync(join(fixtures, name), join(place, name));
});

const env = { SOFTRL_EXECUTOR: "wasm" };
const command = (...args: string[]) => softrl(args, place, { env });
let files = 0;
/** Writes a file and gives its name: each is another one, since a process loads a file once. */
function write(text: string): string {
  const folder = `file-${files++}`;
  mkdirSync(join(place, folder));
  writeFileSync(join(place, folder, "mine.js"), text);
  return `./${folder}/mine.js`;
}
const algorithm = (parts: string) =>
  `import { a2c } from "softrl";\nexport default { ...a2c, name: "mine", ${parts} };`;
const saving = (save: string) =>
  algorithm(
    "make(...parts) { const made = a2c.make(...parts); " +
      `return { policy: made.policy, iterate: made.iterate.bind(made), restore() {}, ${save} }; }`,
  );
const environment = (make: string) =>
  `import corridor from "../corridor.js";\nexport default { ...corridor, id: "Mine-v0", make(...parts) { ${make} } };`;
const network = (body: string) => `export default { name: "mine", about: "x", settings: {}, body: ${body} };`;
const optimiser = (make: string) =>
  `import { sgd } from "softrl";\nexport default { name: "mine", about: "x", settings: {}, make: ${make} };`;
const THROW = "throw new TypeError('no such thing');";
const own = (text: string) => `import kind from "../reinforce.js";\n${text}`;

describe("a fault in a file is one line that names the file and the part", () => {
  test.each([
    ["make", "-a", algorithm(`make() { ${THROW} }`), /mine\.js: make failed/],
    [
      "save",
      "-a",
      saving(`save() { ${THROW} }`),
      /mine\.js:2: mine: save failed: no such thing; fix the file/,
    ],
    ["save of a promise", "-a", saving("async save() { return {}; }"), /mine: save returned a promise/],
    ["defaults", "-a", algorithm(`defaults() { ${THROW} }`), /mine\.js: defaults failed/],
    ["make of nothing", "-a", algorithm("make: () => null"), /make did not return an algorithm: .* got null/],
    [
      "make of {}",
      "-a",
      algorithm("make: () => ({})"),
      /make did not return an algorithm: policy is missing/,
    ],
    ["defaults of nothing", "-a", algorithm("defaults() {}"), /mine\.js: defaults did not return defaults/],
    ["effects", "-a", algorithm(`effects() { ${THROW} }`), /mine\.js: effects failed/],
    [
      "effects of nothing",
      "-a",
      algorithm("effects() {}"),
      /mine\.js: effects did not return which settings/,
    ],
    ["an environment's make", "-e", environment(THROW), /mine\.js: make failed/],
    ["an environment's make of null", "-e", environment("return null;"), /mine\.js: make did not return env/],
    [
      "an environment without a space",
      "-e",
      environment(
        "const made = corridor.make(...parts);\n" +
          'return new Proxy(made, { get: (of, name) => name === "actionSpace" ? undefined : Reflect.get(of, name, of) });',
      ),
      /mine\.js: the environments have no actionSpace/,
    ],
    [
      "an environment's step",
      "-e",
      environment(
        `const made = corridor.make(...parts);\nmade.step = function step() { ${THROW} }; return made;`,
      ),
      /mine\.js:3: step failed, got TypeError: no such thing.* The run so far is in/,
    ],
    ["a body", "--network", network(`() => { ${THROW} }`), /mine\.js: body failed/],
    ["a body of 5", "--network", network("() => 5"), /mine\.js: body did not return layers/],
    ["a body's layer", "--network", network(`() => () => { ${THROW} }`), /mine\.js: body failed/],
    ["a body's layer of null", "--network", network("() => () => null"), /layers did not return a layer/],
    ["an optimiser's make", "--optimiser", optimiser(`() => { ${THROW} }`), /mine\.js: make failed/],
    [
      "an optimiser of {}",
      "--optimiser",
      optimiser("() => ({})"),
      /mine\.js: make did not return an optimiser/,
    ],
    [
      "an optimiser's step",
      "--optimiser",
      optimiser(`() => ({ step() { ${THROW} } })`),
      /mine\.js:\d+: step failed/,
    ],
  ])("%s", async (_, option, text, message) => {
    expectRefusal(await command("train", option, write(text), "--steps", "400"), 1, message);
  });

  test.each(["targets", "loss"])("%s", async (part) => {
    const file = write(
      'import { onPolicyAlgorithm, onPolicySettings, integerSetting, policyGradientLoss } from "softrl";\n' +
        'export default onPolicyAlgorithm({ name: "mine", title: "M", about: "x",\n' +
        '  settings: { ...onPolicySettings, horizon: integerSetting({ about: "x", low: 1, default: 5 }) },\n' +
        "  targets() {},\n" +
        "  loss: (terms) => ({ loss: policyGradientLoss(terms), figures: {} }),\n" +
        `  ${part}() { ${THROW} } });`,
    );
    expectRefusal(
      await command("train", "-a", file, "--steps", "400"),
      1,
      part === "loss" ? /mine\.js: make failed, got TypeError/ : /mine\.js:6: targets failed, got TypeError/,
    );
  });
});

describe("a file whose export cannot be read is refused", () => {
  test.each([
    ["a Proxy", `new Proxy({}, { get() { ${THROW} }, has() { ${THROW} }, ownKeys() { ${THROW} } })`],
    ["a getter", `{ get name() { ${THROW} } }`],
    ["an error that throws", "{ get name() { throw { toJSON() { throw 1; }, toString() { throw 2; } }; } }"],
    [
      "an error that cannot be read",
      "{ get name() { throw new Proxy({}, { getPrototypeOf() { throw 3; } }); } }",
    ],
  ])("%s", async (_, value) => {
    const file = write(own(`export default ${value};`));
    expectRefusal(
      await command("train", "-a", file),
      1,
      /--algorithm: the default export of .*mine\.js cannot be read, got .*; export a plain object/,
    );
  });

  test("as a whole where loading throws such a value", async () => {
    const file = write("throw { toJSON() { throw 1; }, toString() { throw 2; } };");
    expectRefusal(await command("train", "-a", file), 1, /mine\.js could not be loaded, got a value/);
  });
});

describe("a promise that never settles", () => {
  // It is the process that ends.
  const alone = (...args: string[]) => softrlAlone(args, place, { env });

  test("in a file that is being loaded", async () => {
    const file = write("await new Promise(() => {});");
    const run = await alone("train", "-a", file);
    expect([run.code, run.stdout]).toEqual([1, ""]);
    expect(run.stderr).toMatch(/^softrl: .*mine\.js never finished loading/);
  });

  test("in an iteration", async () => {
    const file = write(
      'import { a2c } from "softrl";\nexport default { ...a2c, name: "mine", make(...parts) {\n' +
        "  const made = a2c.make(...parts);\n" +
        "  return { policy: made.policy, save: () => made.save(), restore() {}, iterate: () => new Promise(() => {}) };\n} };",
    );
    const run = await alone("train", "-a", file, "--steps", "400");
    expect([run.code, run.stdout]).toEqual([1, ""]);
    expect(run.stderr).toMatch(/^softrl: the run never finished its iteration: .*mine\.js waits/);
  });
});
