import { fileURLToPath } from "node:url";
import {
  type Box,
  type Discrete,
  type Observations,
  observationLength,
  type RandomStreams,
  type Snapshot,
  SoftrlError,
  type Terminated,
  type Truncated,
  terminatedFlags,
  truncatedFlags,
  type VectorEnvironment,
} from "softrl";
import { type BridgeCommand, BridgeProcess } from "./bridge-process.js";
import { type GymnasiumVersions, readHello, readSpaces } from "./handshake.js";
import { findPython, isAtari } from "./python.js";

/** What Gymnasium's `make` takes by name: JSON scalars. */
export type GymnasiumOptions = Readonly<Record<string, string | number | boolean | null>>;

export interface GymnasiumConfig {
  /** A registered Gymnasium id, for instance `ALE/Pong-v5`, or `my_module:MyGame-v0` for one of your own. */
  readonly id: string;
  /** The number of environments S. */
  readonly size: number;
  /** Atari: true clips rewards to [-1, 1] and ends episodes at a lost life; false plays whole games in raw score. */
  readonly training: boolean;
  /** The interpreter; found by {@link findPython} when left out. */
  readonly python?: string;
  /** Passed to `gymnasium.make`, for instance `{ is_slippery: false }`. */
  readonly options?: GymnasiumOptions;
  /** How long one answer may take; by default SOFTRL_TIMEOUT, else 60. */
  readonly timeoutSeconds?: number;
}

/** setTimeout cannot wait longer than 2³¹ − 1 ms. */
const LONGEST_TIMEOUT = 2147483;

const bridgeScript = fileURLToPath(new URL("../python/bridge.py", import.meta.url));

/**
 * S Gymnasium environments in one Python child process.
 *
 * Environment i is seeded by the first number of `streams.stream("environment", i)`. `close()` ends the child; so do
 * the end of this process, however it comes, and any error.
 *
 * @throws SoftrlError when no Python has Gymnasium, the id is unknown, or a space is not supported.
 */
export async function createGymnasiumEnvironment(config: GymnasiumConfig): Promise<GymnasiumEnvironment> {
  const { timeoutSeconds = timeoutVariable() ?? 60 } = config;
  validateConfig(config, timeoutSeconds);
  const python = await findPython({ python: config.python, id: config.id });
  return connectEnvironment(config, {
    command: [python.path, "-u", bridgeScript],
    where: `gymnasium ${config.id}`,
    timeoutSeconds,
  });
}

/** How long the environment variable SOFTRL_TIMEOUT says that one answer may take. */
function timeoutVariable(): number | undefined {
  const text = process.env.SOFTRL_TIMEOUT;
  if (text === undefined || text === "") return undefined;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT) return seconds;
  throw new SoftrlError("SOFTRL_TIMEOUT", "not a valid value", {
    expected: `a number of seconds in (0, ${LONGEST_TIMEOUT}]`,
    got: JSON.stringify(text),
  });
}

/** {@link createGymnasiumEnvironment} with the command that starts the child: for a child that is not Python. */
export async function connectEnvironment(
  { id, size, training, options = {} }: GymnasiumConfig,
  command: BridgeCommand,
): Promise<GymnasiumEnvironment> {
  const { bridge, hello } = await BridgeProcess.start(command);
  try {
    const versions = readHello(command.where, hello);
    const request = new TextEncoder().encode(
      JSON.stringify({ id, size, training, options, atari: isAtari(id) }),
    );
    const spaces = readSpaces(command.where, await bridge.request("make", request));
    return new GymnasiumEnvironment({ id, size, versions, ...spaces }, bridge, command.where);
  } catch (error) {
    await bridge.close();
    throw error;
  }
}

interface Made {
  readonly id: string;
  readonly size: number;
  readonly versions: GymnasiumVersions;
  readonly observationSpace: Box;
  readonly actionSpace: Discrete;
}

/** Made by {@link createGymnasiumEnvironment}. */
export class GymnasiumEnvironment implements VectorEnvironment {
  readonly id: string;
  readonly size: number;
  readonly versions: GymnasiumVersions;
  readonly observationSpace: Box;
  readonly actionSpace: Discrete;
  readonly observations: Observations;
  readonly finalObservations: Observations;
  readonly rewards: Float64Array;
  readonly episodeReturns: Float64Array;
  readonly episodeLengths: Int32Array;
  readonly episodeEnded: Uint8Array;
  readonly terminated: Terminated;
  readonly truncated: Truncated;
  readonly #bridge: BridgeProcess;
  readonly #where: string;
  readonly #actions: Int32Array;
  #started = false;

  constructor(
    { id, size, versions, observationSpace, actionSpace }: Made,
    bridge: BridgeProcess,
    where: string,
  ) {
    this.id = id;
    this.size = size;
    this.versions = versions;
    this.observationSpace = observationSpace;
    this.actionSpace = actionSpace;
    this.#bridge = bridge;
    this.#where = where;
    const length = size * observationLength(observationSpace);
    const ObservationArray = observationSpace.dtype === "uint8" ? Uint8Array : Float32Array;
    this.observations = new ObservationArray(length);
    this.finalObservations = new ObservationArray(length);
    this.rewards = new Float64Array(size);
    this.episodeReturns = new Float64Array(size);
    this.episodeLengths = new Int32Array(size);
    this.episodeEnded = new Uint8Array(size);
    this.terminated = terminatedFlags(size);
    this.truncated = truncatedFlags(size);
    this.#actions = new Int32Array(size);
  }

