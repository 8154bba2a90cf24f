import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { writeEventLog } from "../src/tensorboard/event-log.js";
import { RunSummaries } from "../src/tensorboard/run-summaries.js";
import {
  expectRefusal,
  type LoggedEvent,
  slowCheckpoints,
  softrl,
  softrlAlone,
  startSoftrl,
  stopAt,
} from "./command.js";
import { type ReadEvent, readEventFile } from "./event-file-reader.js";

const place = temporaryFolder("tensorboard");

const wasm = { env: { SOFTRL_EXECUTOR: "wasm" } };
const logs = (folder: string) => readdirSync(join(place, folder)).filter((name) => name.includes("tfevents"));
const read = (folder: string, name = logs(folder)[0]) =>
  readEventFile(readFileSync(join(place, folder, name)));

type Points = Readonly<Record<string, readonly (readonly [step: number, value: number])[]>>;

/** The curves in events of a file; `seconds` is measured. */
function pointsOf(events: readonly ReadEvent[]): Points {
  const points: Record<string, [number, number][]> = {};
  for (const { step, scalars } of events) {
    for (const [tag, value] of Object.entries(scalars)) {
      points[tag] ??= [];
      points[tag].push([step, tag === "update/seconds" ? 0 : value]);
    }
  }
  return points;
}

describe("the summaries of events", () => {
  const scalars = (records: readonly Uint8Array[]) =>
    readEventFile(Buffer.concat(records)).events.map(({ step, scalars }) => [step, scalars]);

  test("show the episodes of a step as one point with their mean, once another event has come", () => {
    const summaries = new RunSummaries();
    const episode = (step: number, length: number) =>
      summaries.of({ event: "episode", step, environment: 0, return: length / 2, length }, 1);
    expect(episode(8, 10)).toEqual([]);
    expect(episode(8, 20)).toEqual([]);
    expect(scalars(episode(16, 30))).toEqual([[8, { "episode/return": 7.5, "episode/length": 15 }]]);
    const checkpoint = summaries.of({ event: "checkpoint", step: 16 }, 1);
    expect(scalars(checkpoint)).toEqual([[16, { "episode/return": 15, "episode/length": 30 }]]);
    expect(summaries.rest(1)).toEqual([]);
  });

  test("leave out what is no finite number", () => {
    const update = { event: "update", step: 4, meanReturn: null, learningRate: 0.5, seconds: null } as const;
    const figures = { loss: 2, odd: null, wild: Number.NaN };
    expect(scalars(new RunSummaries().of({ ...update, figures }, 1))).toEqual([
      [4, { "update/learningRate": 0.5, "figures/loss": 2 }],
    ]);
  });
});

describe("softrl train --tensorboard", () => {
  const train = (folder: string) =>
    `train --algorithm soft-q --seed 3 --steps 40000 --checkpoint-every 4000 --log-every 1500 --evaluate-every 20000 --evaluation-episodes 2 --tensorboard -o ${folder} --json`.split(
      " ",
    );

  test("writes what softrl tensorboard writes afterwards, and a resumed run has the points of a whole one", async () => {
    expect((await softrl(train("whole"), place, wasm)).code).toBe(0);
    expect(logs("whole")).toEqual(["events.out.tfevents.00001.softrl"]);
    const whole = read("whole");
    expect(whole.whole).toBe(true);
    expect(whole.events.slice(0, 3)).toMatchObject([
      { version: "brain.Event:2" },
      { starts: true, step: 0 },
      { others: ["_hparams_/session_start_info"] },
    ]);
    expect(whole.events.at(-1)?.others).toEqual(["_hparams_/session_end_info"]);

    // Killed somewhere after a checkpoint, then continued without the option.
    const parts = startSoftrl(train("parts"), place, { env: { ...wasm.env, ...slowCheckpoints } });
    const isSaved = ({ event, step }: LoggedEvent) => event === "checkpoint" && Number(step) >= 16_000;
    expect((await stopAt(parts, join(place, "parts"), "SIGKILL", isSaved)).code).toBeNull();
    const killed = read("parts");
    expect(killed.events.length).toBeGreaterThan(10);
    const resumed = await softrl(["resume", "parts", "--json"], place, wasm);
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
    expect(logs("parts")).toEqual(["events.out.tfevents.00002.softrl"]);
    expect(pointsOf(read("parts").events)).toEqual(pointsOf(whole.events));

    // Without the option, then with it from the middle on.
    const late = train("late").filter((argument) => argument !== "--tensorboard");
    expect((await softrl(late, place, wasm)).code).toBe(0);
    expect(logs("late")).toEqual([]);
    const afterwards = await softrl(["tensorboard", "late", "--out", "board", "--json"], place);
    const file = "board/late/events.out.tfevents.00001.softrl";
    expect(JSON.parse(afterwards.stdout)).toEqual({ runs: [{ run: "late", file }] });
    expect(pointsOf(read("board/late").events)).toEqual(pointsOf(whole.events));
    const longer = ["resume", "late", "--steps", "44000", "--tensorboard"];
    expect((await softrl(longer, place, wasm)).code).toBe(0);
    const grown = pointsOf(read("late").events);
    const kept = pointsOf(whole.events)["update/meanReturn"].filter(([step]) => step < 40_000);
    expect(grown["update/meanReturn"].slice(0, kept.length)).toEqual(kept);
    expect(grown["update/meanReturn"].at(-1)?.[0]).toBeGreaterThan(43_000);
  });

  test("nothing of it is loaded without the option", async () => {
    const loaded = async (name: string, ...option: string[]) => {
      const NODE_V8_COVERAGE = join(place, `coverage-${name}`);
      const args = ["train", "--steps", "40", "-o", name, ...option];
      expect((await softrlAlone(args, place, { env: { NODE_V8_COVERAGE } })).code).toBe(0);
      const files = readdirSync(NODE_V8_COVERAGE).map((file) =>
        readFileSync(join(NODE_V8_COVERAGE, file), "utf8"),
      );
      return files.some((text) => text.includes("event-records.js"));
    };
    expect(await loaded("without")).toBe(false);
    expect(await loaded("with", "--tensorboard")).toBe(true);
  });

  test("of a comparison follows both runs", async () => {
    const compare = ["compare", "--steps", "2000", "-o", "both", "--tensorboard"];
    expect((await softrl(compare, place)).code).toBe(0);
    expect([logs("both/a2c"), logs("both/soft-q")].flat()).toHaveLength(2);
    const { stdout } = await softrl(["tensorboard", "both", "--out", "board-of-both"], place);
    expect(stdout).toContain("board-of-both/soft-q/events.out");
    expect(pointsOf(read("board-of-both/a2c").events)).toEqual(pointsOf(read("both/a2c").events));
  });
});

