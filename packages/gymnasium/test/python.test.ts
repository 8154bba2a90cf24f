import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPython, inspectPython, managedDirectory, setupGymnasium } from "@softrl/gymnasium";
import { defaultNetworks, environmentFamily } from "softrl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completeConfig } from "../src/config.js";
import { connectEnvironment } from "../src/environment.js";
import { isAtari, pinnedVersions, venvPython } from "../src/python.js";
import { installFailure } from "../src/setup.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "softrl-python-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Writes a program that answers an inspection like an interpreter with these packages. */
async function fakePython(
  path: string,
  packages: Record<string, string>,
  missing: string[],
): Promise<string> {
  const answer = JSON.stringify({ version: "3.11.0", packages, missing });
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!${process.execPath}\nconsole.log(${JSON.stringify(answer)});\n`);
  await chmod(path, 0o755);
  return path;
}

const posix = process.platform !== "win32";

describe("pinnedVersions", () => {
  it("has an exact version for each package that the bridge imports", () => {
    const pins = pinnedVersions();
    expect(Object.keys(pins)).toEqual(
      expect.arrayContaining(["gymnasium", "ale-py", "numpy", "cloudpickle"]),
    );
    for (const version of Object.values(pins)) expect(version).toMatch(/^\d+(\.\d+)+$/);
  });
});

describe("Atari ids", () => {
  it.each([
    ["ALE/Pong-v5", true],
    ["PongNoFrameskip-v4", true],
    ["ALE/Pong-ram-v5", false],
    ["Pong-v4", false],
    ["CartPole-v1", false],
  ])("%s: %s", (id, preprocessed) => {
    expect(isAtari(id)).toBe(preprocessed);
    // Its default network reads what the bridge returns.
    expect(defaultNetworks[environmentFamily(id)]).toBe(preprocessed ? "nature-cnn" : "mlp");
  });

  it("are recognised by softrl alone, not by another pattern in this package", async () => {
    const here = fileURLToPath(new URL("..", import.meta.url));
    for (const file of ["src/python.ts", "python/softrl_bridge/main.py", "python/softrl_bridge/atari.py"]) {
      expect(await readFile(join(here, file), "utf8")).not.toMatch(/NoFrameskip-v|ALE.*-v5\b.*\|/);
    }
  });
});

describe("managedDirectory", () => {
  it("is in SOFTRL_HOME, or else in XDG_DATA_HOME; empty variables are ignored", () => {
    expect(managedDirectory({ SOFTRL_HOME: join("a", "b"), XDG_DATA_HOME: "c" })).toBe(
      join("a", "b", "gymnasium"),
    );
    expect(managedDirectory({ SOFTRL_HOME: "", XDG_DATA_HOME: "c" })).toBe(join("c", "softrl", "gymnasium"));
  });
});

describe.runIf(posix)("findPython", () => {
  it("refuses an empty path", async () => {
    await expect(findPython({ python: "" })).rejects.toThrow(/option python is empty.*leave the option out/s);
  });

  it("prefers the option to SOFTRL_PYTHON, and that to the managed environment", async () => {
    const home = join(folder, "home");
    const option = await fakePython(join(folder, "option"), {}, []);
    const named = await fakePython(join(folder, "named"), {}, []);
    const managed = await fakePython(venvPython(join(home, "gymnasium")), {}, []);
    const variables = { SOFTRL_HOME: home, SOFTRL_PYTHON: named };
    expect(await findPython({ python: option, variables })).toMatchObject({ path: option, source: "option" });
    expect(await findPython({ variables })).toMatchObject({ path: named, source: "SOFTRL_PYTHON" });
    expect(await findPython({ variables: { SOFTRL_HOME: home } })).toMatchObject({
      path: managed,
      source: "managed",
    });
  });

  it("reports in one line which packages the given Python lacks", async () => {
    const python = await fakePython(join(folder, "bare"), {}, ["gymnasium", "ale-py"]);
    for (const options of [{ python, variables: {} }, { variables: { SOFTRL_PYTHON: python } }]) {
      const message = await findPython(options).catch(String);
      expect(message).toMatch(/lacks packages, got .*bare \(Python 3\.11\.0\) without gymnasium, ale-py/);
      expect(message).toMatch(/`softrl setup gymnasium`/);
      expect(message).not.toContain("\n");
    }
  });

  it("has the code no-python where none has the packages, and another where the named one does not run", async () => {
    const bare = await fakePython(join(folder, "packages", "none"), {}, ["gymnasium"]);
    const nowhere = { SOFTRL_HOME: join(folder, "nowhere"), PATH: join(folder, "nowhere") };
    const missing = join(folder, "missing");
    await expect(findPython({ python: bare })).rejects.toMatchObject({ code: "no-python" });
    await expect(findPython({ variables: { ...nowhere, SOFTRL_PYTHON: bare } })).rejects.toMatchObject({
      code: "no-python",
    });
    await expect(findPython({ python: missing })).rejects.toMatchObject({
      code: "bad-input",
      where: "the python option",
      what: "the Python interpreter does not run",
      details: { got: `${missing}: no such file` },
      cause: { where: "inspectPython", cause: { code: "ENOENT" } },
    });
  });

  it("needs ale-py and OpenCV only for Atari", async () => {
    const python = await fakePython(join(folder, "plain"), {}, ["ale-py", "opencv-python-headless"]);
    expect((await findPython({ python, id: "CartPole-v1" })).path).toBe(python);
    await expect(findPython({ python, id: "ALE/Pong-v5" })).rejects.toThrow(/without ale-py, opencv/);
    await expect(findPython({ python, id: "PongNoFrameskip-v4" })).rejects.toThrow(/without ale-py, opencv/);
  });

  it("reports which versions differ from the pinned ones", async () => {
    const python = await fakePython(join(folder, "old"), { ...pinnedVersions(), gymnasium: "0.1" }, []);
    expect((await inspectPython(python)).different).toEqual(["gymnasium"]);
  });

  it("refuses a program that is not Python", async () => {
    await expect(findPython({ python: join(folder, "nothing") })).rejects.toThrow(
      /does not run.*nothing: no such file/,
    );
    const silent = join(folder, "silent");
    await writeFile(silent, "#!/bin/sh\necho hello\n");
    await chmod(silent, 0o755);
    await expect(inspectPython(silent)).rejects.toThrow(/does not answer like Python/);
    const failing = join(folder, "failing");
    await writeFile(failing, "#!/bin/sh\necho broken install >&2\nexit 1\n");
    await chmod(failing, 0o755);
    await expect(inspectPython(failing)).rejects.toThrow(/failing: exit code 1, "broken install"/);
  });

  it("reports in one line why SOFTRL_PYTHON does not work", async () => {
    const junk = join(folder, "junk");
    await writeFile(junk, "#!/bin/sh\nprintf 'some\\njunk\\n'\n");
    await chmod(junk, 0o755);
    const reasons: [string, RegExp][] = [
      ["/bin/false", /got \/bin\/false: exit code 1;/],
      [folder, /: a folder, or not executable;/],
      [junk, /does not answer like Python, got .*junk: "some\\njunk\\n"/],
      [join(folder, "nothing"), /nothing: no such file;/],
    ];
    for (const [python, reason] of reasons) {
      const message = await findPython({ variables: { SOFTRL_PYTHON: python } }).catch(String);
      expect(message).toMatch(/^SoftrlError: SOFTRL_PYTHON: /);
      expect(message).toMatch(reason);
      expect(message).not.toMatch(/\n|import/);
    }
    await expect(findPython({ python: folder, variables: {} })).rejects.toThrow(/^the python option: /);
  });
});

describe("setupGymnasium", () => {
  it("does not touch a folder that is not a virtual environment", async () => {
    const directory = join(folder, "mine");
    await mkdir(directory);
    await writeFile(join(directory, "thesis.txt"), "");
    await expect(setupGymnasium({ directory })).rejects.toThrow(
      /mine is not a virtual environment.*thesis\.txt/,
    );
    expect(await readdir(directory)).toEqual(["thesis.txt"]);
  });

  it("reports that the folder cannot be used", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await expect(setupGymnasium({ directory: join(file, "deep") })).rejects.toThrow(
      /deep cannot be used.*SOFTRL_HOME/,
    );
    await expect(setupGymnasium({ directory: join(file, "deep") })).rejects.toMatchObject({
      cause: { code: "ENOTDIR" },
    });
  });

  it.each([
    [
      "WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for gymnasium==1.3.0",
      /index cannot be reached.*PIP_INDEX_URL/,
    ],
    [
      "WARNING: Retrying: Connection refused\nERROR: No matching distribution found for gymnasium==1.3.0",
      /index cannot be reached, got WARNING: Retrying: Connection refused; .*a reachable index/,
    ],
    [
      "ERROR: No matching distribution found for numpy==2.4.6",
      /pip cannot find numpy==2\.4\.6 for this Python/,
    ],
    ["ERROR: Could not install: [Errno 28] No space left on device", /the disk is full.*free disk space/],
    ["something else went wrong", /pip could not install the packages, got something else went wrong/],
  ])("distinguishes pip's failures: %s", (output, message) => {
    expect(installFailure(output).message).toMatch(message);
  });
});

describe("a Python without Gymnasium", () => {
  it("is also reported by the bridge itself", async (context) => {
    const found = await inspectPython("python3").catch(() => undefined);
    if (found === undefined) return context.skip();
    const bridge = fileURLToPath(new URL("../python/bridge.py", import.meta.url));
    // -S hides all installed packages.
    const made = connectEnvironment(completeConfig({ id: "CartPole-v1", size: 1, training: true }), {
      command: ["python3", "-S", "-u", bridge],
      where: "gymnasium CartPole-v1",
      timeoutSeconds: 30,
    });
    await expect(made).rejects.toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /cannot load Gymnasium: ModuleNotFoundError.*`softrl setup gymnasium`/,
        ),
        code: "no-python",
      }),
    );
  });
});
