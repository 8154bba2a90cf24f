import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { continuation } from "../src/commands/sweep.js";
import { errorIn } from "../src/sweeps/run-process.js";
import { type Attempt, type RunState, type SweepWork, scheduleRuns } from "../src/sweeps/scheduler.js";
import { durationText, SweepDisplay } from "../src/sweeps/sweep-display.js";
import type { PlannedRun } from "../src/sweeps/sweep-plan.js";

const run = (seed: number, variant = "A2C", steps = 100): PlannedRun => ({
  cells: [{ variant, environment: "CartPole-v1", seed }],
  key: `${variant} ${seed}`,
  settings: "",
  version: "1.0.0",
  args: [],
  steps,
});
const runs = Array.from({ length: 6 }, (_, i) => run(i));
const finished: Attempt = { end: "finished", meanReturn: 5 };
/** A3C trains in two threads, "wide" in nine. */
const weightOf = ({ cells: [{ variant }] }: PlannedRun): number =>
  variant === "A3C" ? 2 : variant === "wide" ? 9 : 1;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Runs that end as they are told to: `attempts` are the ends of one run after another. */
class FakeWork implements SweepWork {
  readonly log: string[] = [];
  readonly done = new Set<PlannedRun>();
  readonly elsewhere = new Set<PlannedRun>();
  readonly claimed = new Set<PlannedRun>();
  /** The most runs at once, and the most that they weighed. */
  most = 0;
  heaviest = 0;
  readonly #running = new Set<PlannedRun>();
  readonly #ends: (run: PlannedRun, number: number) => Attempt | Promise<Attempt>;
  onWait: () => void = () => {};

  constructor(ends: (run: PlannedRun, number: number) => Attempt | Promise<Attempt> = () => finished) {
    this.#ends = ends;
  }

