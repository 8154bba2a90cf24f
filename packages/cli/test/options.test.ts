import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtInAlgorithms, builtInNetworks, builtInOptimisers, optionName, stepSettings } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { main } from "../src/main.js";

const place = temporaryFolder("settings");

/** Runs the command in this process. */
async function run(...args: string[]) {
  let out = "";
  let err = "";
  const stream = (write: (text: string) => void) =>
    Object.assign(Object.create(process.stderr), { write, isTTY: false, columns: 100 });
  const terminal = {
    out: stream((text) => {
      out += text;
    }),
    err: stream((text) => {
      err += text;
    }),
  };
  return { code: await main(args, terminal), out, err };
}

function file(name: string, config: unknown): string {
  const path = join(place, name);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

describe("a setting of another kind is refused with the name of its owner", () => {
  test.each([
    [["--trust-region", "1"], "--trust-region: a2c has no --trust-region; npg has."],
    [["-a", "npg", "--gap", "kept"], "--gap: npg has no --gap; soft-q and async-soft-q have."],
    [
      ["-a", "soft-q", "--entropy-bonus", "naive"],
      "--entropy-bonus: soft-q has no --entropy-bonus; a2c, ppo and a3c have.",
    ],
    [
      ["-a", "npg", "--value-coefficient", "1"],
      "--value-coefficient: npg has no --value-coefficient; a2c, soft-q, ppo, a3c and async-soft-q have.",
    ],
    [["--rmsprop-decay", "0"], "--rmsprop-decay: adam has no --rmsprop-decay; rmsprop has."],
    [
      ["--optimiser", "rmsprop", "--adam-beta1", "0.8"],
      "--adam-beta1: rmsprop has no --adam-beta1; adam has.",
    ],
    [
      ["-e", "MinAtar/Breakout-v1", "--hidden-sizes", "4"],
      "--hidden-sizes: minatar-cnn has no --hidden-sizes; mlp has.",
    ],
    [
      ["--network", "nature-cnn", "--hidden-sizes", "4"],
      "--hidden-sizes: nature-cnn has no --hidden-sizes; mlp has.",
    ],
    [
      ["--atari-protocol", "sticky"],
      "--atari-protocol: CartPole-v1 has no --atari-protocol; Atari's environments have.",
    ],
  ])("%j", async (args, message) => {
    expect(await run("train", ...args)).toEqual({ code: 1, out: "", err: `softrl: ${message}\n` });
  });

  test.each([
    [
      { algorithm: { name: "a2c", trustRegion: 1 } },
      'algorithm.trustRegion: a2c has no setting "trustRegion"; npg has.',
    ],
    [
      { optimiser: { name: "sgd", epsilon: 1 } },
      'optimiser.epsilon: sgd has no setting "epsilon"; rmsprop, adam and radam have.',
    ],
    [
      { environment: { id: "MinAtar/Breakout-v1" }, network: { hiddenSizes: [4] } },
      'network.hiddenSizes: minatar-cnn has no setting "hiddenSizes"; mlp has.',
    ],
    [
      { environment: { atariProtocol: "sticky" } },
      'environment.atariProtocol: CartPole-v1 has no setting "atariProtocol"; Atari\'s environments have.',
    ],
  ])("%j in a file", async (config, message) => {
    const path = file("run.json", config);
    expect(await run("train", "--config", path)).toEqual({
      code: 1,
      out: "",
      err: `softrl: ${path}: ${message}\n`,
    });
  });

  test("where the file does not name the part that an option replaces", async () => {
    const path = file("unnamed.json", { algorithm: { entropyBonus: "proper" } });
    const { err } = await run("train", "--config", path, "-a", "soft-q");
    expect(err).toContain(
      'algorithm.entropyBonus: soft-q has no setting "entropyBonus"; a2c, ppo and a3c have.',
    );
  });
});

describe("an option that replaces a part of the file", () => {
  const short = { run: { steps: 80, executor: "wasm" } };

  test("leaves out the settings that the new part does not have, and names them", async () => {
    const path = file("whole.json", {
      ...short,
      environment: { id: "CliffWalking-v0", count: 4, options: { slip: 0.2 } },
      network: { name: "mlp", hiddenSizes: [8] },
      optimiser: { name: "rmsprop", learningRate: 0.01, decay: 0.9 },
      algorithm: { name: "a2c", tau: 0.5, entropyBonus: "naive" },
    });
    const folder = join(place, "replaced");
    const parts = ["--algorithm", "soft-q", "--env", "CartPole-v1", "--optimiser", "sgd"];
    const { code, err } = await run("train", "--config", path, ...parts, "-o", folder, "--json");
    expect([code, err]).toEqual([
      0,
      "softrl: --algorithm soft-q replaces the file's a2c; left out: entropyBonus\n" +
        "softrl: --env CartPole-v1 replaces the file's CliffWalking-v0; left out: options.slip\n" +
        "softrl: --optimiser sgd replaces the file's rmsprop; left out: decay\n",
    ]);
    expect(JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))).toMatchObject({
      environment: { id: "CartPole-v1", count: 4, options: {} },
      network: { name: "mlp", hiddenSizes: [8] },
      optimiser: { name: "sgd", learningRate: 0.01 },
      algorithm: { name: "soft-q", tau: 0.5 },
    });
  });

  test("prints nothing in help, nor where nothing is left out", async () => {
    const path = file("same.json", { ...short, algorithm: { name: "a2c", entropyBonus: "proper" } });
    expect(await run("train", "--config", path, "-a", "soft-q", "--help")).toMatchObject({
      code: 0,
      err: "",
    });
    const same = ["train", "--config", path, "-a", "a2c", "-o", join(place, "same"), "--json"];
    expect(await run(...same)).toMatchObject({ code: 0, err: "" });
  });

  test.each([
    [
      { name: "a2c", entropyBonus: "naive", gap: "kept" },
      'algorithm.gap: a2c has no setting "gap"; soft-q and async-soft-q have',
    ],
    [
      { name: "a2c", entropyBonus: "naive", tua: 1 },
      'algorithm.tua: a2c has no setting "tua"; did you mean tau?',
    ],
    [{ name: "a2c", entropyBonus: "none" }, "algorithm.entropyBonus: invalid value"],
  ])("does not mend a file with a fault of its own: %j", async (algorithm, message) => {
    const path = file("inconsistent.json", { algorithm });
    const { code, err } = await run("train", "--config", path, "-a", "soft-q");
    expect([code, err]).toEqual([1, expect.stringContaining(`${path}: ${message}`)]);
  });
});

