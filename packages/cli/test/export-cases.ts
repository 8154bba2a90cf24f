/** Runs whose policies are exported: every network and every algorithm. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  builtInNetworks,
  createWasmExecutor,
  loadPolicy,
  type NetworkPolicy,
  type PolicyOutputs,
  RandomStreams,
} from "softrl";

export interface ExportCase {
  readonly name: string;
  /** The options of `softrl train`. */
  readonly train: string;
  /** The name of the network that it trains; `mlp` if left out. */
  readonly network?: string;
  /** Whether Q is known. */
  readonly hasQ?: boolean;
  /** How many observations to compare in plain JavaScript, which is slow for images; 10,000 if left out. */
  readonly observations?: number;
}

const pixels = fileURLToPath(new URL("fixtures/pixels.js", import.meta.url));
const wide = fileURLToPath(new URL("fixtures/wide.js", import.meta.url));
const cartPole = "--env CartPole-v1 --steps 1500";
const breakout = "--env MinAtar/Breakout-v1 --steps 600";
const frames = `--env ${pixels} --envs 2 --steps 60`;
const replay = "--replay-capacity 1000 --replay-start 200 --save-replay false";
const fewFrames = "--replay-capacity 200 --replay-start 20 --replay-frames whole --save-replay false";

export const exportCases: readonly ExportCase[] = [
  { name: "a2c", train: `--algorithm a2c ${cartPole}` },
  { name: "a2c-naive", train: `--algorithm a2c --entropy-bonus naive ${cartPole}`, hasQ: false },
  { name: "a2c-shared", train: `--algorithm a2c --bodies shared --activation relu --inputs raw ${cartPole}` },
  {
    name: "a2c-unit",
    train: `--algorithm a2c --inputs unit --activation silu --layer-norm true ${cartPole}`,
  },
  { name: "a2c-table", train: "--algorithm a2c --env GridWorld-v0 --steps 1500" },
  { name: "a2c-own-network", train: `--algorithm a2c --network ${wide} ${cartPole}`, network: "wide" },
  { name: "soft-q", train: `--algorithm soft-q ${cartPole}` },
  { name: "npg", train: `--algorithm npg ${cartPole}` },
  { name: "ppo", train: `--algorithm ppo --normalise-returns true ${cartPole}`, hasQ: false },
  { name: "a3c", train: `--algorithm a3c ${cartPole}` },
  { name: "async-soft-q", train: `--algorithm async-soft-q ${cartPole}` },
  { name: "dqn", train: `--algorithm dqn ${replay} ${cartPole}` },
  {
    name: "dqn-dueling",
    train: `--algorithm dqn --dueling true --backup soft-kl ${replay} ${cartPole}`,
  },
  { name: "dqn-munchausen", train: `--algorithm dqn --backup munchausen ${replay} ${cartPole}` },
  { name: "pqn", train: `--algorithm pqn ${cartPole}` },
  { name: "pqn-soft", train: `--algorithm pqn --backup soft-kl ${cartPole}` },
  { name: "minatar-a2c", train: `--algorithm a2c ${breakout}`, network: "minatar-cnn", observations: 1000 },
  {
    name: "minatar-separate",
    train: `--algorithm soft-q --bodies separate --layer-norm true ${breakout}`,
    network: "minatar-cnn",
    observations: 1000,
  },
  {
    name: "minatar-dqn",
    train: `--algorithm dqn --dueling true ${replay} ${breakout}`,
    network: "minatar-cnn",
    observations: 1000,
  },
  {
    name: "minatar-pqn",
    train: `--algorithm pqn --backup soft-entropy ${breakout}`,
    network: "minatar-cnn",
    observations: 1000,
  },
  {
    name: "nature-a2c",
    train: `--algorithm a2c ${frames} --env-options size=84`,
    network: "nature-cnn",
    observations: 50,
  },
  {
    name: "nature-norm",
    train: `--algorithm ppo --layer-norm true ${frames}`,
    network: "nature-cnn",
    hasQ: false,
    observations: 50,
  },
  {
    name: "nature-channels-first",
    train: `--algorithm soft-q --channels first ${frames} --env-options channelsFirst=true`,
    network: "nature-cnn",
    observations: 50,
  },
  {
    name: "nature-dqn",
    train: `--algorithm dqn --dueling true ${fewFrames} ${frames}`,
    network: "nature-cnn",
    observations: 50,
  },
];

/** The policy that a run folder holds, in WebAssembly. */
export async function policyOfRun(folder: string): Promise<NetworkPolicy> {
  const bytes = readFileSync(join(folder, "checkpoint.safetensors"));
  const own: { default: (typeof builtInNetworks)[number] } = await import(wide);
  const networks = [...builtInNetworks, own.default];
  return loadPolicy(bytes, await createWasmExecutor(), { networks, rows: 50 });
}

/** Observations as the policy's environment has them: bytes, zeros and ones, one-hot vectors, or numbers around zero. */
export function drawnObservations(
  { observationSpace }: NetworkPolicy,
  count: number,
): Float32Array | Uint8Array {
  if (observationSpace.kind !== "box") throw new Error("a network reads a box");
  const size = observationSpace.shape.reduce((product, length) => product * length, 1);
  const random = new RandomStreams(1).stream("observations");
  if (observationSpace.dtype === "uint8") {
    const bytes = new Uint8Array(count * size);
    const isBinary = observationSpace.high === 1;
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = isBinary ? +(random.float() < 0.1) : 256 * random.float();
    return bytes;
  }
  const numbers = new Float32Array(count * size);
  const isOneHot =
    observationSpace.shape.length === 1 && observationSpace.high === 1 && observationSpace.low === 0;
  for (let row = 0; row < count; row++) {
    if (isOneHot) numbers[row * size + Math.floor(size * random.float())] = 1;
    else for (let i = 0; i < size; i++) numbers[row * size + i] = 4 * random.float() - 2;
  }
  return numbers;
}

/** |a − b| / max(1, size), 0 for equal infinities: float32 holds about seven digits. */
export function differenceOf(a: number, b: number, size = Math.abs(b)): number {
  return a === b ? 0 : Math.abs(a - b) / Math.max(1, size);
}

/**
 * [B, A] The size that the rounding of log π is relative to: |log π|, and where it is computed from Q, the largest |Q|/τ of the
 * observation. For a small τ, the logits log π̄ + Q/τ are far larger than their differences, so that the rounding of a float32 Q
 * alone moves log π by 10⁻⁷ |Q|/τ, in whichever order it is computed.
 */
export function logPiSizes(
  { form, network: { actions } }: NetworkPolicy,
  outputs: PolicyOutputs,
): Float64Array {
  const { logPi, q } = outputs;
  const { bodies, tau } = form;
  const isOfQ = (bodies === "q" || bodies === "dueling-q") && tau !== null && tau > 0 && q !== null;
  return Float64Array.from(logPi, (logP, i) => {
    if (!isOfQ) return Math.abs(logP);
    const row = i - (i % actions);
    return Math.max(Math.abs(logP), ...q.subarray(row, row + actions).map((value) => Math.abs(value) / tau));
  });
}
