import {
  choiceSetting,
  defaultText,
  flagSetting,
  integerSetting,
  integersSetting,
  liveSetting,
  namedScalarsSetting,
  numberSetting,
  optionName,
  requireSettingNames,
  type Setting,
  type SettingValue,
  textSetting,
} from "softrl";
import { describe, expect, it } from "vitest";

/** A setting of each maker, with values that it accepts, values that it refuses, and texts of the command line. */
interface Example {
  readonly setting: Setting;
  readonly placeholder: string;
  readonly accepts: readonly SettingValue[];
  readonly refuses: readonly (readonly [value: unknown, message: string])[];
  /** Each with the value that it means, as the check sees it. */
  readonly texts: readonly (readonly [text: string, value: unknown])[];
}

const about = "something about it";
const linear = '"from": 0.1, "to": 0.01';

const examples: Readonly<Record<string, Example>> = {
  numberSetting: {
    setting: numberSetting({ about, low: -1, high: 1, default: 0 }),
    placeholder: "number",
    accepts: [-1, 0, 1, 0.25],
    refuses: [
      [1.5, "--x: invalid value, expected a number in [-1, 1], got 1.5."],
      [Number.NaN, "got NaN."],
      [Number.POSITIVE_INFINITY, "got Infinity."],
      ["0.5", 'got "0.5".'],
      [null, "got null."],
      [undefined, "got undefined."],
      [{ from: 0, to: 1 }, 'expected a number in [-1, 1], got {"from":0,"to":1}.'],
    ],
    texts: [
      ["0.5", 0.5],
      ["-1e-3", -0.001],
      ["", ""],
      ["half", "half"],
      ["1x", "1x"],
    ],
  },
  liveSetting: {
    setting: liveSetting({ about, above: 0, default: 0.1 }),
    placeholder: "number|schedule",
    accepts: [
      0.1,
      { from: 0.1, to: 0.01 },
      { from: 0.1, to: 0.01, over: 0.5 },
      {
        steps: [
          [0, 0.1],
          [10, 0.2],
        ],
      },
      { steps: [[0, 1]] },
    ],
    refuses: [
      [0, "--x: invalid value, expected a number in (0, ∞), got 0."],
      [Number.NaN, "got NaN."],
      [
        "0.1:0.01",
        `expected a number in (0, ∞), or a schedule: 0.1:0.01 as an option, {${linear}} in JSON, got "0.1:0.01".`,
      ],
      [{ from: 0.1 }, 'got {"from":0.1}.'],
      [{ from: 0.1, to: 0 }, 'got {"from":0.1,"to":0}.'],
      [{ from: 0.1, to: 0.1, by: 1 }, "or a schedule"],
      [{ from: 0.1, to: 0.1, over: 1 }, "or a schedule"],
      [{ from: 0.1, to: 0.1, over: 0 }, "or a schedule"],
      [{ from: 0.1, to: 0.1, over: "0.5" }, "or a schedule"],
      [{ from: 0.1, over: 0.5 }, "or a schedule"],
      [{ steps: [] }, "or a schedule"],
      [{ steps: [[5, 0.1]] }, "or a schedule"],
      [
        {
          steps: [
            [0, 0.1],
            [10, 0.2],
            [10, 0.3],
          ],
        },
        "or a schedule",
      ],
      [
        {
          steps: [
            [0, 0.1],
            [10, -1],
          ],
        },
        "or a schedule",
      ],
      [
        {
          steps: [
            [0, 0.1],
            [10.5, 1],
          ],
        },
        "or a schedule",
      ],
      [{ steps: [[0, 0.1, 3]] }, "or a schedule"],
      [{ steps: [[0, 0.1]], from: 1 }, "or a schedule"],
      [[0.1, 0.2], "or a schedule"],
      [null, "got null."],
    ],
    texts: [
      ["0.1", 0.1],
      ["0.1:0.01", { from: 0.1, to: 0.01 }],
      ["1:0.05:0.1", { from: 1, to: 0.05, over: 0.1 }],
      [
        "0.1@0,0.01@10000",
        {
          steps: [
            [0, 0.1],
            [10_000, 0.01],
          ],
        },
      ],
      ["0.1@0", { steps: [[0, 0.1]] }],
      ["0.1:", "0.1:"],
      ["a@0", "a@0"],
      ["0.1@0@1", "0.1@0@1"],
      ["0.1@0,0.2", "0.1@0,0.2"],
      ["1:2:3:4", "1:2:3:4"],
    ],
  },
  integerSetting: {
    setting: integerSetting({ about, low: 1, default: 3 }),
    placeholder: "integer",
    accepts: [1, 3, Number.MAX_SAFE_INTEGER],
    refuses: [
      [0, "--x: invalid value, expected an integer of at least 1, got 0."],
      [1.5, "expected an integer of at least 1, got 1.5."],
      [2 ** 53, "expected an integer in [1, 2^53 − 1 = 9007199254740991], got 9007199254740992."],
      ["9007199254740993", "expected an integer in [1, 2^53 − 1"],
      ["3", 'got "3".'],
      [true, "got true."],
    ],
    texts: [
      ["12", 12],
      ["5e5", 500_000],
      ["9007199254740993", "9007199254740993"],
      ["many", "many"],
    ],
  },
  "integerSetting in a range": {
    setting: integerSetting({ about, low: 1, high: 4096, default: 8 }),
    placeholder: "integer",
    accepts: [1, 4096],
    refuses: [
      [0, "expected an integer in [1, 4096], got 0."],
      [4097, "expected an integer in [1, 4096], got 4097."],
    ],
    texts: [["8", 8]],
  },
  choiceSetting: {
    setting: choiceSetting(["proper", "naive"], { about, default: "proper" }),
    placeholder: "proper|naive",
    accepts: ["proper", "naive"],
    refuses: [
      ["propre", '--x: invalid value, expected "proper" or "naive", got "propre"; did you mean proper?'],
      ["x", '--x: invalid value, expected "proper" or "naive", got "x".'],
      [1, 'expected "proper" or "naive", got 1.'],
      [null, "got null."],
    ],
    texts: [["naive", "naive"]],
  },
  flagSetting: {
    setting: flagSetting({ about, default: false }),
    placeholder: "true|false",
    accepts: [true, false],
    refuses: [
      ["true", '--x: invalid value, expected true or false, got "true".'],
      [1, "got 1."],
    ],
    texts: [
      ["true", true],
      ["false", false],
      ["yes", "yes"],
    ],
  },
  textSetting: {
    setting: textSetting({ about, default: "a" }),
    placeholder: "text",
    accepts: ["a", "a b"],
    refuses: [
      ["", '--x: invalid value, expected a text, got "".'],
      ["  ", "expected a text"],
      [3, "expected a text, got 3."],
    ],
    texts: [["a,b=c", "a,b=c"]],
  },
  integersSetting: {
    setting: integersSetting({ about, low: 1, default: [64, 64] }),
    placeholder: "list",
    accepts: [[], [64], [64, 32, 1]],
    refuses: [
      [[64, 0], "--x: invalid value, expected a list of integers of at least 1, got [64,0]."],
      [[64, "64"], 'got [64,"64"].'],
      [64, "got 64."],
      ["64,64", 'got "64,64".'],
    ],
    texts: [
      ["32,16", [32, 16]],
      ["", []],
      ["32,,16", [32, "", 16]],
    ],
  },
  namedScalarsSetting: {
    setting: namedScalarsSetting({ about }),
    placeholder: "list",
    accepts: [{}, { slip: 0.2, ramping: false, map: "4x4" }],
    refuses: [
      [{ slip: null }, '--x: invalid value, expected values by name, as in slip=0.2, got {"slip":null}.'],
      [{ slip: [1] }, "expected values by name"],
      [[1], "expected values by name"],
      ["slip", 'got "slip".'],
    ],
    texts: [
      ["slip=0.2,ramping=false,map=4x4", { slip: 0.2, ramping: false, map: "4x4" }],
      [" slip = 1 ", { slip: 1 }],
      ["slip=1,slip=2", "slip=1,slip=2"],
      ["slip", "slip"],
      ["", ""],
    ],
  },
};