describe("a setting in the wrong section is refused with the name of its own", () => {
  test.each([
    [
      { algorithm: { learningRate: 0.1 } },
      "algorithm.learningRate: this setting belongs in the section optimiser.",
    ],
    [{ optimiser: { tau: 0.1 } }, "optimiser.tau: this setting belongs in the section algorithm."],
    [{ run: { count: 4 } }, "run.count: this setting belongs in the section environment."],
    [{ algorithm: { beta1: 0.9 } }, "algorithm.beta1: this setting belongs in the section optimiser."],
    [{ environment: { name: "CartPole-v1" } }, "environment.name: an environment is named by id."],
    [{ network: { id: "mlp" } }, "network.id: a network is named by name."],
  ])("%j", async (config, message) => {
    const path = file("misplaced.json", config);
    expect(await run("train", "--config", path)).toEqual({
      code: 1,
      out: "",
      err: `softrl: ${path}: ${message}\n`,
    });
  });
});

describe("an invalid value is refused by its option, or by its file and key", () => {
  test("whichever of both gave it", async () => {
    const path = file("wrong.json", { algorithm: { tau: -1 } });
    const key = await run("train", "--config", path);
    expect(key.err).toContain(`${path}: algorithm.tau: invalid value, expected a number in (0, ∞)`);
    const option = await run("train", "--config", path, "--tau", "-2");
    expect(option.err).toMatch(/^softrl: --tau: invalid value, expected a number in \(0, ∞\).*got -2/);
    const none = await run("train", "--config", file("null.json", { algorithm: { tau: null } }));
    expect(none.err).toMatch(/algorithm\.tau: invalid value.*got null/);
  });

  test.each([
    [{ algorithm: "a2c", tau: 0.1 }, '"algorithm" is not in a section', '"algorithm": {"name": …}'],
    [{ tau: 0.1 }, '"tau" is not in a section', '"algorithm": {"tau": …}'],
    [{ steps: 100 }, '"steps" is not in a section', '"run": {"steps": …}'],
    [{ environment: "CartPole-v1" }, '"environment" is not in a section', '"environment": {"id": …}'],
    [{ nonsense: 1 }, '"nonsense" is not in a section', "the sections are run, environment"],
  ])("settings without sections: %j", async (config, message, remedy) => {
    const { code, err } = await run("train", "--config", file("flat.json", config));
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(err).toContain('expected sections such as {"run": {"seed": 3}');
    expect(err).toContain(remedy);
  });

  test.each([
    [{ run: { executor: "wsam" } }, /run\.executor: unknown executor.*"wsam"; did you mean wasm\?/],
    [{ run: { executor: "wasm", precision: "float64" } }, /run\.executor: wasm does not compute in float64/],
    [{ run: { precision: "float64" } }, /run\.precision: this setting needs run\.executor/],
    [
      { run: { executor: "gpu" } },
      /run\.executor: unknown executor, expected native or wasm or wasm-relaxed or reference, got "gpu"\.\n$/,
    ],
    [
      { optimiser: { name: "lion" } },
      /optimiser\.name: unknown name, expected [\w, ]+, or a file such as \.\/mine\.js, got "lion"\.\n$/,
    ],
    [{ algorithm: { name: "softq" } }, /algorithm\.name: unknown name.*did you mean soft-q\?/],
    [{ network: { module: "./gone.js" } }, /network\.module: .*gone\.js does not exist/],
  ])("%j", async (config, message) => {
    const { code, err } = await run("train", "--config", file("parts.json", config));
    expect([code, err]).toEqual([1, expect.stringMatching(message)]);
  });
});

