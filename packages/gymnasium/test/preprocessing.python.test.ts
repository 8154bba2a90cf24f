import { AreaResize, atariEnvironment, atariRules, RandomStreams } from "softrl";
import { afterEach, describe, expect, inject, it } from "vitest";
import { AtariEnvironment } from "../../core/src/envs/atari/atari-environment.js";
import { environmentContract } from "../../core/test/envs/contract.js";
import { LiveAle } from "./live-ale.js";

const python = inject("python");
const open: LiveAle[] = [];

function live(game: string): LiveAle {
  const ale = new LiveAle(python, game);
  open.push(ale);
  return ale;
}

afterEach(() => {
  for (const ale of open.splice(0)) ale.close();
});

const STEPS = 1000;
const PIXELS = 84 * 84;

/** The number of bytes in which [84, 84, 4] differs from [4, 84, 84], in the frames from `oldest` to `newest`. */
function differing(ours: Uint8Array, theirs: Uint8Array, oldest: number, newest = 3): number {
  let count = 0;
  for (let frame = oldest; frame <= newest; frame++) {
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      if (ours[pixel * 4 + frame] !== theirs[frame * PIXELS + pixel]) count++;
    }
  }
  return count;
}

describe("core's preprocessing, on frames of the real ALE", () => {
  it.each(["beam_rider", "breakout", "enduro", "pong", "qbert", "seaquest", "space_invaders"])(
    `%s: no byte differs from AtariVectorEnv's in ${STEPS} steps`,
    (game) => {
      const ale = live(game);
      const environment = new AtariEnvironment(
        game,
        [ale],
        // AtariVectorEnv draws its no-ops from its own generator, so there are none here.
        { ...atariRules.classic, mostNoops: 0 },
        false,
      );
      const { observations, finalObservations, terminated, truncated, rewards } = environment;
      const streams = new RandomStreams(11);
      environment.reset(streams);
      expect(ale.seeds).toHaveLength(1);
      let wrong = differing(observations, ale.resetVector(ale.seeds[0]), 3);
      const random = streams.stream("actions");
      // A new game starts with one frame in AtariVectorEnv, and with four copies of it here.
      let frames = 1;
      let compared = 1;
      let games = 0;
      let points = 0;
      for (let t = 0; t < STEPS; t++) {
        const action = random.integer(environment.actionSpace.n);
        environment.step(Int32Array.of(action));
        const theirs = ale.stepVector(action);
        expect([t, rewards[0], terminated[0] === 1, truncated[0] === 1]).toEqual([
          t,
          theirs.reward,
          theirs.terminated,
          theirs.truncated,
        ]);
        points += Math.abs(rewards[0]);
        if (terminated[0] === 1) {
          games++;
          // Without the newest frame: if the game ended within the step, AtariVectorEnv pools an old screen.
          wrong += differing(finalObservations, theirs.final, 4 - Math.min(frames + 1, 4), 2);
          frames = 0;
        }
        frames = Math.min(frames + 1, 4);
        compared += frames;
        wrong += differing(observations, theirs.observation, 4 - frames);
      }
      expect({ wrong, compared: compared > 3.9 * STEPS }).toEqual({ wrong: 0, compared: true });
      if (game !== "enduro") expect(games + points, "ends and points").toBeGreaterThan(0);
    },
  );

  it("equals OpenCV's area interpolation on random pictures", () => {
    const ale = live("pong");
    const resize = new AreaResize(160, 210, 84, 84);
    const ours = new Uint8Array(PIXELS);
    for (let seed = 0; seed < 400; seed++) {
      const { picture, shrunk } = ale.resized(seed);
      resize.into(picture, ours);
      expect(Buffer.compare(ours, shrunk), `picture ${seed}`).toBe(0);
    }
  });
});

for (const [protocol, training] of [
  ["classic", true],
  ["sticky", false],
] as const) {
  environmentContract(
    `Breakout on an AtariEmulator, ${protocol}`,
    (size) => {
      const emulators = Array.from({ length: size }, () => new LiveAle(python, "breakout"));
      return atariEnvironment("Breakout", emulators, { protocol, training });
    },
    { meets: ["termination"], steps: 200 },
  );
}
