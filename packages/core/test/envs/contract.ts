import {
  actionCount,
  contains,
  observationLength,
  RandomStreams,
  SoftrlError,
  type VectorEnvironment,
  validateSpace,
} from "softrl";
import { afterEach, describe, expect, it } from "vitest";

export interface ContractOptions {
  /** Vector steps of the long checks; default 1000. */
  readonly steps?: number;
  /** Whether an observation belongs to a terminal state, if the observation shows that. */
  readonly isTerminal?: (observation: readonly number[]) => boolean;
  /** Whether `rewards` are clipped, so that they do not sum to `episodeReturns`. */
  readonly clipsRewards?: boolean;
  /** Whether `episodeLengths` counts the environment's own steps; default true. */
  readonly countsSteps?: boolean;
  /** The kinds of ending that the random policy must encounter, so that the checks of endings are not empty. */
  readonly meets?: readonly ("termination" | "truncation")[];
}

/** What {@link record} saw, for exact comparison. */
interface Recording {
  readonly observations: number[][];
  readonly rewards: number[][];
  readonly ends: string[];
}

/**
 * Tests that every {@link VectorEnvironment} must pass, bridged ones included.
 *
 * @param make makes S environments; it is called several times, and every result is closed.
 */
export function environmentContract(
  name: string,
  make: (size: number) => VectorEnvironment | Promise<VectorEnvironment>,
  options: ContractOptions = {},
): void {
  const { steps = 1000, isTerminal, clipsRewards = false, countsSteps = true, meets = [] } = options;

  describe(`environment contract: ${name}`, () => {
    const open: VectorEnvironment[] = [];
    const opened = async (size: number): Promise<VectorEnvironment> => {
      const environment = await make(size);
      open.push(environment);
      return environment;
    };
    afterEach(async () => {
      for (const environment of open.splice(0)) await environment.close();
    });

    it("has well-formed spaces and arrays of matching size", async () => {
      const environment = await opened(3);
      validateSpace(name, "observationSpace", environment.observationSpace);
      validateSpace(name, "actionSpace", environment.actionSpace);
      expect(actionCount(environment.actionSpace)).toBeGreaterThan(0);
      const length = observationLength(environment.observationSpace);
      const bytes = "dtype" in environment.observationSpace && environment.observationSpace.dtype === "uint8";
      expect(environment.size).toBe(3);
      for (const all of [environment.observations, environment.finalObservations]) {
        expect(all).toBeInstanceOf(bytes ? Uint8Array : Float32Array);
        expect(all.length).toBe(3 * length);
      }
      const { rewards, episodeReturns, episodeLengths, episodeEnded, terminated, truncated } = environment;
      for (const one of [rewards, episodeReturns, episodeLengths, episodeEnded, terminated, truncated]) {
        expect(one.length).toBe(3);
      }
    });

    it("keeps its arrays and its observations stay within their space", async () => {
      const environment = await opened(2);
      const { observations, finalObservations, rewards, terminated, truncated } = environment;
      await environment.reset(new RandomStreams(1));
      const choose = chooser(environment, 1);
      for (let t = 0; t < Math.min(steps, 200); t++) {
        for (const row of rowsOf(environment, observations)) {
          expect(contains(environment.observationSpace, row)).toBe(true);
        }
        await environment.step(choose());
      }
      expect(environment.observations).toBe(observations);
      expect(environment.finalObservations).toBe(finalObservations);
      expect(environment.rewards).toBe(rewards);
      expect(environment.terminated).toBe(terminated);
      expect(environment.truncated).toBe(truncated);
    });

    it(`gives the same bytes for the same seed over ${steps} steps, and others for another seed`, async () => {
      const first = await play(await opened(2), 11, steps);
      const second = await play(await opened(2), 11, steps);
      const other = await play(await opened(2), 12, steps);
      expect(second).toEqual(first);
      expect(other.observations).not.toEqual(first.observations);
    });

    it("starts over after a reset", async () => {
      const environment = await opened(2);
      const first = await play(environment, 11, 50);
      expect(await play(environment, 11, 50)).toEqual(first);
    });

    it("gives an environment the same numbers whatever the number of environments", async () => {
      const alone = await opened(1);
      const two = await opened(2);
      await alone.reset(new RandomStreams(3));
      await two.reset(new RandomStreams(3));
      const choose = chooser(alone, 5);
      for (let t = 0; t < 100; t++) {
        expect(digest(rowsOf(two, two.observations)[0])).toEqual(digest(alone.observations));
        const actions = choose();
        await alone.step(actions);
        await two.step(Int32Array.of(actions[0], 0));
      }
    });

    it("resets within the step that ends an episode, and reports how it ended", async () => {
      const environment = await opened(2);
      const seen = { termination: 0, truncation: 0 };
      const lengths = [0, 0];
      const returns = [0, 0];
      await environment.reset(new RandomStreams(21));
      const choose = chooser(environment, 21);
      for (let t = 0; t < steps; t++) {
        await environment.step(choose());
        const now = rowsOf(environment, environment.observations);
        const finals = rowsOf(environment, environment.finalObservations);
        for (let i = 0; i < 2; i++) {
          const terminated = flag(environment.terminated[i]);
          const truncated = flag(environment.truncated[i]);
          const whole = flag(environment.episodeEnded[i]);
          if (whole) expect(terminated || truncated).toBe(true);
          lengths[i]++;
          returns[i] += environment.rewards[i];
          expect(Number.isFinite(environment.rewards[i])).toBe(true);
          if (terminated) seen.termination++;
          if (truncated && !terminated) seen.truncation++;
          if (isTerminal !== undefined) expect(isTerminal(Array.from(now[i]))).toBe(false);
          if (terminated || truncated) {
            expect(contains(environment.observationSpace, finals[i])).toBe(true);
            if (isTerminal !== undefined) expect(isTerminal(Array.from(finals[i]))).toBe(terminated);
          }
          if (!whole) continue;
          if (countsSteps) expect(environment.episodeLengths[i]).toBe(lengths[i]);
          if (!clipsRewards) expect(environment.episodeReturns[i]).toBeCloseTo(returns[i], 6);
          lengths[i] = 0;
          returns[i] = 0;
        }
      }
      for (const kind of meets) expect(seen[kind], `${kind}s met`).toBeGreaterThan(0);
    });

    it("continues bit for bit from a snapshot, in a new environment and in the same one", async () => {
      const environment = await opened(2);
      await environment.reset(new RandomStreams(31));
      await record(environment, 37, chooser(environment, 31));
      const snapshot = await environment.save();
      if (snapshot === null) return;
      const future = await record(environment, steps, chooser(environment, 32));
      const fresh = await opened(2);
      await fresh.restore(snapshot);
      expect(await record(fresh, steps, chooser(fresh, 32))).toEqual(future);
      await environment.restore(snapshot);
      expect(await record(environment, steps, chooser(environment, 32))).toEqual(future);
    });

    it("refuses a snapshot of another size", async () => {
      const environment = await opened(2);
      await environment.reset(new RandomStreams(31));
      const snapshot = await environment.save();
      if (snapshot === null) return;
      const other = await opened(3);
      await expect(promised(() => other.restore(snapshot))).rejects.toThrow(SoftrlError);
    });

    it("refuses to step before a reset", async () => {
      const environment = await opened(1);
      await expect(promised(() => environment.step(new Int32Array(1)))).rejects.toThrow(/reset/);
    });

    it("refuses an action that is out of range and too few actions", async () => {
      const environment = await opened(2);
      await environment.reset(new RandomStreams(1));
      const tooHigh = Int32Array.of(0, actionCount(environment.actionSpace));
      await expect(promised(() => environment.step(tooHigh))).rejects.toThrow(/environment 1.*action/);
      await expect(promised(() => environment.step(Int32Array.of(0, -1)))).rejects.toThrow(/action/);
      await expect(promised(() => environment.step(new Int32Array(1)))).rejects.toThrow(/actions/);
    });

    it("refuses everything after close, except another close", async () => {
      const environment = await opened(1);
      await environment.reset(new RandomStreams(1));
      await environment.close();
      await environment.close();
      await expect(promised(() => environment.step(new Int32Array(1)))).rejects.toThrow(/closed/);
      await expect(promised(() => environment.reset(new RandomStreams(1)))).rejects.toThrow(/closed/);
    });
  });
}

