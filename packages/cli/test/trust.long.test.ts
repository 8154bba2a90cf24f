import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspectPython } from "@softrl/gymnasium";
import { decodeCheckpoint, encodeCheckpoint } from "softrl";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { isMarked, RunMarks } from "../src/runs/run-marks.js";
import { makeSecret, readSecret, secretFile } from "../src/runs/user-secret.js";
import { expectRefusal, fakeGymnasium, softrl, softrlAlone } from "./command.js";

const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));
const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const posix = process.platform !== "win32";

const place = temporaryFolder("trust");
const at = (...names: string[]) => join(place, ...names);
/** The command as a user with a data folder of their own. */
const as =
  (user: string, env: Record<string, string> = {}, run: typeof softrl = softrl) =>
  (...args: string[]) =>
    run(args, place, { env: { SOFTRL_EXECUTOR: "wasm", SOFTRL_HOME: at(user), ...env } });
const [maker, stranger] = [as("maker"), as("stranger")];

const traced = () => existsSync(at("wide-was-loaded"));
/** A stranger in a process that has loaded nothing yet: a second time a file would not be seen to load. */
const watched = as("stranger", {}, softrlAlone);

beforeAll(async () => {
  symlinkSync(packages, at("node_modules"), "junction");
  writeFileSync(at("package.json"), '{"type": "module"}');
  const wide = readFileSync(join(fixtures, "wide.js"), "utf8");
  const trace = `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(at("wide-was-loaded"))}, "");\n`;
  writeFileSync(at("wide.js"), trace + wide);
  copyFileSync(join(fixtures, "wide.js"), at("moved.js"));
  const train = ["train", "--network", "./wide.js", "--steps", "400", "--evaluate-every", "200"];
  expect(await maker(...train, "-o", "own")).toMatchObject({ code: 0, stderr: "" });
  expect(await maker("train", "--steps", "400", "-o", "plain")).toMatchObject({ code: 0, stderr: "" });
});

/** A copy of the run `own`, and its checkpoint with other settings. */
function copied(name: string, change: (config: Record<string, Record<string, unknown>>) => void = () => {}) {
  cpSync(at("own"), at(name), { recursive: true });
  const path = at(name, "checkpoint.safetensors");
  const snapshot = decodeCheckpoint("test", readFileSync(path));
  const config = JSON.parse(String(snapshot.config));
  change(config);
  writeFileSync(path, encodeCheckpoint({ ...snapshot, config: JSON.stringify(config) }));
  rmSync(at(name, "config.json"));
}

const commands = [
  ["evaluate", "--episodes", "1"],
  ["evaluate", "--episodes", "1", "--policy", "best"],
  ["record", "--max-steps", "5", "--out", "film.gif", "--overwrite"],
  ["resume", "--steps", "800"],
];

describe("a run that loads a file", () => {
  test.each(commands)(
    "%s: goes on for whom softrl wrote it, also where it was copied to",
    async (...args) => {
      const [command, ...options] = args;
      cpSync(at("own"), at("copy"), { recursive: true });
      expect(await maker(command, "copy", ...options)).toMatchObject({ code: 0, stderr: "" });
      rmSync(at("copy"), { recursive: true });
    },
  );

  test.each(commands)("%s: is refused to everybody else, and nothing is loaded", async (...args) => {
    const [command, ...options] = args;
    rmSync(at("wide-was-loaded"), { force: true });
    const run = await watched(command, "own", ...options);
    expectRefusal(
      run,
      1,
      /^softrl: own\/\w+\.safetensors: this run can execute code, and nothing shows that softrl wrote it on this account, got a run that loads .*wide\.js; if you trust whoever made it, add --trust\.\n$/,
    );
    expect(traced()).toBe(false);
  });

  test("is reported to everybody without its code", async () => {
    rmSync(at("wide-was-loaded"), { force: true });
    cpSync(at("own"), at("reported"), { recursive: true });
    expect(await watched("report", "reported")).toMatchObject({ code: 0, stderr: "" });
    expect(traced()).toBe(false);
  });

  test("is loaded with --trust, and needs no second --trust once it was resumed", async () => {
    cpSync(at("own"), at("taken"), { recursive: true });
    rmSync(at("wide-was-loaded"), { force: true });
    expect(await watched("evaluate", "taken", "--trust", "--episodes", "1")).toMatchObject({ code: 0 });
    expect(traced()).toBe(true);
    for (const [command, ...options] of commands) {
      expect(await stranger(command, "taken", "--trust", ...options)).toMatchObject({ code: 0, stderr: "" });
    }
    expect(await stranger("resume", "taken", "--steps", "1200")).toMatchObject({ code: 0, stderr: "" });
    expectRefusal(await maker("evaluate", "taken"), 1, /add --trust/);
  });

  test("asks nobody where an option names the file", async () => {
    rmSync(at("wide-was-loaded"), { force: true });
    const run = await watched("evaluate", "own", "--episodes", "1", "--network", "./moved.js");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(traced()).toBe(false);
  });

  test("asks its maker, too, where a byte of it was changed", async () => {
    copied("changed", ({ run }) => {
      run.seed = 5;
    });
    expectRefusal(await maker("evaluate", "changed"), 1, /loads .*wide\.js; .*add --trust/);
  });

  test.runIf(posix)("asks where its marks are a link, a pipe, a folder or something else", async () => {
    cpSync(at("own"), at("forged"), { recursive: true });
    const marks = at("forged", "trust.json");
    const forgeries = [
      () => symlinkSync(at("own", "trust.json"), marks),
      () => mkdirSync(marks),
      () => writeFileSync(marks, "[1]"),
      () => writeFileSync(marks, '{"checkpoint.safetensors": {"length": 1}}'),
      () => writeFileSync(marks, " ".repeat(1e7)),
    ];
    for (const forge of forgeries) {
      rmSync(marks, { recursive: true, force: true });
      forge();
      expectRefusal(await maker("evaluate", "forged"), 1, /add --trust/);
    }
    rmSync(marks);
    const args = ["evaluate", "forged"];
    const env = { SOFTRL_HOME: at("maker") };
    expectRefusal(
      await softrlAlone(args, place, { env, shellPrefix: "mkfifo forged/trust.json" }),
      1,
      /add --trust/,
    );
  });
});

