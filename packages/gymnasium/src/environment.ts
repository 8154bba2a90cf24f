import { fileURLToPath } from "node:url";
import {
  type Box,
  type Discrete,
  type Observations,
  observationLength,
  type Picture,
  picture,
  type RandomStreams,
  type Snapshot,
  SoftrlError,
  type Terminated,
  type Truncated,
  terminatedFlags,
  truncatedFlags,
  type VectorEnvironment,
} from "softrl";
import { BridgeGroup } from "./bridge-group.js";
import type { BridgeCommand } from "./bridge-process.js";
import { bytesOf, joined, ReplyReader, splitBlocks } from "./bytes.js";
import { type BridgeTransport, type CompleteConfig, completeConfig, type GymnasiumConfig } from "./config.js";
import type { Operation } from "./frames.js";
import { type GymnasiumVersions, readHello, readMade } from "./handshake.js";
import { findPython, isAtari } from "./python.js";
import { openSharedFile, type SharedFile } from "./shared-memory.js";

const bridgeScript = fileURLToPath(new URL("../python/bridge.py", import.meta.url));

/**
 * S Gymnasium environments in Python child processes.
 *
 * Environment i is seeded by the first number of `streams.stream("environment", i)`. `close()` ends the children; so do
 * the end of this process, however it comes, and any error.
 *
 * @throws SoftrlError when no Python has Gymnasium, the id is unknown, or a space is not supported.
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

/** {@link createGymnasiumEnvironment} with the command that starts a child: for a child that is not Python. */
export async function connectEnvironment(
  config: CompleteConfig,
  command: BridgeCommand,
): Promise<GymnasiumEnvironment> {
  const { id, size, training, protocol, options, transport } = config;
  const { where } = command;
  const hasScreen = isAtari(id) || options.render_mode === "rgb_array";
  const file = transport === "shared memory" ? openSharedFile() : null;
  try {
    const rows = shares(size, Math.min(config.processes, size));
    const { group, hello } = await BridgeGroup.start(command, rows.length, file?.descriptor);
    try {
      const versions = readHello(where, hello);
      const requests = rows.map(({ first, length }) =>
        jsonBytes({ id, first, size: length, training, protocol, options, atari: isAtari(id) }),
      );
      const [reply] = await group.request("make", requests);
      const made = readMade(where, reply);
      const memory = await allocate(group, size, rows, made.observationSpace, file, where);
      return new GymnasiumEnvironment(
        { id, size, versions, ...made, ...memory, rows, hasScreen },
        group,
        where,
      );
    } catch (error) {
      await group.close();
      throw error;
    }
  } finally {
    file?.close();
  }
}

/** The environments of one child: `length` of them, the first of which is `first`. */
interface Rows {
  readonly first: number;
  readonly length: number;
}

/** S environments over so many children, as evenly as can be. */
function shares(size: number, processes: number): readonly Rows[] {
  const bound = (i: number) => Math.floor((i * size) / processes);
  return Array.from({ length: processes }, (_, i) => ({ first: bound(i), length: bound(i + 1) - bound(i) }));
}

const jsonBytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

interface Memory {
  readonly transport: BridgeTransport;
  readonly observations: Observations;
  readonly finalObservations: Observations;
}

/** The observations' arrays: in the shared file, where there is one, each child's rows its own to write. */
async function allocate(
  group: BridgeGroup,
  size: number,
  rows: readonly Rows[],
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
      observations: new ObservationArray(length),
      finalObservations: new ObservationArray(length),
    };
  }
  const rowBytes = row * ObservationArray.BYTES_PER_ELEMENT;
  const finalsAt = Math.ceil((length * ObservationArray.BYTES_PER_ELEMENT) / 64) * 64;
  const bytes = finalsAt * 2;
  let memory: ArrayBuffer;
  try {
    memory = file.map(bytes);
  } catch (error) {
    throw new SoftrlError(where, "the observations find no shared memory", {
      got: error instanceof Error ? error.message : String(error),
      remedy: 'make fewer environments, or choose the transport "stdio"',
    });
  }
  await group.request(
    "share",
    rows.map(({ first }) =>
      jsonBytes({ bytes, observations: first * rowBytes, finals: finalsAt + first * rowBytes }),
    ),
  );
  return {
    transport: "shared memory",
    observations: new ObservationArray(memory, 0, length),
    finalObservations: new ObservationArray(memory, finalsAt, length),
  };
}

interface Made extends Memory {
  readonly id: string;
  readonly size: number;
  readonly versions: GymnasiumVersions;
  readonly observationSpace: Box;
  readonly actionSpace: Discrete;
  readonly rawGame: string | null;
  readonly rows: readonly Rows[];
  readonly hasScreen: boolean;
}