  /** The child's process id. */
  get pid(): number | undefined {
    return this.#bridge.pid;
  }

  async reset(streams: RandomStreams): Promise<void> {
    const seeds = Uint32Array.from({ length: this.size }, (_, i) =>
      streams.stream("environment", i).uint32(),
    );
    await this.#begin("reset", await this.#bridge.request("reset", bytesOf(seeds)));
  }

  async step(actions: Int32Array): Promise<void> {
    this.#requireStarted("step");
    this.#refuseActions(actions);
    this.#actions.set(actions);
    const reply = await this.#bridge.request("step", bytesOf(this.#actions));
    const { rewards, episodeReturns, episodeLengths, episodeEnded, terminated, truncated } = this;
    const read = new ReplyReader(reply);
    for (const array of [rewards, episodeReturns, episodeLengths, episodeEnded, terminated, truncated]) {
      read.into(bytesOf(array));
    }
    read.into(bytesOf(this.observations));
    const finals = bytesOf(this.finalObservations);
    const row = finals.length / this.size;
    for (let i = 0; i < this.size; i++) {
      if (terminated[i] === 0 && truncated[i] === 0) continue;
      read.into(finals.subarray(i * row, (i + 1) * row));
    }
    if (!read.whole) await this.#abandon("step", reply);
  }

  async save(): Promise<Snapshot | null> {
    this.#requireStarted("save");
    const state = await this.#bridge.request("save", new Uint8Array(0));
    return state.length === 0 ? null : { id: this.id, size: this.size, state };
  }

  /** A saved state may hold Python pickles, which can run code when read: restore only what you trust. */
  async restore(snapshot: Snapshot): Promise<void> {
    const { id, size, state } = snapshot;
    if (id !== this.id || size !== this.size || !(state instanceof Uint8Array)) {
      throw new SoftrlError(`${this.#where} restore`, "the snapshot does not fit", {
        expected: `a state of ${this.size} × ${this.id}`,
        got: `${state instanceof Uint8Array ? "a state" : "no state"} of ${String(size)} × ${String(id)}`,
        remedy: "restore only what the same environment, made with the same size, has saved",
      });
    }
    await this.#begin("restore", await this.#bridge.request("restore", state));
  }

  close(): Promise<void> {
    return this.#bridge.close();
  }

  async #begin(operation: "reset" | "restore", reply: Uint8Array): Promise<void> {
    const read = new ReplyReader(reply);
    read.into(bytesOf(this.observations));
    if (!read.whole) await this.#abandon(operation, reply);
    for (const array of [this.rewards, this.episodeReturns, this.episodeLengths, this.episodeEnded]) {
      array.fill(0);
    }
    this.terminated.fill(0);
    this.truncated.fill(0);
    this.#started = true;
  }

  #abandon(operation: string, reply: Uint8Array): Promise<never> {
    return this.#bridge.abandon(
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

/** Hands a reply out piece by piece. */
class ReplyReader {
  #rest: Uint8Array | undefined;

  constructor(reply: Uint8Array) {
    this.#rest = reply;
  }

  /** Whether every piece was there and nothing is left. */
  get whole(): boolean {
    return this.#rest?.length === 0;
  }

  into(target: Uint8Array): void {
    const rest = this.#rest;
    if (rest !== undefined && rest.length >= target.length) target.set(rest.subarray(0, target.length));
    this.#rest =
      rest !== undefined && rest.length >= target.length ? rest.subarray(target.length) : undefined;
  }
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function validateConfig({ id, size, training, options }: GymnasiumConfig, timeoutSeconds: number): void {
  const refuse = (name: string, expected: string, got: unknown): never => {
    throw new SoftrlError("createGymnasiumEnvironment", `${name} is not valid`, {
      expected,
      got: typeof got === "string" ? `"${got}"` : String(got),
    });
  };
  if (typeof id !== "string" || id === "") refuse("id", "a Gymnasium id such as ALE/Pong-v5", id);
  if (!(Number.isSafeInteger(size) && size >= 1)) refuse("size", "an integer of at least 1", size);
  if (typeof training !== "boolean") refuse("training", "true or false", training);
  if (!(timeoutSeconds > 0 && timeoutSeconds <= LONGEST_TIMEOUT)) {
    refuse("timeoutSeconds", `a number in (0, ${LONGEST_TIMEOUT}]`, timeoutSeconds);
  }
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value !== null && !["string", "number", "boolean"].includes(typeof value)) {
      refuse(`option ${name}`, "a string, a number, true, false or null", value);
    }
    if (typeof value === "number" && !Number.isFinite(value))
      refuse(`option ${name}`, "a finite number", value);
  }
}
