import { fileURLToPath } from "node:url";
import {
  type AtariProtocol,
  allocate,
  type Box,
  type Discrete,
  type NamedScalars,
  type Observations,
  observationLength,
  type Picture,
  picture,
  type RandomStreams,
  requireMemory,
  type Snapshot,
  SoftrlError,
  type VectorEnvironment,
} from "softrl";
import { BridgeGroup } from "./bridge-group.js";
import type { BridgeCommand } from "./bridge-process.js";
import {
  type Bridge,
  BridgedRows,
  type ChildShare,
  partOf,
  type RowArrays,
  rowArrays,
} from "./bridged-rows.js";
import { bytesOf, joined, ReplyReader, splitBlocks } from "./bytes.js";
import {
  type BridgeTransport,
  type CompleteConfig,
  completeConfig,
  type GymnasiumConfig,
  type GymnasiumOptions,
} from "./config.js";
import { type GymnasiumVersions, readHello, readMade } from "./handshake.js";
import { findPython, isAtari } from "./python.js";
import { openSharedFile, type SharedFile } from "./shared-memory.js";

const bridgeScript = fileURLToPath(new URL("../python/bridge.py", import.meta.url));

/**
 * S Gymnasium environments in Python child processes.
 *
 * Environment i is seeded with the first number of `streams.stream("environment", i)`. The children end on `close()`,
 * after any error, and when this process ends for whatever reason.
 *
 * @throws SoftrlError if no Python with Gymnasium is found, the id is unknown, or a space is not supported.
 */
export async function createGymnasiumEnvironment(config: GymnasiumConfig): Promise<GymnasiumEnvironment> {
  const complete = completeConfig(config);
  const { id, timeoutSeconds } = complete;
  const python = await findPython({ python: config.python, id });
  return connectEnvironment(complete, {
    command: [python.path, "-u", bridgeScript],
    where: `gymnasium ${id}`,
    timeoutSeconds,
  });
}

/** Like {@link createGymnasiumEnvironment}, with a given command to start the children, which need not be Python. */
export async function connectEnvironment(
  config: CompleteConfig,
  command: BridgeCommand,
): Promise<GymnasiumEnvironment> {
  const { id, size, training, protocol, options, transport, overlap } = config;
  const mayRestore = isAtari(id) || config.trustStates;
  const { where } = command;
  const hasScreen = isAtari(id) || options.render_mode === "rgb_array";
  const file = transport === "shared memory" ? openSharedFile() : null;
  try {
    const shares = sharesOf(size, Math.min(config.processes, size));
    const { group, hello } = await BridgeGroup.start(command, shares.length, file?.descriptor);
    try {
      const versions = readHello(where, hello);
      const requests = shares.map(({ first, length }) =>
        jsonBytes({ id, first, size: length, training, protocol, options, atari: isAtari(id) }),
      );
      const [reply] = await group.request("make", requests);
      const made = readMade(where, reply);
      const memory = await observationMemory(group, size, shares, made.observationSpace, file, where);
      const { transport } = memory;
      const actions = made.actionSpace.n;
      const bridge = { id, where, group, transport, actions, started: false };
      return new GymnasiumEnvironment({
        bridge,
        size,
        versions,
        ...made,
        memory,
        shares,
        options,
        protocol: isAtari(id) ? protocol : null,
        hasScreen,
        overlap,
        mayRestore,
      });
    } catch (error) {
      await group.close();
      throw error;
    }
  } finally {
    file?.close();
  }
}

const isWithoutNull = (options: GymnasiumOptions): options is NamedScalars =>
  !Object.values(options).includes(null);

/** Distributes S environments over the children as evenly as possible. */
function sharesOf(size: number, processes: number): readonly ChildShare[] {
  const bound = (i: number) => Math.floor((i * size) / processes);
  return Array.from({ length: processes }, (_, i) => ({ first: bound(i), length: bound(i + 1) - bound(i) }));
}

const jsonBytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

interface Memory {
  readonly transport: BridgeTransport;
  readonly observations: Observations;
  readonly finalObservations: Observations;
}