describe("help", () => {
  test("lists the settings of the chosen algorithm, and all algorithms, networks and optimisers", async () => {
    const { code, out } = await run("train", "--algorithm", "npg", "--help");
    expect(code).toBe(0);
    const npg = builtInAlgorithms.find(({ name }) => name === "npg")?.settings ?? {};
    for (const [name, setting] of Object.entries({ ...npg, ...stepSettings })) {
      expect(out).toContain(`  ${optionName(name, setting)} <`);
    }
    expect(out).not.toContain("--entropy-bonus");
    expect(out).not.toContain("--adam-beta1");
    const words = out.replaceAll(/\s+/g, " ");
    for (const { name, about } of [...builtInAlgorithms, ...builtInNetworks, ...builtInOptimisers]) {
      expect(words).toContain(`${name} (${about})`);
    }
    expect(out).toMatch(/^Algorithm npg:$/m);
    expect(words).toContain("(default: 8; Atari and MinAtar: 16) [stable-baselines3's zoo;");
  });

  test("takes the parts from a file of settings", async () => {
    const path = file("help.json", { optimiser: { name: "adam" }, environment: { id: "ALE/Pong-v5" } });
    const { out } = await run("train", "--config", path, "--help");
    for (const option of ["--adam-beta1", "--atari-protocol"]) expect(out).toContain(`  ${option} <`);
    expect(out).toMatch(/^Network nature-cnn:$/m);
    expect(out).not.toContain("--hidden-sizes");
  });

  test("explains schedules", async () => {
    const { out } = await run("train", "--help");
    expect(out).toContain("--learning-rate <number|schedule>");
    expect(out.trimEnd().split("\n").at(-1)).toBe(
      "A schedule is 0.1:0.01 (linear over the run), 0.1:0.01:0.5 (over half of it) or 0.1@0,0.01@10000 (from these steps on).",
    );
    const resume = await run("resume", "--help");
    expect(resume.out).toContain("--learning-rate <number> ");
    expect(resume.out).toMatch(/\nExtending a run stretches its linear schedules\.\n$/);
  });

  test("of compare lists the common settings alone", async () => {
    const { out } = await run("compare", "--help");
    expect(out).toContain("--value-coefficient");
    for (const option of ["--entropy-bonus", "--gap ", "--algorithm "]) expect(out).not.toContain(option);
    const { out: others } = await run("compare", "--algorithms", "a2c,dqn", "--help");
    expect(others).toContain("Algorithms a2c and dqn:");
    expect(others).toContain("--tau");
    expect(others).not.toContain("--value-coefficient");
  });
});

