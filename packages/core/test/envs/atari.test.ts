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
  const frames = (calls: readonly string[]) => calls.filter((line) => line.startsWith("act")).length;
  const play = ({ environment }: ReturnType<typeof made>, action: number) => {
    environment.step(Int32Array.of(action));
    return [
      environment.rewards[0],
      environment.terminated[0],
      environment.episodeEnded[0],
      environment.truncated[0],
    ];
  };
  /** The frame number in the newest picture of an observation, read from its first stripe. */
  const newest = (observation: Uint8Array) => observation[3];

  it("are classic and sticky, which differ only in these four rules", () => {
    expect(atariRules).toEqual({
      classic: { stickyProbability: 0, mostNoops: 30, actions: "minimal", livesEndEpisodes: true },
      sticky: { stickyProbability: 0.25, mostNoops: 0, actions: "full", livesEndEpisodes: false },
    });
  });

  it("classic: 1 to 30 no-op frames, four frames per action, the minimal actions", () => {
    const starts = new Set<number>();
    for (let seed = 0; seed < 400; seed++) {
      const emulator = new FakeEmulator();
      atariEnvironment("Fake", [emulator], { protocol: "classic", training: false }).reset(
        new RandomStreams(seed),
      );
      expect(emulator.calls[0]).toMatch(/^reset \d+$/);
      expect(new Set(emulator.calls.slice(1))).toEqual(new Set(["act 0"]));
      starts.add(frames(emulator.calls));
    }
    expect([...starts].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, k) => k + 1));
    const game = made("classic", false);
    expect(game.environment.actionSpace.n).toBe(4);
    const before = game.emulator.calls.length;
    expect(play(game, 2)).toEqual([24, 0, 0, 0]);
    expect(game.emulator.calls.slice(before)).toEqual(["act 3", "act 3", "act 3", "act 3"]);
  });

  it("classic in training: clips rewards; a lost life ends the episode but not the game", () => {
    const game = made("classic", true);
    const { emulator, environment } = game;
    let deaths = 0;
    for (;;) {
      const before = frames(emulator.calls);
      const [reward, terminated, ended] = play(game, 1);
      const after = frames(emulator.calls);
      expect(reward).toBe(1);
      if (ended) {
        const points = 2 * emulator.calls.filter((line) => line === "act 1").length;
        expect([terminated, environment.episodeReturns[0]]).toEqual([1, points]);
        expect(emulator.calls.filter((line) => line.startsWith("reset"))).toHaveLength(2);
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

  it("classic in evaluation, and sticky always: a lost life does not end the episode", () => {
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

  it("sticky: no no-op frames, all 18 actions, and a quarter of the frames repeat the previous action", () => {
    const { emulator, environment } = made("sticky", false);
    expect(frames(emulator.calls)).toBe(0);
    expect(environment.actionSpace.n).toBe(18);
    let repeated = 0;
    let trials = 0;
    let held = 0;
    for (let t = 0; t < 3000; t++) {
      const before = emulator.calls.length;
      environment.step(Int32Array.of(1 + (t % 2)));
      for (const line of emulator.calls.slice(before)) {
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

  it("pools the last two of four frames by maximum and stacks four, newest last", () => {
    const game = made("classic", false);
    const { environment, emulator } = game;
    const noops = frames(emulator.calls);
    const { observations } = environment;
    expect(Array.from(observations.subarray(0, 4))).toEqual([noops, noops, noops, noops]);
    const inTheMiddle = 84 * 42 * 4;
    play(game, 0);
    // The first stripe increases from frame to frame and the second decreases: its maximum is in the third frame.
    expect(Array.from(observations.subarray(0, 4))).toEqual([noops, noops, noops, noops + 4]);
    expect(observations[inTheMiddle + 3]).toBe(255 - (noops + 3));
    play(game, 0);
    expect(Array.from(observations.subarray(0, 4))).toEqual([noops, noops, noops + 4, noops + 8]);
  });

  it("truncates a game after 108,000 frames", () => {
    class Endless extends FakeEmulator {
      // Small screens keep the test fast.
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

  it("returns the screen in colour and closes its emulators once", () => {
    const { emulator, environment } = made("sticky", false);
    environment.step(Int32Array.of(1));
    const { width, height, pixels } = environment.screen(0);
    expect([width, height, pixels.length, pixels[0]]).toEqual([160, 210, 160 * 210 * 3, 4]);
    environment.close();
    environment.close();
    expect(emulator.closed).toBe(1);
  });

  it("refuses a snapshot that was saved under another protocol", () => {
    const snapshot = made("classic", true).environment.save();
    expect(() => made("sticky", true).environment.restore(snapshot)).toThrow(
      /Fake restore: the snapshot was saved under another protocol, expected stickyProbability 0.25, got 0/,
    );
    // Training and evaluation may share a snapshot.
    made("classic", false).environment.restore(snapshot);
  });

  it("refuses unknown protocols, an empty list of emulators, and the same emulator twice", () => {
    const one = new FakeEmulator();
    const options = { protocol: "classic", training: true } as const;
    expect(() =>
      atariEnvironment("Fake", [one], { training: true, protocol: JSON.parse('"clasic"') }),
    ).toThrow(/unknown protocol, expected classic or sticky, got "clasic"/);
    expect(() => atariEnvironment("PongNoFrameskip-v0", [one], options)).toThrow(
      /atariProtocol does not go with PongNoFrameskip-v0, expected "sticky"/,
    );
    expect(() => atariEnvironment("Fake", [], options)).toThrow(/size/);
    expect(() => atariEnvironment("Fake", [one, one], options)).toThrow(/used for two environments/);
  });
});

describe("AreaResize", () => {
  it("computes the mean of the covered area", () => {
    // 3 → 2: each new cell covers one and a half old cells.
    const out = new Uint8Array(4);
    new AreaResize(3, 3, 2, 2).into(Uint8Array.of(0, 90, 180, 0, 90, 180, 0, 90, 180), out);
    expect(Array.from(out)).toEqual([30, 150, 30, 150]);
    // Along one axis only: (2 · 5 + 4) / 3 = 4⅔ and (4 + 2 · 0) / 3 = 1⅓.
    new AreaResize(3, 1, 2, 1).into(Uint8Array.of(5, 4, 0), out.subarray(0, 2));
    expect(Array.from(out.subarray(0, 2))).toEqual([5, 1]);
  });

  it("rounds half to even", () => {
    const out = new Uint8Array(2);
    // 5 → 2: (2a + 2b + c) / 5, that is weights of 0.4, 0.4 and 0.2.
    new AreaResize(5, 4, 2, 4).into(new Uint8Array(20).fill(7), new Uint8Array(8));
    new AreaResize(4, 3, 4, 2).into(Uint8Array.of(1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10), new Uint8Array(8));
    new AreaResize(3, 2, 2, 1).into(Uint8Array.of(0, 0, 0, 1, 1, 1), out);
    expect(Array.from(out)).toEqual([0, 0]);
    new AreaResize(3, 2, 2, 1).into(Uint8Array.of(1, 1, 1, 2, 2, 2), out);
    expect(Array.from(out)).toEqual([2, 2]);
  });

  it("refuses sizes that OpenCV resizes by another algorithm, and arrays of the wrong length", () => {
    expect(() => new AreaResize(4, 4, 2, 2)).toThrow(/another algorithm/);
    expect(() => new AreaResize(4, 4, 8, 3)).toThrow(/another algorithm/);
    expect(() => new AreaResize(4, 4, 3, Number.NaN)).toThrow(/newHeight/);
    expect(() => new AreaResize(4, 4, 3, 3).into(new Uint8Array(15), new Uint8Array(9))).toThrow(/picture/);
    expect(() =>
      new AtariFrames(160, 210).push(new Uint8Array(3), new Uint8Array(3), new Uint8Array(3)),
    ).toThrow(/screen/);
  });
});