describe("event files", () => {
  const line = (event: object) => `${JSON.stringify(event)}\n`;
  const update = (step: number, seconds: number) => ({
    event: "update",
    step,
    meanReturn: step,
    seconds,
    figures: {},
  });

  test("cut anywhere are readable up to there", () => {
    mkdirSync(join(place, "cut"));
    const events = join(place, "cut/events.jsonl");
    writeFileSync(
      events,
      [{ event: "started", config: {} }, update(10, 1), update(20, 2)].map(line).join(""),
    );
    const bytes = readFileSync(writeEventLog(events, join(place, "cut")));
    const all = readEventFile(bytes).events;
    expect(all).toHaveLength(5);
    for (let length = 0; length < bytes.length; length++) {
      const { events, whole } = readEventFile(bytes.subarray(0, length));
      expect(events).toEqual(all.slice(0, events.length));
      expect(events.length).toBeLessThan(all.length);
      if (whole && length > 0) expect(events.length).toBeGreaterThan(0);
    }
  });

  test("are replaced by a later name, and nothing else in the folder is", () => {
    mkdirSync(join(place, "twice"));
    const events = join(place, "twice/events.jsonl");
    writeFileSync(events, line({ event: "started", config: {} }));
    const others = [
      "events.out.tfevents.1700000000.host",
      "events.out.tfevents.film-0000000000000010.softrl",
    ];
    for (const name of others) copyFileSync(events, join(place, "twice", name));
    writeEventLog(events, join(place, "twice"));
    writeEventLog(events, join(place, "twice"));
    expect(readdirSync(join(place, "twice")).sort()).toEqual(
      [...others, "events.jsonl", "events.out.tfevents.00002.softrl"].sort(),
    );
  });

  test("of a damaged run are refused, and none is left behind", async () => {
    mkdirSync(join(place, "damaged"));
    writeFileSync(join(place, "damaged/events.jsonl"), `${line(update(10, 1))}{"event":"nothing"}\n`);
    const run = await softrl(["tensorboard", "damaged"], place);
    expectRefusal(
      run,
      1,
      /events\.jsonl: line 2 is not an event of a run, expected an event as softrl writes it/,
    );
    writeFileSync(join(place, "damaged/events.jsonl"), line(update(-1, 1)));
    const again = await softrl(["tensorboard", "damaged"], place);
    expectRefusal(again, 1, /the step in line 1 is not valid, expected a non-negative integer, got -1/);
    expect(readdirSync(join(place, "damaged"))).toEqual(["events.jsonl"]);
  });

  test("need a run", async () => {
    mkdirSync(join(place, "empty"));
    expectRefusal(
      await softrl(["tensorboard", "empty"], place),
      1,
      /empty: there is no run in this folder, expected/,
    );
    expectRefusal(await softrl(["tensorboard", "gone"], place), 1, /gone: there is no such folder/);
  });
});