/** Allocates the observations, in the shared file if there is one; each child writes only its own rows. */
async function observationMemory(
  group: BridgeGroup,
  size: number,
  shares: readonly ChildShare[],
  space: Box,
  file: SharedFile | null,
  where: string,
): Promise<Memory> {
  const ObservationArray = space.dtype === "uint8" ? Uint8Array : Float32Array;
  const row = observationLength(space);
  const length = size * row;
  if (file === null) {
    return {
      transport: "stdio",
      observations: allocate<Observations>(where, ObservationArray, length, {
        remedy: "make fewer environments",
      }),
      finalObservations: allocate<Observations>(where, ObservationArray, length, {
        remedy: "make fewer environments",
      }),
    };
  }
  const rowBytes = row * ObservationArray.BYTES_PER_ELEMENT;
  const finalsAt = Math.ceil((length * ObservationArray.BYTES_PER_ELEMENT) / 64) * 64;
  const bytes = finalsAt * 2;
  requireMemory(where, bytes, "make fewer environments");
  let memory: ArrayBuffer;
  try {
    memory = file.map(bytes);
  } catch (error) {
    throw new SoftrlError(
      where,
      "could not allocate shared memory for the observations",
      {
        got: error instanceof Error ? error.message : String(error),
        remedy: 'make fewer environments, or choose the transport "stdio"',
        code: "out-of-memory",
        bytes,
      },
      { cause: error },
    );
  }
  await group.request(
    "share",
    shares.map(({ first }) =>
      jsonBytes({ bytes, observations: first * rowBytes, finals: finalsAt + first * rowBytes }),
    ),
  );
  return {
    transport: "shared memory",
    observations: new ObservationArray(memory, 0, length),
    finalObservations: new ObservationArray(memory, finalsAt, length),
  };
}

/** The parts from which a {@link GymnasiumEnvironment} is constructed. */
interface Made {
  readonly bridge: Bridge;
  readonly size: number;
  readonly versions: GymnasiumVersions;
  readonly observationSpace: Box;
  readonly actionSpace: Discrete;
  readonly rawGame: string | null;
  readonly memory: Memory;
  readonly shares: readonly ChildShare[];
  readonly options: GymnasiumOptions;
  /** Null but for Atari. */
  readonly protocol: AtariProtocol | null;
  readonly hasScreen: boolean;
  readonly overlap: boolean;
  readonly mayRestore: boolean;
}

/**
 * Made by {@link createGymnasiumEnvironment}.
 *
 * With an even number of children and of environments, its two halves step independently (`parts`): the network
 * evaluates one half while the other steps.
 */
export class GymnasiumEnvironment extends BridgedRows implements VectorEnvironment {
  readonly versions: GymnasiumVersions;
  readonly observationSpace: Box;
  readonly actionSpace: Discrete;
  /** The name of the Atari game, such as `Breakout`, if its frames come without preprocessing; else null. */
  readonly rawGame: string | null;
  /** How the children pass observations to this process. */
  readonly transport: BridgeTransport;
  readonly parts?: readonly BridgedRows[];
  /** The keyword arguments; absent where one is null, which a configuration cannot hold. */
  readonly options?: NamedScalars;
  /** Present for Atari ids. */
  readonly atariProtocol?: AtariProtocol;
  /** Present for Atari ids with preprocessing, and if the option `render_mode` is `rgb_array`. */
  readonly screen?: (i: number) => Promise<Picture>;
  readonly #mayRestore: boolean;

  constructor({ bridge, size, memory, shares, ...made }: Made) {
    const arrays = rowArrays(size, memory.observations, memory.finalObservations);
    super(bridge, arrays, shares, { environment: 0, child: 0 });
    this.versions = made.versions;
    this.observationSpace = made.observationSpace;
    this.actionSpace = made.actionSpace;
    this.rawGame = made.rawGame;
    this.transport = bridge.transport;
    this.#mayRestore = made.mayRestore;
    if (isWithoutNull(made.options)) this.options = { ...made.options };
    if (made.protocol !== null) this.atariProtocol = made.protocol;
    if (made.hasScreen) this.screen = (i) => this.#screen(i);
    const parts = made.overlap ? halves(bridge, arrays, size, shares) : null;
    if (parts !== null) this.parts = parts;
  }

  /** The children's process ids. */
  get pids(): readonly number[] {
    return this.bridge.group.pids;
  }

  async reset(streams: RandomStreams): Promise<void> {
    const seeds = Uint32Array.from({ length: this.size }, (_, i) =>
      streams.stream("environment", i).uint32(),
    );
    const requests = this.shares.map(({ first, length }) => bytesOf(seeds.subarray(first, first + length)));
    await this.#begin("reset", await this.bridge.group.request("reset", requests));
  }