describe("compare", () => {
  test("refuses the settings that only one algorithm has", async () => {
    for (const [args, message] of [
      [["--entropy-bonus", "naive"], "soft-q has no --entropy-bonus; a2c, ppo and a3c have"],
      [["--gap", "kept"], "a2c has no --gap; soft-q and async-soft-q have"],
      [
        ["--config", file("naive.json", { algorithm: { entropyBonus: "naive" } })],
        'soft-q has no setting "entropyBonus"',
      ],
    ] as const) {
      const { code, err } = await run("compare", ...args);
      expect([code, err]).toEqual([1, expect.stringContaining(message)]);
    }
  });

  test.each([
    [
      ["--algorithms", "a2c,a2c"],
      '--algorithms: invalid value, expected distinct names or files, such as a2c,soft-q,ppo, got "a2c,a2c"',
    ],
    [["--algorithms", "a2c,none"], "--algorithms: unknown name, expected a2c, soft-q"],
    [["--seeds", "1..2", "--seed", "1"], "--seed: --seeds names the seeds; leave --seed out"],
    [["--seeds", "x"], "--seeds: invalid seeds"],
    [["--subtract-gap", "--seeds", "1,2"], "--subtract-gap: this compares a2c and soft-q with one seed"],
    [
      ["--subtract-gap", "--algorithms", "a2c,ppo"],
      "--subtract-gap: this compares a2c and soft-q with one seed",
    ],
  ])("refuses %j", async (args, message) => {
    const { code, err } = await run("compare", ...args);
    expect([code, err]).toEqual([1, expect.stringContaining(message)]);
  });

  test("takes the config.json of either algorithm", async () => {
    for (const algorithm of [
      { name: "a2c", entropyBonus: "naive", tau: 0.5 },
      { name: "soft-q", gap: "kept", tau: 0.5 },
    ]) {
      const folder = join(place, `pair-${algorithm.name}`);
      const path = file("either.json", { algorithm, run: { steps: 80, executor: "wasm" } });
      const { code, out, err } = await run("compare", "--config", path, "-o", folder, "--json");
      const [own] = Object.keys(algorithm).filter((name) => name !== "name" && name !== "tau");
      const notice = `softrl: compare uses the settings that a2c and soft-q share; left out: ${own}\n`;
      expect([code, err]).toEqual([0, notice]);
      const { runs } = JSON.parse(out);
      expect(runs.map((result: { algorithm: string }) => result.algorithm)).toEqual(["a2c", "soft-q"]);
      const configs = ["a2c", "soft-q"].map((name) =>
        readFileSync(join(folder, name, "config.json"), "utf8"),
      );
      for (const config of configs) expect(JSON.parse(config).algorithm.tau).toBe(0.5);
      expect(runs[0]).toMatchObject({ executor: "wasm", precision: "float32" });
    }
  });
});