describe.each(Object.entries(examples))("%s", (_, { setting, placeholder, accepts, refuses, texts }) => {
  it("has its description and a placeholder, and no source and option of its own", () => {
    expect(setting).toMatchObject({ about, placeholder, source: null, option: null });
  });

  it("accepts its values, and leaves them as they are", () => {
    for (const value of accepts) expect(setting.check("--x", value)).toEqual(value);
  });

  it("accepts its own defaults", () => {
    for (const value of Object.values(setting.defaults)) expect(setting.check("", value)).toEqual(value);
  });

  it.each(refuses)("refuses %j", (value, message) => {
    expect(() => setting.check("--x", value)).toThrow(message);
    expect(() => setting.check("--x", value)).toThrow(/^--x: invalid value, expected /);
  });

  it.each(texts)("reads the text %j", (text, value) => {
    expect(setting.fromText(text)).toEqual(value);
  });

  it("reads the text that it writes", () => {
    for (const value of accepts) {
      const text = setting.toText(value);
      // No named scalars are written as an empty text, which no option has.
      if (text !== "" || Array.isArray(value)) expect(setting.fromText(text)).toEqual(value);
    }
  });
});

describe("a setting", () => {
  it("is live only where it may change during a run", () => {
    const live = Object.entries(examples).filter(([, { setting }]) => setting.live);
    expect(live.map(([name]) => name)).toEqual(["liveSetting"]);
  });

  it("keeps no reference to a list or an object that it has checked", () => {
    const list = [1, 2];
    const checked = integersSetting({ about, low: 1, default: [] }).check("", list);
    list[0] = 9;
    expect(checked).toEqual([1, 2]);
    const named = { slip: 1 };
    const copied = namedScalarsSetting({ about }).check("", named);
    named.slip = 2;
    expect(copied).toEqual({ slip: 1 });
  });

  it("has one default everywhere, or one for each family", () => {
    const all = numberSetting({ about, default: 1 });
    expect(all.defaults).toEqual({ vector: 1, table: 1, atari: 1, minatar: 1 });
    const two = numberSetting({ about, defaults: { vector: 1, atari: 2 } });
    expect(two.defaults).toEqual({ vector: 1, table: 1, atari: 2, minatar: 2 });
    const three = numberSetting({ about, defaults: { vector: 1, atari: 2, minatar: 3 } });
    expect(three.defaults).toEqual({ vector: 1, table: 1, atari: 2, minatar: 3 });
    const four = numberSetting({ about, defaults: { vector: 1, table: 4, atari: 2, minatar: 3 } });
    expect(four.defaults).toEqual({ vector: 1, table: 4, atari: 2, minatar: 3 });
  });

  it("without a default is refused", () => {
    expect(() => numberSetting({ about })).toThrow(
      'setting: "something about it" has no default; give default, or defaults by family.',
    );
  });

  it("prints its default for help and documentation", () => {
    expect(defaultText(numberSetting({ about, default: 0.99 }))).toBe("0.99");
    expect(defaultText(integerSetting({ about, low: 1, defaults: { vector: 8, atari: 16 } }))).toBe(
      "8; Atari and MinAtar: 16",
    );
    const steps = { vector: 1, atari: 2, minatar: 3 };
    expect(defaultText(integerSetting({ about, low: 1, defaults: steps }))).toBe("1; Atari: 2; MinAtar: 3");
    const own = { vector: 1, table: 2, atari: 2, minatar: 2 };
    expect(defaultText(integerSetting({ about, low: 1, defaults: own }))).toBe(
      "1; tables, Atari and MinAtar: 2",
    );
    const last = { vector: 1, atari: 1, minatar: 2 };
    expect(defaultText(integerSetting({ about, low: 1, defaults: last }))).toBe("1; MinAtar: 2");
    const sizes = { vector: [64, 64], table: [], atari: [64, 64] };
    expect(defaultText(integersSetting({ about, low: 1, defaults: sizes }))).toBe("64,64; tables: none");
    expect(defaultText(integersSetting({ about, low: 1, default: [64, 64] }))).toBe("64,64");
    expect(defaultText(namedScalarsSetting({ about }))).toBe("none");
    expect(defaultText(flagSetting({ about, default: false }))).toBe("false");
  });

  it("has an option in kebab case, or one of its own", () => {
    expect(optionName("valueCoefficient", { option: null })).toBe("--value-coefficient");
    expect(optionName("tau", { option: null })).toBe("--tau");
    expect(optionName("count", { option: "envs" })).toBe("--envs");
    const setting = numberSetting({ about, default: 1, source: "§3", option: "own", placeholder: "share" });
    expect(setting).toMatchObject({ source: "§3", option: "own", placeholder: "share" });
  });
});