/**
 * Made by {@link createGymnasiumEnvironment}.
 *
 * `step` is `send` and `receive` in one. Between the two the environments run while this process does something else;
 * what comes out is the same. `observations` and `finalObservations` may change from `send` on.
 */
export class GymnasiumEnvironment implements VectorEnvironment {
  readonly id: string;
  readonly size: number;
  readonly versions: GymnasiumVersions;
  readonly observationSpace: Box;
  readonly actionSpace: Discrete;
  /** The game of Atari's, such as `Breakout`, where its pictures come without preprocessing; else null. */
  readonly rawGame: string | null;
  /** How observations come from the children. */
  readonly transport: BridgeTransport;
  readonly observations: Observations;
  readonly finalObservations: Observations;
  readonly rewards: Float64Array;
  readonly episodeReturns: Float64Array;
  readonly episodeLengths: Int32Array;
  readonly episodeEnded: Uint8Array;
  readonly terminated: Terminated;
  readonly truncated: Truncated;
  /** There for Atari's preprocessed ids, and where the option `render_mode` is `rgb_array`. */
  readonly screen?: (i: number) => Promise<Picture>;
  readonly #rows: readonly Rows[];
  readonly #group: BridgeGroup;
  readonly #where: string;
  readonly #actions: Int32Array;
  readonly #requests: readonly Uint8Array[];
  #started = false;
  #sent: Promise<readonly Uint8Array[]> | undefined;

  constructor(made: Made, group: BridgeGroup, where: string) {
    const { size } = made;
    this.id = made.id;
    this.size = size;
    this.versions = made.versions;
    this.observationSpace = made.observationSpace;
    this.actionSpace = made.actionSpace;
    this.rawGame = made.rawGame;
    this.transport = made.transport;
    this.observations = made.observations;
    this.finalObservations = made.finalObservations;
    this.#rows = made.rows;
    this.#group = group;
    this.#where = where;
    if (made.hasScreen) this.screen = (i) => this.#screen(i);
    this.rewards = new Float64Array(size);
    this.episodeReturns = new Float64Array(size);
    this.episodeLengths = new Int32Array(size);
    this.episodeEnded = new Uint8Array(size);
    this.terminated = terminatedFlags(size);
    this.truncated = truncatedFlags(size);
    this.#actions = new Int32Array(size);
    this.#requests = made.rows.map(({ first, length }) =>
      bytesOf(this.#actions.subarray(first, first + length)),
    );
  }

  /** The children's process ids. */
  get pids(): readonly number[] {
    return this.#group.pids;
  }

  async reset(streams: RandomStreams): Promise<void> {
    this.#requireReceived("reset");
    const seeds = Uint32Array.from({ length: this.size }, (_, i) =>
      streams.stream("environment", i).uint32(),
    );
    const requests = this.#rows.map(({ first, length }) => bytesOf(seeds.subarray(first, first + length)));
    await this.#begin("reset", await this.#group.request("reset", requests));
  }

  async step(actions: Int32Array): Promise<void> {
    this.send(actions);
    await this.receive();
  }

  /** Hands the actions over; the environments run until {@link receive}. */
  send(actions: Int32Array): void {
    this.#requireStarted("step");
    this.#refuseActions(actions);
    this.#requireReceived("step");
    this.#actions.set(actions);
    this.#sent = this.#group.request("step", this.#requests);
    // An error waits to be received.
    this.#sent.catch(() => {});
  }

