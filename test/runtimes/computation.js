/**
 * What every runtime computes here with `softrl`: short trainings on the WebAssembly executor, and the theorem's
 * identities in float64. It uses nothing of a platform but WebCrypto.
 *
 * @typedef {{ readonly algorithm: string, readonly environment: string, readonly size: number, readonly steps: number,
 *   readonly settings?: import("softrl").ChosenSettings["algorithm"], readonly relaxed?: true }} Training
 */

const SEED = 1;
const SEEDS_PER_IDENTITY = 5;

/** @type {readonly Training[]} */
const trainings = [
  { algorithm: "a2c", environment: "CartPole-v1", size: 8, steps: 8000, relaxed: true },
  { algorithm: "soft-q", environment: "CartPole-v1", size: 8, steps: 8000 },
  { algorithm: "ppo", environment: "CartPole-v1", size: 8, steps: 8192 },
  { algorithm: "npg", environment: "CartPole-v1", size: 8, steps: 4000, relaxed: true },
  {
    algorithm: "dqn",
    environment: "CartPole-v1",
    size: 1,
    steps: 3000,
    settings: { replay: "prioritised", replayStart: 500 },
  },
  { algorithm: "a2c", environment: "MountainCar-v0", size: 8, steps: 4000 },
  { algorithm: "soft-q", environment: "Acrobot-v1", size: 8, steps: 4000 },
  { algorithm: "a2c", environment: "MinAtar/Breakout-v1", size: 16, steps: 3200, relaxed: true },
  { algorithm: "soft-q", environment: "MinAtar/SpaceInvaders-v1", size: 16, steps: 1600 },
  {
    algorithm: "dqn",
    environment: "MinAtar/Asterix-v1",
    size: 1,
    steps: 600,
    settings: { replayStart: 200 },
    relaxed: true,
  },
];

/**
 * The SHA-256 of each training's last checkpoint.
 * @param {typeof import("softrl")} softrl
 */
export async function checkpoints(softrl) {
  return hashesOn(softrl, await softrl.createWasmExecutor(), trainings);
}

/**
 * The same of some trainings with relaxed SIMD, and this engine's arithmetic; null where the engine has none.
 * @param {typeof import("softrl")} softrl
 */
export async function relaxedCheckpoints(softrl) {
  const arithmetic = await softrl.relaxedArithmetic();
  if (arithmetic === null) return null;
  const executor = await softrl.createRelaxedWasmExecutor();
  const chosen = trainings.filter(({ relaxed = false }) => relaxed);
  return { arithmetic, hashes: await hashesOn(softrl, executor, chosen) };
}

/**
 * @param {typeof import("softrl")} softrl
 * @param {import("softrl").Executor} executor
 * @param {readonly Training[]} chosen
 * @returns {Promise<Record<string, string>>}
 */
async function hashesOn(softrl, executor, chosen) {
  const { builtInAlgorithms, makeEnvironment, MemoryRunStore, train } = softrl;
  /** @type {Record<string, string>} */
  const hashes = {};
  for (const { algorithm: name, environment, size, steps, settings = {} } of chosen) {
    const algorithm = builtInAlgorithms.find((kind) => kind.name === name);
    if (algorithm === undefined) throw new Error(`there is no algorithm ${name}`);
    const store = new MemoryRunStore();
    await train({
      algorithm,
      environment: makeEnvironment(environment, size),
      executor,
      settings: { run: { seed: SEED, steps }, algorithm: settings },
      store,
    });
    if (store.checkpoint === null) throw new Error(`${name} wrote no checkpoint`);
    hashes[`${name}, ${environment}, ${steps} steps`] = await sha256(store.checkpoint);
  }
  return hashes;
}

/**
 * How many identities were measured, and those that do not hold.
 * @param {typeof import("softrl")} softrl
 */
export async function identities({ verify }) {
  const measured = await verify({ fast: true, seeds: SEEDS_PER_IDENTITY });
  return { measured: measured.length, broken: measured.filter(({ holds }) => !holds) };
}

/** @param {Uint8Array} bytes */
async function sha256(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