  async #screen(i: number): Promise<Picture> {
    this.requireStarted("screen");
    if (!(Number.isInteger(i) && i >= 0 && i < this.size)) {
      throw new SoftrlError(`${this.bridge.where} screen`, "no such environment", {
        expected: `an integer in [0, ${this.size - 1}]`,
        got: String(i),
      });
    }
    const requests = this.shares.map(({ first, length }) =>
      bytesOf(Int32Array.of(i >= first && i < first + length ? i - first : -1)),
    );
    const reply = joined(await this.bridge.group.request("screen", requests));
    // An environment that renders nothing is shown by its observation.
    if (reply.length === 0) return picture(this, i);
    const size = new Uint32Array(2);
    const read = new ReplyReader(reply);
    read.into(bytesOf(size));
    const [width, height] = size;
    const pixels = new Uint8Array(Math.min(width * height * 3, reply.length));
    read.into(pixels);
    if (!read.whole || pixels.length === 0) await this.abandon("screen", reply);
    return { width, height, pixels };
  }

  async save(): Promise<Snapshot | null> {
    this.requireStarted("save");
    const states = await this.bridge.group.request(
      "save",
      this.shares.map(() => new Uint8Array(0)),
    );
    if (states.some(({ length }) => length === 0)) return null;
    return { id: this.id, size: this.size, state: joined(states) };
  }

  /**
   * Continues from a saved state. States of other environments than Atari's are Python pickles, which can run any code.
   * @throws SoftrlError where the state is a pickle and the environment was made without `trustStates`.
   */
  async restore(snapshot: Snapshot): Promise<void> {
    this.bridge.group.requireFree("restore");
    if (!this.#mayRestore) {
      throw new SoftrlError(
        `${this.bridge.where} restore`,
        "the saved state is a Python pickle, which can run any code",
        {
          remedy: "if you trust whoever wrote it, make the environment with trustStates: true",
        },
      );
    }
    const { id, size, state } = snapshot;
    if (id !== this.id || size !== this.size || !(state instanceof Uint8Array)) {
      throw new SoftrlError(`${this.bridge.where} restore`, "the snapshot does not fit", {
        expected: `a state of ${this.size} × ${this.id}`,
        got: `${state instanceof Uint8Array ? "a state" : "no state"} of ${String(size)} × ${String(id)}`,
        remedy: "restore a snapshot of the same environment with the same size",
      });
    }
    // One block per environment, so that a different number of children can restore it.
    const blocks = splitBlocks(state);
    if (blocks?.length !== this.size) {
      throw new SoftrlError(`${this.bridge.where} restore`, "the saved state cannot be restored", {
        expected: `the states of ${this.size} environments`,
        got: blocks === null ? "an incomplete state" : `those of ${blocks.length}`,
      });
    }
    const requests = this.shares.map(({ first, length }) => joined(blocks.slice(first, first + length)));
    await this.#begin("restore", await this.bridge.group.request("restore", requests));
  }

  close(): Promise<void> {
    return this.bridge.group.close();
  }

  async #begin(operation: "reset" | "restore", replies: readonly Uint8Array[]): Promise<void> {
    for (const [i, reply] of replies.entries()) {
      const { first, length } = this.shares[i];
      const read = new ReplyReader(reply);
      if (this.transport === "stdio") read.into(this.observedBytes(this.observations, first, length));
      if (!read.whole) await this.abandon(operation, reply);
    }
    for (const array of [this.rewards, this.episodeReturns, this.episodeLengths, this.episodeEnded]) {
      array.fill(0);
    }
    this.terminated.fill(0);
    this.truncated.fill(0);
    this.bridge.started = true;
  }
}

/** The two halves of the environments, each with half of the children; null if they cannot be split or are only two. */
function halves(
  bridge: Bridge,
  arrays: RowArrays,
  size: number,
  shares: readonly ChildShare[],
): readonly BridgedRows[] | null {
  const half = size / 2;
  const children = shares.length / 2;
  if (!Number.isInteger(half) || half < 2 || !Number.isInteger(children)) return null;
  return [0, 1].map((which) => {
    const first = which * half;
    const own = shares.slice(which * children, (which + 1) * children);
    const counted = own.map((share) => ({ first: share.first - first, length: share.length }));
    return new BridgedRows(bridge, partOf(arrays, size, first, half), counted, {
      environment: first,
      child: which * children,
    });
  });
}