  isDone = (run: PlannedRun) => this.done.has(run);
  claim(run: PlannedRun) {
    if (this.elsewhere.has(run)) return null;
    expect(this.claimed.has(run)).toBe(false);
    this.claimed.add(run);
    return { release: () => void this.claimed.delete(run) };
  }
  unseenClaims = (run: PlannedRun) => (this.elsewhere.has(run) ? [`who has ${run.key}`] : []);
  async attempt(run: PlannedRun, number: number): Promise<Attempt> {
    this.log.push(`${run.key} ${number}`);
    this.#running.add(run);
    this.most = Math.max(this.most, this.#running.size);
    const weights = [...this.#running].map(weightOf);
    this.heaviest = Math.max(
      this.heaviest,
      weights.reduce((a, b) => a + b),
    );
    await turn();
    try {
      const attempt = await this.#ends(run, number);
      if (attempt.end === "finished") this.done.add(run);
      return attempt;
    } finally {
      this.#running.delete(run);
    }
  }
  async wait() {
    this.onWait();
    await turn();
  }
}

const states: RunState[] = [];
const unseen: (readonly string[])[] = [];
const watcher = {
  changed: (_: PlannedRun, state: RunState) => void states.push(state),
  progress: () => {},
  waiting: (_: number, claims: readonly string[]) => void unseen.push(claims),
};
const never = new AbortController().signal;
const schedule = (work: SweepWork, total = 2, stop: AbortSignal = never, all = runs) =>
  scheduleRuns(all, { total, weightOf }, work, watcher, stop);

describe("the scheduler", () => {
  test("makes every run once, in their order, so many at a time", async () => {
    for (const jobs of [1, 2, 5, 100]) {
      const work = new FakeWork();
      expect(await schedule(work, jobs)).toEqual({ made: 6, failed: [], interrupted: false });
      expect(work.log).toEqual(runs.map(({ key }) => `${key} 1`));
      expect(work.most).toBe(Math.min(jobs, 6));
      expect(work.claimed.size).toBe(0);
    }
    expect(await schedule(new FakeWork(), 2, never, [])).toMatchObject({ made: 0 });
  });

  test("starts no run that the capacity has no room for, and one that is alone in any case", async () => {
    const mixed = [1, 2, 3].flatMap((seed) => ["A2C", "A3C", "soft-q"].map((name) => run(seed, name)));
    for (const [total, most] of [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
      [100, 9],
    ]) {
      const work = new FakeWork();
      expect(await schedule(work, total, never, mixed)).toMatchObject({ made: 9, failed: [] });
      expect(work.log).toEqual(mixed.map(({ key }) => `${key} 1`));
      expect(work.heaviest).toBe(total === 100 ? 12 : Math.max(2, total));
      expect(work.most).toBeLessThanOrEqual(most);
    }
    const work = new FakeWork();
    const wide = [run(1, "wide"), run(1), run(2), run(2, "wide")];
    expect(await schedule(work, 2, never, wide)).toMatchObject({ made: 4 });
    expect([work.most, work.heaviest]).toEqual([2, 9]);
  });

  test("passes a heavy run that another process has", async () => {
    const work = new FakeWork();
    const heavy = run(9, "A3C");
    work.elsewhere.add(heavy);
    work.onWait = () => work.elsewhere.clear();
    expect(await schedule(work, 2, never, [heavy, ...runs])).toMatchObject({ made: 7 });
    expect(work.most).toBe(2);
    expect(work.log.at(-1)).toBe("A3C 9 1");
  });

  test("ends runs that wait for room when it is stopped", async () => {
    const controller = new AbortController();
    const work = new FakeWork(() => {
      controller.abort();
      return { end: "interrupted" };
    });
    const outcome = await schedule(work, 2, controller.signal, [run(1), run(1, "A3C"), run(2)]);
    expect(outcome).toEqual({ made: 0, failed: [], interrupted: true });
    expect(work.log).toEqual(["A2C 1 1"]);
  });

  test("tries a run that fails once more, then reports it while the others go on", async () => {
    const failing = (error: string, retry = true): Attempt => ({ end: "failed", error, retry });
    const work = new FakeWork(({ cells: [{ seed }] }, number) => {
      if (seed === 1) return failing(`no ${number}`);
      if (seed === 3) return failing("never", false);
      return seed === 4 && number === 1 ? failing("once") : finished;
    });
    const { made, failed } = await schedule(work);
    expect(made).toBe(4);
    expect(failed.map(({ run, error }) => [run.key, error])).toEqual([
      ["A2C 1", "no 2"],
      ["A2C 3", "never"],
    ]);
    const tries = (seed: number) => work.log.filter((line) => line.startsWith(`A2C ${seed} `)).length;
    expect([0, 1, 2, 3, 4, 5].map(tries)).toEqual([1, 2, 1, 1, 2, 1]);
  });

  test("leaves runs to the process that makes them, and takes those over that it leaves", async () => {
    const work = new FakeWork();
    const [first, second] = runs;
    work.elsewhere.add(first).add(second);
    let waits = 0;
    unseen.length = 0;
    work.onWait = () => {
      waits++;
      // The other process finishes one, and is killed before the other.
      if (waits === 3) work.done.add(first);
      if (waits === 4) work.elsewhere.clear();
    };
    expect(await schedule(work)).toMatchObject({ made: 5, failed: [] });
    expect(work.log.at(-1)).toBe("A2C 1 1");
    expect(work.log).not.toContain("A2C 0 1");
    expect(waits).toBeLessThan(10);
    expect(unseen[0]).toEqual(["who has A2C 0", "who has A2C 1"]);
  });

  test("ends with those that run when it is stopped", async () => {
    const controller = new AbortController();
    const work = new FakeWork(({ cells: [{ seed }] }) => {
      if (seed === 2) controller.abort();
      return controller.signal.aborted ? { end: "interrupted" } : finished;
    });
    const outcome = await schedule(work, 2, controller.signal);
    expect(outcome).toMatchObject({ failed: [], interrupted: true });
    expect(outcome.made).toBeLessThanOrEqual(3);
    expect(work.claimed.size).toBe(0);
  });

  test("stops the others and throws when results cannot be written", async () => {
    const work = new FakeWork(({ cells: [{ seed }] }) => {
      if (seed === 1) throw new Error("the disk is full");
      return finished;
    });
    await expect(schedule(work)).rejects.toThrow("the disk is full");
    expect(work.log.length).toBeLessThan(5);
    expect(work.claimed.size).toBe(0);
  });
});

test.each(["claim", "isDone"] as const)("an error of %s stops the others, too", async (name) => {
  const work = new FakeWork();
  const real = work[name].bind(work) as (run: PlannedRun) => never;
  let isFirst = true;
  work[name] = (run) => {
    if (run !== runs[2] || !isFirst) return real(run);
    isFirst = false;
    throw new Error("the disk is gone");
  };
  await expect(schedule(work)).rejects.toThrow("the disk is gone");
  expect(work.log).toEqual(["A2C 0 1", "A2C 1 1"]);
  expect(work.claimed.size).toBe(0);
});

test("what continues a sweep has the options that decide what counts and what stays", () => {
  expect(continuation("mine.json", {})).toBe("softrl sweep mine.json");
  expect(continuation("my sweep", { out: "else where", fresh: true, keepRuns: true })).toBe(
    "softrl sweep 'my sweep' --out 'else where' --fresh --keep-runs",
  );
});

describe("the display of a sweep", () => {
  function stream(isTTY: boolean) {
    let text = "";
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 60, rows: 10 });
    stream.on("data", (chunk) => {
      text += chunk;
    });
    return { stream: stream as unknown as NodeJS.WriteStream, read: () => text };
  }

  test("is a table that is redrawn on a terminal, with a row for each variant that fits", async () => {
    let now = 0;
    const { stream: tty, read } = stream(true);
    const all = ["A2C", "a variant with a name that is longer than the table is wide", "soft"].flatMap(
      (name) => [run(1, name), run(2, name)],
    );
    const display = new SweepDisplay(tty, () => now, all, new Set([all[0]]));
    display.changed(all[1], "running");
    now = 10;
    display.progress(all[1], { step: 50, meanReturn: 20 });
    display.changed(all[2], "failed");
    display.changed(all[3], "elsewhere");
    display.end();
    await turn();
    const last = read().split("\u001b[J").at(-2) ?? "";
    const lines = last
      .replaceAll("\r", "")
      .replaceAll("\u001b[2K", "")
      .replace(/^.*\[\d+A/, "")
      .trimStart()
      .split("\n");
    expect(lines[0]).toMatch(/^41 % {2}1 of 6 runs {2}1 failed {2}1 elsewhere {2}\d+ s left$/);
    expect(lines[1]).toMatch(/^ +done {2}running {2}failed {2}left$/);
    expect(lines[2]).toMatch(/^A2C +1 +1 +0 +0$/);
    expect(lines[3]).toMatch(/^a variant with .*… +0 +0 +1 +1$/);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(59);
  });

  test("is a plain line for each run that ends elsewhere", async () => {
    const { stream: pipe, read } = stream(false);
    const display = new SweepDisplay(pipe, () => 0, runs, new Set());
    display.changed(runs[0], "running");
    display.progress(runs[0], { step: 100, meanReturn: 20 });
    display.changed(runs[0], "done");
    display.changed(runs[1], "failed");
    display.end();
    await turn();
    expect(read()).toBe("1 of 6: A2C, CartPole-v1, seed 0: 20.0\n2 of 6: A2C, CartPole-v1, seed 1: failed\n");
  });

  test("names each claim once that somebody may have to remove", async () => {
    for (const isTTY of [true, false]) {
      const { stream: either, read } = stream(isTTY);
      const display = new SweepDisplay(either, () => 0, runs, new Set());
      display.changed(runs[0], "elsewhere");
      display.waiting(2, ["one"]);
      display.waiting(2, ["one", "two"]);
      display.waiting(2, ["one", "two"]);
      display.end();
      await turn();
      const lines = read().split("\n");
      const claims = lines.flatMap((line) => /softrl: .*/.exec(line)?.[0] ?? []);
      expect(claims).toEqual(["softrl: waiting for a run: one", "softrl: waiting for a run: two"]);
    }
  });

  test("leaves the steps of a checkpoint out of the speed", () => {
    let now = 0;
    const all = [run(1, "A2C"), run(2, "A2C")];
    const display = new SweepDisplay(stream(false).stream, () => now, all, new Set());
    display.changed(all[0], "running");
    now = 10;
    display.progress(all[0], { step: 60, meanReturn: null });
    expect(display.summary(false)).toBe("30 %  0 of 2 runs");
    now = 20;
    display.progress(all[0], { step: 70, meanReturn: null });
    // 10 steps in 20 s, and 130 are left.
    expect(display.summary(false)).toBe("35 %  0 of 2 runs  4 min left");
  });

  test("gives the time left as people do", () => {
    expect([0, 59, 61, 3000, 12_000].map(durationText)).toEqual([
      "1 s",
      "59 s",
      "1 min",
      "50 min",
      "3 h 20 min",
    ]);
  });
});

test("the error of a run is what its process printed last", () => {
  expect(errorIn("softrl: warning\nsoftrl: a: b\n")).toBe("a: b");
  expect(errorIn("Error: x\n    at y\nsoftrl: this is a fault; please report\n")).toBe(
    "this is a fault; please report",
  );
  expect(errorIn("mine.js:1\n  throw x\n  ^\n\nError: later\n    at y\n    at z\n\nNode.js v20.20.2\n")).toBe(
    "Error: later",
  );
  expect(errorIn("1\n2\n3\n4\n\n")).toBe("2\n3\n4");
  expect(errorIn("")).toBe("");
});
