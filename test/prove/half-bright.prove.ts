import { createNativeExecutor, inspectNative } from "@softrl/native";
import {
  a2c,
  type Box,
  createWasmExecutor,
  type Environment,
  environmentKind,
  type Random,
  train,
  vectorize,
} from "softrl";
import { describe, expect, it } from "vitest";

// An environment may encode the same frames in several ways; the networks must learn from all of them.

const SIDE = 36;
const CHANNELS = 2;
const EPISODE_STEPS = 10;

interface Encoding {
  readonly name: string;
  readonly dtype: Box["dtype"];
  /** The value of a bright pixel; a dark one is 0. */
  readonly bright: number;
  readonly channels: "last" | "first";
}

const encodings: readonly Encoding[] = [
  { name: "floats up to 1", dtype: "float32", bright: 1, channels: "last" },
  { name: "floats up to 255", dtype: "float32", bright: 255, channels: "last" },
  { name: "bytes up to 255", dtype: "uint8", bright: 255, channels: "last" },
  { name: "bytes up to 1", dtype: "uint8", bright: 1, channels: "last" },
  { name: "bytes up to 255, channels first", dtype: "uint8", bright: 255, channels: "first" },
];

/** The frame whose left (0) or right (1) half is bright, the same in each channel. */
function frame(half: number, { bright, channels }: Encoding): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE * CHANNELS }, (_, i) => {
    const column = (channels === "first" ? i : Math.floor(i / CHANNELS)) % SIDE;
    return column >= SIDE / 2 === (half === 1) ? bright : 0;
  });
}

/** Each step shows a frame with either half bright; the action that names the half earns 1. */
function halfBright(encoding: Encoding): Environment {
  const { dtype, bright, channels } = encoding;
  const frames = [frame(0, encoding), frame(1, encoding)];
  let random: Random;
  let half = 0;
  const show = (observation: Float32Array | Uint8Array) => {
    half = random.integer(2);
    observation.set(frames[half]);
  };
  return {
    observationSpace: {
      kind: "box",
      shape: channels === "first" ? [CHANNELS, SIDE, SIDE] : [SIDE, SIDE, CHANNELS],
      dtype,
      low: 0,
      high: bright,
    },
    actionSpace: { kind: "discrete", n: 2 },
    reset(stream, observation) {
      random = stream;
      show(observation);
    },
    step(action, observation) {
      const reward = action === half ? 1 : 0;
      show(observation);
      return { reward, terminated: false, truncated: false };
    },
    save: () => ({ half }),
    restore(snapshot) {
      half = Number(snapshot.half);
    },
  };
}

const halfBrightKind = (encoding: Encoding) =>
  environmentKind({
    id: "HalfBright-v0",
    about: "name the bright half of a frame",
    options: {},
    make: (size) =>
      vectorize("HalfBright-v0", () => halfBright(encoding), size, { maxEpisodeSteps: EPISODE_STEPS }),
  });

const executor = inspectNative().available ? createNativeExecutor() : await createWasmExecutor();

describe.each(["nature-cnn", "minatar-cnn"])("a2c with %s and default settings, 4,000 steps", (network) => {
  describe.each(encodings)("$name", (encoding) => {
    it.each([1, 2, 3])("seed %i: a mean return of at least 9.5 of 10", async (seed) => {
      const { result } = await train({
        algorithm: a2c,
        environment: halfBrightKind(encoding).make(8, {}),
        executor,
        network,
        settings: { run: { seed, steps: 4000 }, network: { channels: encoding.channels } },
      });
      console.log(`${network}, ${encoding.name}, seed ${seed}: ${result.meanReturn}`);
      expect(result.meanReturn).toBeGreaterThanOrEqual(9.5);
    });
  });
});
