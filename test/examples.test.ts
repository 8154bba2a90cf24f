import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createWasmExecutor, loadPolicy } from "softrl";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { softrl } from "../packages/cli/test/command.js";
import { root } from "./source-tree.js";
import { temporaryFolder } from "./temporary-folder.js";

const place = temporaryFolder("examples");
const observation = [0.01, -0.2, 0.03, 0.4];

beforeAll(async () => {
  const train = "train --algorithm a2c --env CartPole-v1 --steps 1000 --no-chart -o run";
  expect(await softrl(train.split(" "), place)).toMatchObject({ code: 0 });
});

/** Starts the service with the policy of a run, on a free port. */
async function serving(run: string): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const example = join(root, "examples/serve-policy.js");
  const child = spawn(process.execPath, [example, join(place, run), "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const address of createInterface(child.stdout)) return { child, address };
  throw new Error("the service has no output");
}

describe("examples/serve-policy.js", () => {
  let child: ChildProcess;
  let address = "";
  beforeAll(async () => {
    ({ child, address } = await serving("run"));
  });
  afterAll(() => child.kill("SIGKILL"));

  const post = (body: string) => fetch(address, { method: "POST", body });

  test("answers with the action, the probabilities and the value that the policy has", async () => {
    const response = await post(JSON.stringify({ observation }));
    expect(response.status).toBe(200);
    const policy = loadPolicy(
      readFileSync(join(place, "run/checkpoint.safetensors")),
      await createWasmExecutor(),
    );
    const { logPi, v } = policy.evaluate(Float32Array.from(observation));
    const probabilities = Array.from(logPi, Math.exp);
    const action = probabilities.indexOf(Math.max(...probabilities));
    expect(await response.json()).toEqual({ action, probabilities, value: v[0] });
  });

  test.each([
    ["nothing", [], /^usage: node serve-policy\.js <run-folder> \[port\]\n$/],
    ["a port that is none", ["run", "http"], /^usage: /],
    ["no run folder", ["nowhere"], /^ENOENT: no such file or directory, open 'nowhere.*'\n$/],
    ["a port that is taken", () => ["run", new URL(address).port], /^listen EADDRINUSE: .*\n$/],
  ])("given %s, ends with one line", async (_, given, line) => {
    const example = join(root, "examples/serve-policy.js");
    const parameters = typeof given === "function" ? given() : given;
    const child = spawn(process.execPath, [example, ...parameters], { cwd: place });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [status] = await once(child, "close");
    expect(status).toBe(1);
    expect(stderr).toMatch(line);
  });

  test("answers many requests at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const response = await post(JSON.stringify({ observation: [0, 0, i / 100, 0] }));
        return (await response.json()) as { probabilities: readonly number[] };
      }),
    );
    const again = await (await post(JSON.stringify({ observation: [0, 0, 0.07, 0] }))).json();
    expect(answers[7]).toEqual(again);
  });

  test("refuses what is not an observation", async () => {
    const strange = ["", "{", "null", '{"observation": [1, 2]}', '{"observation": [1, 2, 3, "4"]}'];
    // In float32 it is infinite.
    for (const body of [...strange, '{"observation": [1e39, 0, 0, 0]}']) {
      const response = await post(body);
      expect(response.status, body).toBe(400);
      const { error } = (await response.json()) as { readonly error: string };
      expect(error, body).toMatch(/^expected|JSON/);
    }
    expect((await post(" ".repeat(10_000))).status).toBe(400);
    expect((await fetch(address)).status).toBe(405);
    expect((await fetch(address.replace("/act", "/"))).status).toBe(404);
  });

  test("takes bytes as they are, where the environment gives bytes", async () => {
    const train = "train --algorithm a2c --env MinAtar/Breakout-v1 --steps 100 --no-chart -o bytes";
    expect(await softrl(train.split(" "), place)).toMatchObject({ code: 0 });
    const { child: service, address: at } = await serving("bytes");
    try {
      const ask = async (value: number) => {
        const body = JSON.stringify({ observation: Array(400).fill(value) });
        return (await fetch(at, { method: "POST", body })).status;
      };
      expect(await ask(1)).toBe(200);
      for (const value of [0.5, -1, 256]) expect(await ask(value)).toBe(400);
    } finally {
      service.kill("SIGKILL");
    }
  });

  test("ends when it is asked to", async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });
});

test("examples/page imports what an exported module has", async () => {
  const page = readFileSync(join(root, "examples/page/index.html"), "utf8");
  const imported = /import \{ ([\w, ]+) \} from "\.\/policy\.js"/.exec(page)?.[1].split(", ") ?? [];
  expect(imported).toEqual(["evaluate", "sample"]);
  const command = /softrl (export .* policy\.js) -->/.exec(page)?.[1].replace("<run-folder>", "run") ?? "";
  expect(await softrl(command.split(" "), place)).toMatchObject({ code: 0 });
  const policy: Readonly<Record<string, unknown>> = await import(join(place, "policy.js"));
  expect(Object.keys(policy)).toEqual(expect.arrayContaining(imported));
});
