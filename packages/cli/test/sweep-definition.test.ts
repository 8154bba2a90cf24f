import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { checkDefinition, readDefinition } from "../src/sweeps/definition.js";
import { seedList } from "../src/sweeps/seed-list.js";

const place = temporaryFolder("definition");
const whole = {
  title: "A sweep",
  options: { steps: 400, tau: "0.01" },
  variants: [
    { name: "A2C", algorithm: "a2c" },
    { name: "soft", algorithm: "soft-q", options: { tau: 0.1 }, environments: ["Taxi-v4"], seeds: [9] },
  ],
  environments: ["CartPole-v1", "Acrobot-v1"],
  seeds: "1..3,7",
  published: { somebody: { "CartPole-v1": 500 } },
};

describe("a definition", () => {
  test("gives each variant its options, environments and seeds, else those of all", () => {
    const { title, variants, folder } = checkDefinition("some/runs.json", whole);
    expect(title).toBe("A sweep");
    expect(folder).toMatch(/some$/);
    expect(variants).toEqual([
      {
        name: "A2C",
        algorithm: "a2c",
        options: { steps: "400", tau: "0.01" },
        environments: ["CartPole-v1", "Acrobot-v1"],
        seeds: [1, 2, 3, 7],
      },
      {
        name: "soft",
        algorithm: "soft-q",
        options: { steps: "400", tau: "0.1" },
        environments: ["Taxi-v4"],
        seeds: [9],
      },
    ]);
  });

  test("has a variant for each combination of the values in lists, the last option fastest", () => {
    const { variants } = checkDefinition("d.json", {
      ...whole,
      options: { steps: 400, tau: [0.1, 0.01] },
      variants: [
        { name: "A2C", algorithm: "a2c", options: { "entropy-bonus": ["proper", "naive"] } },
        { name: "soft", algorithm: "soft-q", options: { tau: [1] } },
      ],
    });
    expect(variants.map(({ name, options }) => [name, options])).toEqual([
      ["A2C, tau 0.1, entropy-bonus proper", { steps: "400", tau: "0.1", "entropy-bonus": "proper" }],
      ["A2C, tau 0.1, entropy-bonus naive", { steps: "400", tau: "0.1", "entropy-bonus": "naive" }],
      ["A2C, tau 0.01, entropy-bonus proper", { steps: "400", tau: "0.01", "entropy-bonus": "proper" }],
      ["A2C, tau 0.01, entropy-bonus naive", { steps: "400", tau: "0.01", "entropy-bonus": "naive" }],
      ["soft", { steps: "400", tau: "1" }],
    ]);
  });

  const variant = (changes: object) => ({ ...whole, variants: [{ ...whole.variants[0], ...changes }] });
  test.each<[string, unknown, RegExp]>([
    ["a list", [], /^d\.json: not a definition of a sweep, expected an object such as .*, got a list\.$/],
    [
      "another key",
      { ...whole, variant: [] },
      /^d\.json: variant: unknown key, .*; did you mean variants\?$/,
    ],
    ["no variants", { ...whole, variants: [] }, /^d\.json: variants: invalid value, .*at least one/],
    ["a variant's key", variant({ option: {} }), /^d\.json: variants\[0\]\.option: unknown key/],
    ["no name", variant({ name: " " }), /^d\.json: variants\[0\]\.name: invalid value/],
    ["two lines", variant({ name: "a\nb" }), /^d\.json: variants\[0\]\.name: .*a text of one line/],
    ["half a character", variant({ name: "x\ud800" }), /^d\.json: variants\[0\]\.name: invalid value/],
    [
      "half a character in an option",
      variant({ options: { activation: ["a", "\ud800"] } }),
      /^d\.json: variants: this name .*invisible characters/,
    ],
    ["a long name", variant({ name: "x".repeat(101) }), /^d\.json: variants: .*expected at most 100 visible/],
    [
      "a long environment",
      variant({ environments: ["x".repeat(101)] }),
      /environments: this name is too long/,
    ],
    [
      "a long name with its options",
      variant({ name: "x".repeat(95), options: { tau: [1, 2] } }),
      /^d\.json: variants: this name is too long/,
    ],
    ["an invisible character", variant({ name: "A\u202e" }), /^d\.json: variants: this name .*invisible/],
    ["no algorithm", variant({ algorithm: undefined }), /^d\.json: variants\[0\]\.algorithm: .*got none/],
    [
      "a name twice",
      { ...whole, variants: [whole.variants[0], whole.variants[0]] },
      /two variants have this/,
    ],
    ["no seeds", { ...whole, seeds: undefined }, /^d\.json: seeds: invalid seeds, .*got none/],
    ["a variant's seeds", variant({ seeds: [1, 1] }), /^d\.json: variants\[0\]\.seeds: invalid seeds/],
    [
      "no environments",
      variant({ environments: [] }),
      /^d\.json: variants\[0\]\.environments: invalid value/,
    ],
    ["an option's dashes", variant({ options: { "--tau": 1 } }), /not the name of an option/],
    ["an option's empty list", variant({ options: { tau: [] } }), /options\.tau: invalid value, .*got \[\]/],
    ["a value twice", variant({ options: { tau: [1, "1"] } }), /options\.tau: .*a list of distinct ones/],
    ["a list in a list", variant({ options: { tau: [[1]] } }), /options\.tau: invalid value/],
    [
      "too many combinations",
      variant({ options: { tau: Array.from({ length: 40 }, (_, i) => i), gamma: [...Array(30).keys()] } }),
      /^d\.json: variants\[0\]: the lists of options have too many combinations, expected at most 1000, got 1200/,
    ],
    [
      "a name that a list gives",
      {
        ...whole,
        variants: [
          { name: "A2C, tau 1", algorithm: "a2c" },
          { name: "A2C", algorithm: "a2c", options: { tau: [1, 2] } },
        ],
      },
      /two variants have this name, .*got "A2C, tau 1"/,
    ],
    [
      "a seed as option",
      variant({ options: { seed: 1 } }),
      /cannot set this option; name the seeds in seeds/,
    ],
    ["a folder as option", variant({ options: { "run-folder": "x" } }), /cannot set this option; the sweep/],
  ])("with %s is refused", (_, value, message) => {
    expect(() => checkDefinition("d.json", value)).toThrow(message);
  });

  test("is read from a file, a module, or a folder", async () => {
    const folder = join(place, "sweep");
    mkdirSync(folder);
    writeFileSync(join(folder, "runs.json"), JSON.stringify(whole));
    writeFileSync(join(folder, "made.mjs"), `export default ${JSON.stringify(whole)};`);
    const { path: _, ...read } = await readDefinition(folder);
    expect(await readDefinition(join(folder, "runs.json"))).toMatchObject(read);
    expect(await readDefinition(join(folder, "made.mjs"))).toMatchObject(read);
  });

  test.each([
    ["nothing.json", null, /there is no such definition/],
    ["broken.json", "{", /broken\.json: not JSON, expected JSON such as/],
    ["deep.json", "[".repeat(5000) + "]".repeat(5000), /nest too deep/],
    ["throws.mjs", "throw new Error('no')", /throws\.mjs: the definition could not be loaded, got .*no/],
    ["empty.mjs", "export const x = 1;", /empty\.mjs: not a definition of a sweep/],
    ["bigint.mjs", "export default { variants: 5n };", /bigint\.mjs: variants: invalid value/],
    [
      "circle.mjs",
      "const own = []; own.push(own);\nexport default { variants: [{ name: 'A', algorithm: own }] };",
      /circle\.mjs: variants\[0\]\.algorithm: invalid value/,
    ],
    [
      "getter.mjs",
      "export default { get variants() { throw 1; } };",
      /getter\.mjs: the default export cannot/,
    ],
    ["sparse.mjs", "export default { variants: [,] };", /sparse\.mjs: variants\[0\]: not a definition/],
    [
      "sparse-seeds.mjs",
      "export default { variants: [{ name: 'A', algorithm: 'a2c' }], environments: ['X'], seeds: [, 1] };",
      /sparse-seeds\.mjs: seeds: invalid seeds/,
    ],
    [
      "sparse-environments.mjs",
      "export default { variants: [{ name: 'A', algorithm: 'a2c' }], environments: [, 'X'], seeds: [1] };",
      /sparse-environments\.mjs: environments: invalid value/,
    ],
    [
      "sparse-option.mjs",
      "export default { options: { tau: [, 1] }, variants: [] };",
      /sparse-option\.mjs: options\.tau: invalid value/,
    ],
    [
      "symbol-option.mjs",
      "export default { options: { tau: [Object.create(null), 2n] }, variants: [] };",
      /symbol-option\.mjs: options\.tau: invalid value/,
    ],
  ])("%s gives one error", async (name, text, message) => {
    const path = join(place, name);
    if (text !== null) writeFileSync(path, text);
    await expect(readDefinition(path)).rejects.toThrow(message);
  });
});

describe("seeds", () => {
  test("are a list, or a text of integers and ranges", () => {
    expect(seedList("x", [3, 1])).toEqual([3, 1]);
    expect(seedList("x", "5")).toEqual([5]);
    expect(seedList("x", "1..3, 10,20..20")).toEqual([1, 2, 3, 10, 20]);
    expect(seedList("x", "1..10000")).toHaveLength(10_000);
    for (const many of ["0..10000", "1..10000,10001"]) {
      expect(() => seedList("x", many)).toThrow("x: invalid seeds, expected at most 10,000 distinct");
    }
  });

  test("too many are refused before they are expanded", () => {
    const start = performance.now();
    const many = Array.from({ length: 100_000 }, () => "1..10000").join(",");
    expect(() => seedList("x", many)).toThrow("x: invalid seeds");
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test.each([
    [[]],
    [""],
    ["3..1"],
    ["1..2..3"],
    ["a"],
    ["1,,2"],
    ["-1"],
    ["1,1"],
    ["0..99999999"],
    [7],
    [null],
    [[1.5]],
    [["1"]],
  ])("%j is refused", (given) => {
    expect(() => seedList("--seeds", given)).toThrow(
      /^--seeds: invalid seeds, expected at most 10,000 distinct/,
    );
  });
});
