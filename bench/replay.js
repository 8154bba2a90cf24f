// @ts-check
// The memory of a full replay of Atari's size, and how long its checkpoints take. The frames are synthetic: noise, which
// no file system compresses.
//
//   npm run build && node --expose-gc bench/replay.js --transitions 1000000
//
// --stack 1 adds frames without stacks, which takes as much memory and a tenth of the time.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import {
  algorithmKind,
  createReferenceExecutor,
  createTrainer,
  decodeCheckpoint,
  logProbabilities,
  makeEnvironment,
  RandomStreams,
  Replay,
  snapshotSection,
  terminatedFlags,
  truncatedFlags,
} from "softrl";
import { ReplayFolder } from "../packages/cli/dist/runs/replay-folder.js";

const { values } = parseArgs({
  options: {
    transitions: { type: "string", default: "1000000" },
    stack: { type: "string", default: "4" },
    folder: { type: "string", default: tmpdir() },
  },
});
const transitions = Number(values.transitions);
const depth = Number(values.stack);
/** Transitions between the first checkpoint and the second: Atari's default has a million. */
const more = Math.ceil(transitions / 10);

/** @type {import("softrl").Box} */
const space = { kind: "box", shape: [84, 84, depth], dtype: "uint8", low: 0, high: 255 };
const PIXELS = 84 * 84;
/** Different frames; they come again and again. */
const FRAMES = 64;

/** Stacks of frames, each the one before moved by a frame. */
function makeStacks() {
  const random = new RandomStreams(1).stream("frames");
  const frames = Array.from({ length: FRAMES }, () =>
    Uint8Array.from({ length: PIXELS }, () => random.integer(256)),
  );
  return frames.map((_, newest) => {
    const stack = new Uint8Array(depth * PIXELS);
    for (let j = 0; j < depth; j++) {
      const frame = frames[(newest + FRAMES + 1 - depth + j) % FRAMES];
      for (let i = 0; i < PIXELS; i++) stack[depth * i + j] = frame[i];
    }
    return stack;
  });
}

const stacks = makeStacks();
const rows = {
  id: "frames",
  size: 1,
  observations: stacks[0],
  finalObservations: stacks[0],
  rewards: new Float64Array(1),
  episodeReturns: new Float64Array(1),
  episodeLengths: new Int32Array(1),
  episodeEnded: new Uint8Array(1),
  terminated: terminatedFlags(1),
  truncated: truncatedFlags(1),
  step: () => {},
};

/** Fills a replay with frames, and learns nothing. */
const filler = algorithmKind({
  name: "filler",
  title: "filler",
  about: "fills a replay with frames",
  settings: {},
  make: ({ environment: { observationSpace, actionSpace } }) => {
    const replay = new Replay({ capacity: transitions, size: 1, observationSpace: space, frames: "stacked" });
    const actions = new Int32Array(1);
    let steps = 0;
    return {
      policy: {
        observationSpace,
        actionSpace,
        form: null,
        act: () => {},
        evaluate: () => ({ logPi: logProbabilities(new Float64Array(2)), v: null, q: null }),
        save: () => ({}),
        restore: () => {},
      },
      iterate: async () => {
        if (!replay.begun) replay.begin(stacks[0]);
        for (let i = 0; i < 1000; i++) {
          rows.observations = stacks[++steps % FRAMES];
          rows.rewards[0] = steps % 3;
          replay.add(actions, rows);
        }
        return { steps: 1000, figures: {} };
      },
      save: () => ({ steps, replay: replay.save() }),
      restore: (snapshot) => {
        steps = Number(snapshot.steps);
        replay.restore(snapshotSection("filler", snapshot, "replay"));
      },
      pieces: () => replay.pieces(),
    };
  },
});

const folder = mkdtempSync(join(values.folder, "softrl-replay-"));
const checkpoint = join(folder, "checkpoint.safetensors");
let written = 0;
const pieces = new ReplayFolder(join(folder, "replay"), (path, what, error) => {
  throw new Error(`${path}: ${what}`, { cause: error });
});
/** @type {Uint8Array} */
let newest = new Uint8Array();
const store = {
  append: () => {},
  writePolicy: () => {},
  writeCheckpoint: (/** @type {Uint8Array} */ bytes) => {
    newest = bytes.slice();
    writeFileSync(checkpoint, bytes);
  },
  pieces: {
    write: (/** @type {string} */ name, /** @type {Uint8Array} */ bytes) => {
      written += bytes.length;
      return pieces.write(name, bytes);
    },
    read: pieces.read.bind(pieces),
    keepOnly: pieces.keepOnly.bind(pieces),
  },
};
const makeTrainer = () =>
  createTrainer({
    algorithm: filler,
    environment: makeEnvironment("CartPole-v1", 1),
    executor: createReferenceExecutor(),
    settings: { run: { steps: 10 * transitions, checkpointEvery: 0 } },
    store,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  });

const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(3)} GB`;
const resident = () => process.memoryUsage().rss;

/**
 * Does some work and prints how long it took, and how long nothing else could run meanwhile.
 * @param {string} what @param {() => Promise<unknown>} work
 */
async function timed(what, work) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  written = 0;
  const began = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  delays.disable();
  const bytes = written === 0 ? "" : `, ${gigabytes(written)} written`;
  console.log(
    `${what}: ${seconds.toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of processor time)${bytes}, ` +
      `the event loop waits at most ${(delays.max / 1e6).toFixed(0)} ms`,
  );
}

try {
  globalThis.gc?.();
  const before = resident();
  let trainer = makeTrainer();
  await trainer.start();
  const fill = async (/** @type {number} */ steps) => {
    const end = trainer.step + steps;
    while (trainer.step < end) await trainer.iterate();
  };
  const began = performance.now();
  await fill(transitions + 1000);
  const seconds = (performance.now() - began) / 1000;
  console.log(`${transitions} transitions of 84 × 84 × ${depth}, added in ${seconds.toFixed(0)} s`);
  const held = resident() - before;
  console.log(`memory: ${gigabytes(held)}, ${Math.round(held / transitions)} bytes a transition`);
  // A checkpoint of the state as it is, without ending the run.
  await timed("first checkpoint", () => trainer.set({ steps: 10 * transitions + 1 }));
  await fill(more);
  await timed(`checkpoint ${more} transitions later`, () => trainer.set({ steps: 10 * transitions + 2 }));
  console.log(`memory with checkpoints: ${gigabytes(resident() - before)}`);
  const snapshot = decodeCheckpoint(checkpoint, newest);
  // Let go of the first replay: there is room for one.
  trainer = /** @type {never} */ (null);
  globalThis.gc?.();
  const resumed = makeTrainer();
  await timed("resumption", () => resumed.restore(snapshot));
  console.log(`memory after the resumption: ${gigabytes(resident() - before)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