describe("the names of settings", () => {
  const about = "a setting";
  it.each(["name", "module"])("cannot be %s, which a configuration needs for the kind itself", (name) => {
    const settings = { [name]: integerSetting({ about, low: 0, default: 1 }) };
    expect(() => requireSettingNames("algorithmKind", settings)).toThrow(
      `algorithmKind: a setting cannot be named ${name}`,
    );
  });
});

describe("values that describe themselves badly", () => {
  it.each([
    ["a symbol", Symbol("x")],
    ["an object without a prototype", Object.create(null)],
    ["a BigInt", 1n],
    ["an array with holes", new Array(2)],
  ])("are refused in one error: %s", (_, value) => {
    for (const setting of [
      integerSetting({ about: "a", low: 0, default: 1 }),
      integersSetting({ about: "a", low: 0, default: [1] }),
      liveSetting({ about: "a", low: 0, default: 1 }),
    ]) {
      expect(() => setting.check("--x", value)).toThrow(/^--x: invalid value/);
    }
  });

  it.each(["0.1@", "0.1@0,0.2@0x3e8", "@0", "0.1@0,"])("a schedule is written in decimal: not %j", (text) => {
    const setting = liveSetting({ about: "a", low: 0, default: 1 });
    expect(() => setting.check("--x", setting.fromText(text))).toThrow(/^--x: invalid value/);
  });
});
