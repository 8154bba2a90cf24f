import {
  builtInKinds,
  CartPole,
  createWasmExecutor,
  RunControl,
  serveControlledRun,
  type WorkerHost,
} from "softrl";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sameThreadWorker } from "../../core/test/experiment/same-thread-workers.js";
import { GamesTogether } from "../src/figures/games-together.js";
import { Race, type RaceGame, racers } from "../src/figures/race.js";
import { games } from "../src/figures/race-controls.js";

const executor = await createWasmExecutor();

/** Workers that train in this thread. */
const host: WorkerHost = {
  start: (_code, _data, events) =>
    sameThreadWorker(events, (parent) => {
      const environment = (_id: string, size: number) => new CartPole(size);
      const parts = { kinds: builtInKinds, executor, environment };
      const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
      serveControlledRun(parent, parts, { pause }).catch(events.ended);
    }),
  wait: () => false,
  every: () => () => {},
};

const open = () => new RunControl(host, { module: "", entry: "" });
const fast = () => Number.POSITIVE_INFINITY;
const races: Race[] = [];
const start = async (changed: Partial<RaceGame> = {}) => {
  const game = { ...games[0], ...changed };
  const race = await Race.start(open, { game, seed: 1, tau: 0.05, isGapSubtracted: false });
  races.push(race);
  return race;
};
afterEach(async () => {
  for (const race of races.splice(0)) await race.close();
});

const tausOf = (race: Race) => racers.map((racer) => race.sides[racer].state.tau);
const changesOf = (race: Race) =>
  racers.map((racer) => race.sides[racer].events.flatMap((event) => ("step" in event ? [event.step] : [])));

describe("τ that is chosen while a race goes on", () => {
  it("is set at the end of the window, also of the last one", async () => {
    const race = await start();
    await race.go(40, fast, () => void race.setTau(0.5));
    expect([race.step, race.tau, ...tausOf(race)]).toEqual([40, 0.5, 0.5, 0.5]);
    expect(changesOf(race)).toEqual([[40], [40]]);
  });

  it("is set before a pause is over, and saved", async () => {
    const race = await start();
    let isPaused = Promise.resolve();
    await race.go(1e6, fast, () => {
      void race.setTau(0.5);
      isPaused = race.pause();
    });
    await isPaused;
    expect([race.tau, ...tausOf(race)]).toEqual([0.5, 0.5, 0.5]);
    const loaded = await Race.load(open, race.choice, await race.save());
    races.push(loaded);
    expect([loaded.tau, ...tausOf(loaded)]).toEqual([0.5, 0.5, 0.5]);
  });

  it("is dropped by a return to a snapshot", async () => {
    const race = await start();
    const [first] = race.snapshots;
    let isBack = Promise.resolve();
    await race.go(1e6, fast, () => {
      void race.setTau(0.5);
      isBack = race.goTo(first);
    });
    await isBack;
    expect([race.step, race.tau, ...tausOf(race)]).toEqual([0, 0.05, 0.05, 0.05]);
    await race.go(40, fast, () => {});
    expect([race.step, race.tau, ...tausOf(race)]).toEqual([40, 0.05, 0.05, 0.05]);
    expect(changesOf(race)).toEqual([[], []]);
  });

  it("after a return to a snapshot is set there", async () => {
    const race = await start();
    const [first] = race.snapshots;
    let isSet = Promise.resolve();
    await race.go(1e6, fast, () => {
      void race.goTo(first);
      isSet = race.setTau(0.5);
    });
    await isSet;
    expect([race.step, race.tau, ...tausOf(race)]).toEqual([0, 0.5, 0.5, 0.5]);
  });
});

describe("games that are played together", () => {
  it("are no more than the pictures of a moment ahead, however long nobody draws them", async () => {
    const race = await start();
    let now = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
    const together = new GamesTogether();
    for (let i = 0; i < 3; i++) {
      now += 10_000;
      await together.play(race, 60, 3);
    }
    clock.mockRestore();
    let pictures = 0;
    while (together.next() !== undefined) pictures++;
    expect(pictures).toBe(24);
  });
});

describe("a race", () => {
  it("is over after the steps of its game, however many it is asked for", async () => {
    const race = await start({ mostSteps: 120, logEvery: 40 });
    await race.go(80, fast, () => {});
    expect([race.step, race.isOver]).toEqual([80, false]);
    for (let i = 0; i < 2; i++) await race.go(Number.POSITIVE_INFINITY, fast, () => {});
    expect([race.step, race.isOver, race.isGoing]).toEqual([120, true, false]);
  });

  it.each(games)("of $name keeps curves of bounded size", ({ mostSteps, logEvery, snapshots }) => {
    const bytes = 16 * (mostSteps / logEvery) * 2 * snapshots;
    expect(bytes).toBeLessThan(2 ** 25);
  });
});
