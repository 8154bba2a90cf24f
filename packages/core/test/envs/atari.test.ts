import { AreaResize, AtariFrames, atariEnvironment, atariRules, RandomStreams } from "softrl";
import { describe, expect, it } from "vitest";
import { environmentContract } from "./contract.js";
import { FakeEmulator } from "./fake-emulator.js";

for (const [protocol, training] of [
  ["classic", true],
  ["sticky", false],
] as const) {
  environmentContract(
    `a fake Atari, ${protocol}, ${training ? "training" : "evaluation"}`,
    (size) =>
      atariEnvironment(
        "Fake",
        Array.from({ length: size }, () => new FakeEmulator()),
        { protocol, training },
      ),
    { meets: ["termination"], clipsRewards: training, steps: 80 },
  );
}

describe("the Atari protocols", () => {
  const made = (protocol: "classic" | "sticky", training: boolean) => {
    const emulator = new FakeEmulator();
    const environment = atariEnvironment("Fake", [emulator], { protocol, training });
    environment.reset(new RandomStreams(5));
    return { emulator, environment };
  };
  const frames = (told: readonly string[]) => told.filter((line) => line.startsWith("act")).length;
  const play = ({ environment }: ReturnType<typeof made>, action: number) => {
    environment.step(Int32Array.of(action));
    return [
      environment.rewards[0],
      environment.terminated[0],
      environment.episodeEnded[0],
      environment.truncated[0],
    ];
  };
  /** The frame that the newest picture of an observation shows, by its first stripe. */
  const newest = (observation: Uint8Array) => observation[3];

  it("are two, of which only the numbers differ", () => {
    expect(atariRules).toEqual({
      classic: { stickyProbability: 0, mostNoops: 30, actions: "minimal", livesEndEpisodes: true },
      sticky: { stickyProbability: 0.25, mostNoops: 0, actions: "full", livesEndEpisodes: false },
    });
  });

  it("classic: 1 to 30 frames of nothing, four frames an action, the minimal actions", () => {
    const starts = new Set<number>();
    for (let seed = 0; seed < 400; seed++) {
      const emulator = new FakeEmulator();
      atariEnvironment("Fake", [emulator], { protocol: "classic", training: false }).reset(
        new RandomStreams(seed),
      );
      expect(emulator.told[0]).toMatch(/^reset \d+$/);
      expect(new Set(emulator.told.slice(1))).toEqual(new Set(["act 0"]));
      starts.add(frames(emulator.told));
    }
    expect([...starts].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, k) => k + 1));
    const game = made("classic", false);
    expect(game.environment.actionSpace.n).toBe(4);
    const before = game.emulator.told.length;
    expect(play(game, 2)).toEqual([24, 0, 0, 0]);
    expect(game.emulator.told.slice(before)).toEqual(["act 3", "act 3", "act 3", "act 3"]);
  });

  it("classic in training: rewards are clipped, a lost life ends the episode and not the game", () => {
    const game = made("classic", true);
    const { emulator, environment } = game;
    let deaths = 0;
    for (;;) {
      const before = frames(emulator.told);
      const [reward, terminated, ended] = play(game, 1);
      const after = frames(emulator.told);
      expect(reward).toBe(1);
      if (ended) {
        const points = 2 * emulator.told.filter((line) => line === "act 1").length;
        expect([terminated, environment.episodeReturns[0]]).toEqual([1, points]);
        expect(emulator.told.filter((line) => line.startsWith("reset"))).toHaveLength(2);
        break;
      }
      expect(after - before).toBe(terminated ? 8 : 4);
      if (!terminated) continue;
      deaths++;
      expect(new Set(environment.observations.subarray(0, 4)).size).toBe(1);
      expect(newest(environment.observations)).toBe(newest(environment.finalObservations) + 4);
    }
    expect(deaths).toBe(2);
  });

  it("classic in evaluation and sticky in both: a lost life ends nothing", () => {
    for (const [protocol, training] of [
      ["classic", false],
      ["sticky", false],
      ["sticky", true],
    ] as const) {
      const game = made(protocol, training);
      let steps = 0;
      for (;;) {
        const [reward, terminated, ended] = play(game, 1);
        steps++;
        if (training) expect(reward).toBeLessThanOrEqual(1);
        expect(terminated).toBe(ended);
        if (ended) break;
      }
      expect(steps).toBeGreaterThan(29);
    }
  });

  it("sticky: no frames of nothing, all 18 actions, a quarter of frames repeat the action before", () => {
    const { emulator, environment } = made("sticky", false);
    expect(frames(emulator.told)).toBe(0);
    expect(environment.actionSpace.n).toBe(18);
    let repeated = 0;
    let trials = 0;
    let held = 0;
    for (let t = 0; t < 3000; t++) {
      const before = emulator.told.length;
      environment.step(Int32Array.of(1 + (t % 2)));
      for (const line of emulator.told.slice(before)) {
        if (line.startsWith("reset")) held = 0;
        else {
          const acted = Number(line.slice(4));
          if (held !== 1 + (t % 2)) {
            trials++;
            if (acted === held) repeated++;
          }
          held = acted;
        }
      }
      if (environment.episodeEnded[0]) held = 0;
    }
    expect(Math.abs(repeated - trials * 0.25)).toBeLessThan(5 * Math.sqrt(trials * 0.25 * 0.75));
  });

  it("pools the last two of four frames by maximum, and stacks four, the newest last", () => {
    const game = made("classic", false);
    const { environment, emulator } = game;
    const noops = frames(emulator.told);
    const { observations } = environment;
    expect(Array.from(observations.subarray(0, 4))).toEqual([noops, noops, noops, noops]);
    const inTheMiddle = 84 * 42 * 4;
    play(game, 0);
    // The first stripe grows from frame to frame, the second falls: its maximum is the third frame's.
    expect(Array.from(observations.subarray(0, 4))).toEqual([noops, noops, noops, noops + 4]);
    expect(observations[inTheMiddle + 3]).toBe(255 - (noops + 3));
    play(game, 0);
    expect(Array.from(observations.subarray(0, 4))).toEqual([noops, noops, noops + 4, noops + 8]);
  });

  it("truncates a game after 108,000 frames, as a truncation", () => {
    class Endless extends FakeEmulator {
      // Small, for the sake of time.
      override readonly width = 86;
      override readonly height = 86;
      override lives(): number {
        return 3;
      }
    }
    const environment = atariEnvironment("Endless", [new Endless()], { protocol: "sticky", training: true });
    environment.reset(new RandomStreams(1));
    let steps = 0;
    do {
      environment.step(Int32Array.of(0));
      steps++;
    } while (environment.episodeEnded[0] === 0 && steps < 30_000);
    expect([steps, environment.truncated[0], environment.terminated[0]]).toEqual([27_000, 1, 0]);
  });

  it("shows the screen in colours, and closes its emulators once", () => {
    const { emulator, environment } = made("sticky", false);
    environment.step(Int32Array.of(1));
    const { width, height, pixels } = environment.screen(0);
    expect([width, height, pixels.length, pixels[0]]).toEqual([160, 210, 160 * 210 * 3, 4]);
    environment.close();
    environment.close();
    expect(emulator.closed).toBe(1);
  });

  it("keeps a snapshot to the protocol that it was saved under", () => {
    const snapshot = made("classic", true).environment.save();
    expect(() => made("sticky", true).environment.restore(snapshot)).toThrow(
      /Fake restore: the snapshot is of another protocol, expected stickyProbability 0.25, got 0/,
    );
    // Training or evaluation is no part of a protocol.
    made("classic", false).environment.restore(snapshot);
  });

  it("refuses other protocols, no emulators, and one emulator twice", () => {
    const one = new FakeEmulator();
    const options = { protocol: "classic", training: true } as const;
    expect(() =>
      atariEnvironment("Fake", [one], { training: true, protocol: JSON.parse('"clasic"') }),
    ).toThrow(/unknown protocol, expected classic or sticky, got "clasic"/);
    expect(() => atariEnvironment("PongNoFrameskip-v0", [one], options)).toThrow(
      /atariProtocol does not go with PongNoFrameskip-v0, expected "sticky"/,
    );
    expect(() => atariEnvironment("Fake", [], options)).toThrow(/size/);
    expect(() => atariEnvironment("Fake", [one, one], options)).toThrow(/the same object/);
  });
});