/** Turns a thrown error into a rejection, so that synchronous and asynchronous environments fail the same way. */
const promised = async (act: () => unknown): Promise<unknown> => act();

/** Draws uniform actions from a separate stream; returns a new array each time. */
function chooser(environment: VectorEnvironment, seed: number): () => Int32Array {
  const random = new RandomStreams(seed).stream("test", "actions");
  const count = actionCount(environment.actionSpace);
  return () => Int32Array.from({ length: environment.size }, () => random.integer(count));
}

async function play(
  environment: VectorEnvironment,
  seed: number,
  steps: number,
  choose = chooser(environment, seed),
): Promise<Recording> {
  await environment.reset(new RandomStreams(seed));
  return record(environment, steps, choose);
}

async function record(
  environment: VectorEnvironment,
  steps: number,
  choose: () => Int32Array,
): Promise<Recording> {
  const observations = [digest(environment.observations)];
  const rewards: number[][] = [];
  const ends: string[] = [];
  for (let t = 0; t < steps; t++) {
    await environment.step(choose());
    observations.push(digest(environment.observations));
    rewards.push(Array.from(environment.rewards));
    for (let i = 0; i < environment.size; i++) {
      if (!environment.terminated[i] && !environment.truncated[i]) continue;
      const final = digest(rowsOf(environment, environment.finalObservations)[i]);
      const { terminated, truncated, episodeEnded, episodeReturns, episodeLengths } = environment;
      const whole = episodeEnded[i] ? `${episodeReturns[i]} ${episodeLengths[i]}` : "";
      ends.push(`${t} ${i} ${terminated[i]} ${truncated[i]} ${whole} [${final}]`);
    }
  }
  return { observations, rewards, ends };
}

/** Small observations in full, large ones as their FNV-1a hash. */
function digest(numbers: Float32Array | Uint8Array): number[] {
  if (numbers.length <= 64) return Array.from(numbers);
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
  return [hash >>> 0];
}

function rowsOf(
  environment: VectorEnvironment,
  all: Float32Array | Uint8Array,
): (Float32Array | Uint8Array)[] {
  const length = all.length / environment.size;
  return Array.from({ length: environment.size }, (_, i) => all.subarray(i * length, (i + 1) * length));
}

function flag(value: number): boolean {
  expect([0, 1]).toContain(value);
  return value === 1;
}
