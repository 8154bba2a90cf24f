import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeCheckpoint, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { makeCaseFolder, snapshotOf, touched } from "./break/case-folder.js";
import { mutateCheckpoint, sealed } from "./break/checkpoint-bytes.js";
import { runDifferences } from "./break/compare-runs.js";
import { faultsOf } from "./break/outcome.js";
import { temporaryFolderPerTest } from "./temporary-folder.js";

// A breaker that sees nothing would report that everything holds.

const folder = temporaryFolderPerTest("break");

describe("the faults of an outcome", () => {
  const refusal = {
    args: ["resume", "run"],
    code: 1,
    signal: null,
    stdout: "",
    stderr: "softrl: run: no checkpoint; train first.\n",
    hung: false,
    seconds: 0.5,
  };

  it("a clear error, a result and a line of progress are none", () => {
    expect(faultsOf(refusal)).toEqual([]);
    expect(faultsOf({ ...refusal, code: 0, stdout: "{}\n", stderr: "" })).toEqual([]);
    const progress = " 83 %  500 / 600 steps  npg 1.00  56 steps/s\n".repeat(20);
    expect(faultsOf({ ...refusal, code: 0, stderr: progress })).toEqual([]);
  });

  it.each([
    ["a stack trace", { stderr: "softrl: x\nError: x\n    at read (file:///a/b.js:67:11)\n" }],
    ["a Python traceback", { stderr: "softrl: x\nTraceback (most recent call last):\n" }],
    [
      "a fault of its own",
      { code: 70, stderr: "softrl: this is a fault of softrl 0.1.0; please report it.\n" },
    ],
    ["exit code 13", { code: 13 }],
    ["died of SIGSEGV", { code: null, signal: "SIGSEGV" }],
    ["did not end within the time limit", { hung: true }],
    ["11 lines on stderr", { stderr: "softrl: x\n".repeat(11) }],
    ["5009 characters on stderr", { stderr: `softrl: ${"x".repeat(5000)}\n` }],
    ["control characters on stderr", { stderr: "softrl: \u001b[31mred\n" }],
    ["failed without an error message", { stderr: "" }],
    ["failed, but printed a result", { stdout: "{}\n" }],
    ["6.0 s of processor time", { seconds: 6 }],
  ])("%s", (fault, change) => {
    expect(faultsOf({ ...refusal, ...change })).toContain(fault);
  });

  it("success where only a refusal is right", () => {
    expect(faultsOf({ ...refusal, code: 0, stderr: "" }, { refused: true })).toEqual([
      "damage was not noticed",
    ]);
  });
});

describe("the differences of two runs", () => {
  const write = (name: string, files: Record<string, string>) => {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
    return join(folder, name);
  };
  const events = '{"event":"started"}\n{"event":"update","step":1,"seconds":0.1,"figures":{"a":1,"b":2}}\n';
  const result = '{\n  "steps": 4,\n  "stepsPerSecond": 10.5\n}\n';
  const files = { "events.jsonl": events, "result.json": result, "chart.svg": "<svg/>" };

  it("times and resumed lines are none", () => {
    const resumed = events.replace("\n", '\n{"event":"resumed","step":0}\n').replace("0.1", "20.75");
    const other = { ...files, "events.jsonl": resumed, "result.json": result.replace("10.5", "3e-7") };
    expect(runDifferences(write("a", files), write("b", other))).toEqual([]);
  });

  it.each([
    ["the order of names", { "events.jsonl": events.replace('"a":1,"b":2', '"b":2,"a":1') }],
    ["a line that is missing", { "events.jsonl": events.slice(0, 20) }],
    ["a number", { "result.json": result.replace("4", "5") }],
    ["a byte of a picture", { "chart.svg": "<svg />" }],
    ["a file that was left", { ".chart.svg.unfinished": "" }],
  ])("%s", (_, change) => {
    expect(runDifferences(write("a", files), write("b", { ...files, ...change }))).toHaveLength(1);
  });
});

