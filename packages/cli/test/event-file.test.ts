import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { EventFile } from "../src/runs/event-file.js";

const place = temporaryFolderPerTest("events");
const path = join(place, "events.jsonl");

const started = { event: "started", version: "1", executor: "wasm", precision: "float32", commit: "abc" };
const update = (step: number, seconds: number) => ({ event: "update", step, seconds });
const checkpoint = (step: number) => ({ event: "checkpoint", step });
const line = (event: object) => `${JSON.stringify(event)}\n`;
const write = (...events: (object | string)[]) =>
  writeFileSync(path, events.map((event) => (typeof event === "string" ? event : line(event))).join(""));
const read = () => readFileSync(path, "utf8");

/** Keeps the events of a checkpoint at step 20 with three events, and appends one. */
function goOn(): void {
  const file = new EventFile(path);
  file.keepUpTo({ step: 20, events: 3 });
  file.append({ event: "finished", step: 20 });
  file.close();
}

const kept = [started, update(20, 4), checkpoint(20)];
const whole = [...kept, { event: "finished", step: 20 }].map(line).join("");

describe("the events of a run that goes on from a checkpoint", () => {
  test.each([
    ["are those before it", kept],
    ["lose what was trained after it", [...kept, update(40, 8), checkpoint(40)]],
    ["lose what an interrupt or an error left", [...kept, update(25, 5), { event: "interrupted", step: 25 }]],
    ["lose half a line", [...kept, '{"event":"upd']],
    ["get the checkpoint's own event, if a kill came before it", kept.slice(0, 2)],
    ["get it in the place of half of it", [...kept.slice(0, 2), '{"event":"checkp']],
    [
      "get it in the place of an error",
      [...kept.slice(0, 2), { event: "failed", error: "the disk is full" }],
    ],
  ])("%s", (_, events) => {
    write(...events);
    goOn();
    expect(read()).toBe(whole);
    expect(readdirSync(place)).toEqual(["events.jsonl"]);
  });

  test("keep what processes wrote among them", () => {
    const resumed = { ...started, event: "resumed", step: 10 };
    write(started, resumed, update(20, 4), checkpoint(20), resumed);
    goOn();
    expect(read()).toBe(
      [started, resumed, update(20, 4), checkpoint(20), { event: "finished", step: 20 }].map(line).join(""),
    );
  });

  test("are not changed before one is appended, nor is another name of the file", () => {
    write(...kept, update(40, 8));
    const before = read();
    const other = join(place, "other");
    linkSync(path, other);
    const file = new EventFile(path);
    file.keepUpTo({ step: 20, events: 3 });
    expect(read()).toBe(before);
    goOn();
    expect(read()).toBe(whole);
    expect(readFileSync(other, "utf8")).toBe(before);
  });

  test("report their origin, the measured speed, the changes and whether the run has finished", () => {
    const set = { event: "set", step: 10, settings: { tau: 0.1 } };
    const resumed = { ...started, event: "resumed", step: 10, version: "2" };
    write(started, update(10, 1), set, resumed, update(20, 4), checkpoint(20), {
      event: "finished",
      step: 20,
    });
    const file = new EventFile(path);
    const place = { step: 20, events: 5 };
    const { event: _, ...origin } = { ...started, version: "2" };
    expect(file.keepUpTo(place)).toMatchObject({ origin, stepsPerSecond: 2.5, finished: true });
    expect(file.changes).toEqual([{ step: 10, settings: { tau: 0.1 } }]);
    for (const after of [line(update(40, 8)), "{"]) {
      writeFileSync(path, after, { flag: "a" });
      expect(new EventFile(path).keepUpTo(place).finished).toBe(false);
    }
    write({ event: "started", executor: 3 }, update(20, 4), checkpoint(20));
    expect(new EventFile(path).keepUpTo({ step: 20, events: 3 }).origin).toBeNull();
  });

  test.each([
    [
      "a damaged line",
      [started, '{"event":"upd\n', checkpoint(20)],
      /line 2 is not an event of this run, .*restore the file; evaluate/,
    ],
    ["another object", [started, { step: 3 }, checkpoint(20)], /line 2 is not an event of this run/],
    [
      "a later event",
      [started, update(40, 4), checkpoint(20)],
      /line 2 .*expected events up to step 20, got one of step 40/,
    ],
    ["missing lines", [started], /the events end before the checkpoint, expected 3 of the training, got 1/],
    ["nothing", [], /the events end before the checkpoint/],
  ])("are refused with %s, and left as they are", (_, events, message) => {
    write(...events);
    const before = read();
    expect(() => new EventFile(path).keepUpTo({ step: 20, events: 3 })).toThrow(message);
    expect(read()).toBe(before);
    rmSync(path);
    expect(() => new EventFile(path).keepUpTo({ step: 20, events: 3 })).toThrow(
      /the events of the run are missing/,
    );
  });
});