describe("AreaResize", () => {
  it("is the mean of the covered area", () => {
    // 3 → 2: each new cell covers one and a half old ones.
    const out = new Uint8Array(4);
    new AreaResize(3, 3, 2, 2).into(Uint8Array.of(0, 90, 180, 0, 90, 180, 0, 90, 180), out);
    expect(Array.from(out)).toEqual([30, 150, 30, 150]);
    // (2 · 5 + 4) / 3 = 4⅔ and (5 + 2 · 0) / … : along one axis only.
    new AreaResize(3, 1, 2, 1).into(Uint8Array.of(5, 4, 0), out.subarray(0, 2));
    expect(Array.from(out.subarray(0, 2))).toEqual([5, 1]);
  });

  it("rounds half to even, as the processor's own rounding does", () => {
    const out = new Uint8Array(2);
    // 5 → 2 by 2.5: (2a + 2b + c) / 5; 2.5 · weights of 0.4, 0.4, 0.2.
    new AreaResize(5, 4, 2, 4).into(new Uint8Array(20).fill(7), new Uint8Array(8));
    new AreaResize(4, 3, 4, 2).into(Uint8Array.of(1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10), new Uint8Array(8));
    new AreaResize(3, 2, 2, 1).into(Uint8Array.of(0, 0, 0, 1, 1, 1), out);
    expect(Array.from(out)).toEqual([0, 0]);
    new AreaResize(3, 2, 2, 1).into(Uint8Array.of(1, 1, 1, 2, 2, 2), out);
    expect(Array.from(out)).toEqual([2, 2]);
  });

  it("refuses sizes that OpenCV treats otherwise, and arrays that do not fit", () => {
    expect(() => new AreaResize(4, 4, 2, 2)).toThrow(/another rule/);
    expect(() => new AreaResize(4, 4, 8, 3)).toThrow(/another rule/);
    expect(() => new AreaResize(4, 4, 3, Number.NaN)).toThrow(/newHeight/);
    expect(() => new AreaResize(4, 4, 3, 3).into(new Uint8Array(15), new Uint8Array(9))).toThrow(/picture/);
    expect(() =>
      new AtariFrames(160, 210).push(new Uint8Array(3), new Uint8Array(3), new Uint8Array(3)),
    ).toThrow(/screen/);
  });
});