  /** Waits for the outcome of the actions that were sent; the arrays hold it then. */
  async receive(): Promise<void> {
    if (this.#sent === undefined) {
      throw new SoftrlError(this.#where, "receive came before send", { remedy: "send actions first" });
    }
    let replies: readonly Uint8Array[];
    try {
      replies = await this.#sent;
    } finally {
      this.#sent = undefined;
    }
    for (const [i, reply] of replies.entries()) {
      if (!this.#read(this.#rows[i], reply)) await this.#abandon("step", reply);
    }
  }

  /** Whether the reply was what one child's step has to say. */
  #read({ first, length }: Rows, reply: Uint8Array): boolean {
    const { rewards, episodeReturns, episodeLengths, episodeEnded, terminated, truncated } = this;
    const read = new ReplyReader(reply);
    for (const array of [rewards, episodeReturns, episodeLengths, episodeEnded, terminated, truncated]) {
      read.into(bytesOf(array.subarray(first, first + length)));
    }
    if (this.transport === "shared memory") return read.whole;
    read.into(this.#bytes(this.observations, first, length));
    for (let i = first; i < first + length; i++) {
      if (terminated[i] !== 0 || truncated[i] !== 0) read.into(this.#bytes(this.finalObservations, i, 1));
    }
    return read.whole;
  }

  #bytes(observations: Observations, first: number, length: number): Uint8Array {
    const row = observations.length / this.size;
    return bytesOf(observations.subarray(first * row, (first + length) * row));
  }

  async #screen(i: number): Promise<Picture> {
    this.#requireStarted("screen");
    this.#requireReceived("screen");
    if (!(Number.isInteger(i) && i >= 0 && i < this.size)) {
      throw new SoftrlError(`${this.#where} screen`, "no such environment", {
        expected: `an integer in [0, ${this.size - 1}]`,
        got: String(i),
      });
    }
    const requests = this.#rows.map(({ first, length }) =>
      bytesOf(Int32Array.of(i >= first && i < first + length ? i - first : -1)),
    );
    const reply = joined(await this.#group.request("screen", requests));
    // An environment that shows nothing is seen by what it observes.
    if (reply.length === 0) return picture(this, i);
    const size = new Uint32Array(2);
    const read = new ReplyReader(reply);
    read.into(bytesOf(size));
    const [width, height] = size;
    const pixels = new Uint8Array(Math.min(width * height * 3, reply.length));
    read.into(pixels);
    if (!read.whole || pixels.length === 0) await this.#abandon("screen", reply);
    return { width, height, pixels };
  }

  async save(): Promise<Snapshot | null> {
    this.#requireStarted("save");
    this.#requireReceived("save");
    const states = await this.#group.request(
      "save",
      this.#rows.map(() => new Uint8Array(0)),
    );
    if (states.some(({ length }) => length === 0)) return null;
    return { id: this.id, size: this.size, state: joined(states) };
  }

  /** A saved state may hold Python pickles, which can run code when read: restore only what you trust. */
  async restore(snapshot: Snapshot): Promise<void> {
    this.#requireReceived("restore");
    const { id, size, state } = snapshot;
    if (id !== this.id || size !== this.size || !(state instanceof Uint8Array)) {
      throw new SoftrlError(`${this.#where} restore`, "the snapshot does not fit", {
        expected: `a state of ${this.size} × ${this.id}`,
        got: `${state instanceof Uint8Array ? "a state" : "no state"} of ${String(size)} × ${String(id)}`,
        remedy: "restore only what the same environment, made with the same size, has saved",
      });
    }
    // One block an environment, so that another number of children can take it.
    const blocks = splitBlocks(state);
    if (blocks?.length !== this.size) {
      throw new SoftrlError(`${this.#where} restore`, "the saved state cannot be restored", {
        expected: `the states of ${this.size} environments`,
        got: blocks === null ? "a state that is cut short" : `those of ${blocks.length}`,
      });
    }
    const requests = this.#rows.map(({ first, length }) => joined(blocks.slice(first, first + length)));
    await this.#begin("restore", await this.#group.request("restore", requests));
  }

  close(): Promise<void> {
    return this.#group.close();
  }

  async #begin(operation: "reset" | "restore", replies: readonly Uint8Array[]): Promise<void> {
    for (const [i, reply] of replies.entries()) {
      const { first, length } = this.#rows[i];
      const read = new ReplyReader(reply);
      if (this.transport === "stdio") read.into(this.#bytes(this.observations, first, length));
      if (!read.whole) await this.#abandon(operation, reply);
    }
    for (const array of [this.rewards, this.episodeReturns, this.episodeLengths, this.episodeEnded]) {
      array.fill(0);
    }
    this.terminated.fill(0);
    this.truncated.fill(0);
    this.#started = true;
  }

  #abandon(operation: string, reply: Uint8Array): Promise<never> {
    return this.#group.abandon(
      new SoftrlError(this.#where, "the Python process broke the protocol", {
        expected: `a whole reply to ${operation}`,
        got: `${reply.length} bytes`,
      }),
    );
  }

  #requireStarted(operation: string): void {
    if (this.#started) return;
    throw new SoftrlError(this.#where, `${operation} came before reset`, {
      remedy: "reset the environment first",
    });
  }

  /** Between `send` and `receive` any other call would depend on how far the children have come. */
  #requireReceived(operation: Operation): void {
    if (this.#sent === undefined) return;
    throw new SoftrlError(this.#where, `${operation} was called during step`, {
      expected: "one call at a time",
      remedy: "await each call before the next",
    });
  }

  #refuseActions(actions: Int32Array): void {
    if (actions.length !== this.size) {
      throw new SoftrlError(`${this.#where} step`, "actions has the wrong length", {
        expected: String(this.size),
        got: String(actions.length),
      });
    }
    for (let i = 0; i < actions.length; i++) {
      if (!(actions[i] >= 0 && actions[i] < this.actionSpace.n)) {
        throw new SoftrlError(`${this.#where} step`, `environment ${i}: the action is out of range`, {
          expected: `0 to ${this.actionSpace.n - 1}`,
          got: String(actions[i]),
        });
      }
    }
  }
}