describe("a run of Gymnasium's", () => {
  const python = () => ({ ...fakeGymnasium(place, "well"), PYTHON_STARTS: at("python-starts") });

  test.runIf(posix).each([
    ["evaluate", { id: "evil:Env-v0" }, "imports the Python module evil"],
    ["record", { id: "evil:CartPole-v1" }, "imports the Python module evil"],
    ["evaluate", { id: "Env-v0", options: { path: "x" } }, "passes options to the Python code of Env-v0"],
    ["resume", { id: "Env-v0" }, "reads Python pickles as the states of Env-v0"],
    ["resume", { id: "evil:ALE/Pong-v5" }, "imports the Python module evil, reads Python pickles"],
  ])("%s, %j: asks before Python starts", async (command, environment, code) => {
    const name = `gymnasium-${command}-${environment.id.replaceAll(/\W/g, "-")}`;
    copied(name, (config) => {
      Object.assign(config.environment, environment);
      config.network = { name: "mlp" };
    });
    // A Python that would be noticed.
    writeFileSync(at("noticed"), `#!/bin/sh\ntouch "${at("python-starts")}"\nexit 1\n`, { mode: 0o755 });
    const run = await as("stranger", { SOFTRL_PYTHON: at("noticed") })(command, name);
    expectRefusal(run, 1, /this run can execute code, and nothing shows that softrl wrote it/);
    expect(run.stderr).toContain(`got a run that ${code}`);
    expect(existsSync(at("python-starts"))).toBe(false);
  });

  test.runIf(posix)("is marked as it is written, and asks its maker nothing", async () => {
    const user = as("maker", python());
    expect(
      (await user("train", "--env", "Fake-v0", "--envs", "2", "--steps", "400", "-o", "fake")).code,
    ).toBe(0);
    expect(existsSync(at("fake", "trust.json"))).toBe(true);
    expect(await user("evaluate", "fake", "--episodes", "1", "--max-steps", "5")).toMatchObject({ code: 0 });
  });
});

describe("a run of built-in parts", () => {
  test.each(commands.filter((args) => !args.includes("best")))("%s: never asks", async (...args) => {
    const [command, ...options] = args;
    cpSync(at("plain"), at("built-in"), { recursive: true });
    expect(await stranger(command, "built-in", ...options)).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(at("built-in", "trust.json"))).toBe(false);
    rmSync(at("built-in"), { recursive: true });
  });
});

describe("marks", () => {
  const home = process.env.SOFTRL_HOME;
  const bytes = (text: string) => new TextEncoder().encode(text);
  beforeAll(() => {
    process.env.SOFTRL_HOME = at("unit");
  });
  afterAll(() => {
    if (home === undefined) delete process.env.SOFTRL_HOME;
    else process.env.SOFTRL_HOME = home;
  });

  test("fit the old file and the new one wherever a write fails", () => {
    const folder = at("unit-run");
    mkdirSync(folder);
    const write = (name: string, content: Uint8Array | string) => writeFileSync(join(folder, name), content);
    const fits = (text: string) => isMarked(folder, "checkpoint", bytes(text));
    const secret = makeSecret() ?? Buffer.alloc(0);
    const marks = new RunMarks(folder, secret);
    const failing = (name: string, content: Uint8Array | string) => {
      if (name === "checkpoint") throw new Error("killed");
      write(name, content);
    };
    marks.write("checkpoint", bytes("1"), write);
    for (const text of ["2", "3"]) {
      expect(() => marks.write("checkpoint", bytes(text), failing)).toThrow("killed");
      expect([fits("1"), fits(text)]).toEqual([true, true]);
    }
    // The next process begins with the marks of this one.
    const next = new RunMarks(folder, secret);
    expect(() => next.write("checkpoint", bytes("4"), failing)).toThrow("killed");
    expect([fits("1"), fits("4")]).toEqual([true, true]);
    next.write("checkpoint", bytes("5"), write);
    next.write("checkpoint", bytes("6"), write);
    next.write("best", bytes("b"), write);
    expect(["1", "4", "5", "6"].map(fits)).toEqual([false, false, false, true]);
  });

  test("need a secret that only its user reads; a damaged one is replaced, an unwritable folder has none", () => {
    const secret = makeSecret();
    expect(readSecret()).toEqual(secret);
    if (posix) expect(readFileSync(secretFile()).length).toBe(65);
    writeFileSync(secretFile(), "");
    expect(readSecret()).toBeNull();
    expect(makeSecret()).not.toEqual(secret);
    expect(makeSecret()).toEqual(readSecret());
    process.env.SOFTRL_HOME = join(secretFile(), "below-a-file");
    expect(makeSecret()).toBeNull();
    process.env.SOFTRL_HOME = at("unit");
  });
});

test.runIf(posix)("a Python that is inspected imports nothing from the current folder", async (context) => {
  if ((await inspectPython("python3").catch(() => null)) === null) return context.skip();
  mkdirSync(at("theirs"));
  writeFileSync(at("theirs", "json.py"), 'open("json-was-imported", "w").close()\n');
  await softrlAlone(["doctor"], at("theirs"), { env: { SOFTRL_PYTHON: "python3" } });
  expect(existsSync(at("theirs", "json-was-imported"))).toBe(false);
});