it("a snapshot of files shows what was made, changed and removed, and does not follow links", () => {
  const { path, work, beside } = makeCaseFolder(join(folder, "case"));
  symlinkSync(beside, join(work, "link"));
  const before = snapshotOf(path);
  expect(touched(before, snapshotOf(path))).toEqual([]);
  writeFileSync(join(beside, "letter.txt"), "changed\n");
  rmSync(join(beside, "lines.jsonl"));
  writeFileSync(join(work, "film.gif"), "");
  expect(touched(before, snapshotOf(path), (entry) => entry === "work/film.gif").sort()).toEqual([
    "changed beside/letter.txt",
    "removed beside/lines.jsonl",
  ]);
});

it("the checksum of a changed checkpoint is corrected as softrl computes it", () => {
  const checkpoint = encodeCheckpoint({ config: "{}", live: { step: 3 }, curve: new Float64Array(4) });
  expect(sealed(checkpoint)).toEqual(Buffer.from(checkpoint));
  const damaged = checkpoint.slice();
  damaged[damaged.length - 1] ^= 1;
  expect(sealed(damaged)).not.toEqual(Buffer.from(damaged));
});

it("the seed decides a change", () => {
  const config = JSON.stringify({ run: { steps: 1 }, network: { hiddenSizes: [4] } });
  const checkpoint = encodeCheckpoint({ config, live: { step: 3 }, curve: new Float64Array(4) });
  const change = (seed: number) => mutateCheckpoint(new RandomStreams(seed).stream("test"), checkpoint);
  for (let seed = 0; seed < 30; seed++) {
    const [once, again] = [change(seed), change(seed)];
    expect(again.about).toBe(once.about);
    // Some are long, and toEqual is slow.
    expect(Buffer.compare(again.bytes, once.bytes)).toBe(0);
  }
});

describe("a process that is killed at a call of node:fs", () => {
  // Writes a file as run folders do: under another name, then renamed.
  const script = `
    import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
    const file = openSync("run/.a", "w");
    writeSync(file, Buffer.from("12345678"), 0, 8);
    fsyncSync(file);
    closeSync(file);
    renameSync("run/.a", "run/a");
  `;
  // The same with handles, whose methods return promises.
  const handles = `
    import { renameSync } from "node:fs";
    import { open } from "node:fs/promises";
    const file = await open("run/.a", "w");
    await file.writeFile(Buffer.from("12345678"));
    await file.sync();
    await file.close();
    renameSync("run/.a", "run/a");
  `;
  const start = (kill?: string, code = script) => {
    mkdirSync(join(folder, "run"));
    const preload = new URL("break/watch-calls.js", import.meta.url).href;
    const trace = join(folder, "trace.json");
    const kills = kill === undefined ? {} : { SOFTRL_BREAK_KILL: kill };
    const ended = spawnSync(process.execPath, ["--import", preload, "--input-type=module", "--eval", code], {
      cwd: folder,
      env: {
        ...process.env,
        SOFTRL_BREAK_FOLDER: join(folder, "run"),
        SOFTRL_BREAK_TRACE: trace,
        ...kills,
      },
      encoding: "utf8",
    });
    return { ...ended, trace: existsSync(trace) ? JSON.parse(readFileSync(trace, "utf8")) : null };
  };
  const content = (name: string) => {
    const path = join(folder, "run", name);
    return existsSync(path) ? readFileSync(path, "utf8") : null;
  };

  it("the calls are listed", () => {
    const { status, stderr, trace } = start();
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const names = trace.calls.map(([call]: [string, string]) => call);
    expect(names).toEqual(["open", "write", "fsync", "close", "rename"]);
  });

  it.each([
    ["2:before", "", null],
    ["2:torn", "1234", null],
    ["2:after", "12345678", null],
    ["5:before", "12345678", null],
    ["5:after", null, "12345678"],
  ])("%s", (kill, unfinished, whole) => {
    expect(start(kill).signal).toBe("SIGKILL");
    expect(content(".a")).toBe(unfinished);
    expect(content("a")).toBe(whole);
  });

  it.each([
    ["2:before", "", null],
    ["2:torn", "1234", null],
    ["2:after", "12345678", null],
    ["3:after", "12345678", null],
    ["4:after", null, "12345678"],
  ])("through a handle, %s", (kill, unfinished, whole) => {
    expect(start(kill, handles).signal).toBe("SIGKILL");
    expect(content(".a")).toBe(unfinished);
    expect(content("a")).toBe(whole);
  });
});
