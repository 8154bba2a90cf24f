import {
  type EnvironmentRows,
  flagsBetween,
  type Observations,
  SoftrlError,
  type Terminated,
  type Truncated,
  terminatedFlags,
  truncatedFlags,
} from "softrl";
import type { BridgeGroup } from "./bridge-group.js";
import { bytesOf, ReplyReader } from "./bytes.js";
import type { BridgeTransport } from "./config.js";

/** The environments of one child: `length` of them, starting at `first`. */
export interface ChildShare {
  readonly first: number;
  readonly length: number;
}

/** The state that all rows of one bridge share. */
export interface Bridge {
  readonly id: string;
  readonly where: string;
  readonly group: BridgeGroup;
  /** How the children pass observations to this process. */
  readonly transport: BridgeTransport;
  /** A */
  readonly actions: number;
  /** Whether the environments have been reset. */
  started: boolean;
}

/** The indices, within the whole bridge, of the first environment of some rows and of the first child. */
export interface FirstOfRows {
  readonly environment: number;
  readonly child: number;
}

/** The arrays of S environments, as in {@link EnvironmentRows}. */
export type RowArrays = Omit<EnvironmentRows, "id" | "size" | "step">;

/** Makes the arrays of S environments around existing observations. */
export function rowArrays(
  size: number,
  observations: Observations,
  finalObservations: Observations,
): RowArrays {
  return {
    observations,
    finalObservations,
    rewards: new Float64Array(size),
    episodeReturns: new Float64Array(size),
    episodeLengths: new Int32Array(size),
    episodeEnded: new Uint8Array(size),
    terminated: terminatedFlags(size),
    truncated: truncatedFlags(size),
  };
}

/** Views of `length` environments, starting at `first`, out of `size`. */
export function partOf(arrays: RowArrays, size: number, first: number, length: number): RowArrays {
  const end = first + length;
  const row = arrays.observations.length / size;
  return {
    observations: arrays.observations.subarray(first * row, end * row),
    finalObservations: arrays.finalObservations.subarray(first * row, end * row),
    rewards: arrays.rewards.subarray(first, end),
    episodeReturns: arrays.episodeReturns.subarray(first, end),
    episodeLengths: arrays.episodeLengths.subarray(first, end),
    episodeEnded: arrays.episodeEnded.subarray(first, end),
    terminated: flagsBetween(arrays.terminated, first, end),
    truncated: flagsBetween(arrays.truncated, first, end),
  };
}

/**
 * The environments of some of the children, stepped together.
 *
 * `step` is `send` followed by `receive`. Between the two, the environments run while this process continues; results
 * are the same. `observations` and `finalObservations` may change as soon as `send` is called.
 */
export class BridgedRows implements EnvironmentRows {
  readonly id: string;
  readonly size: number;
  readonly observations: Observations;
  readonly finalObservations: Observations;
  readonly rewards: Float64Array;
  readonly episodeReturns: Float64Array;
  readonly episodeLengths: Int32Array;
  readonly episodeEnded: Uint8Array;
  readonly terminated: Terminated;
  readonly truncated: Truncated;
  protected readonly bridge: Bridge;
  /** The environments of each child, relative to the first of these rows. */
  protected readonly shares: readonly ChildShare[];
  readonly #first: FirstOfRows;
  readonly #actions: Int32Array;
  readonly #requests: readonly Uint8Array[];
  #sent: Promise<readonly Uint8Array[]> | undefined;

  constructor(bridge: Bridge, arrays: RowArrays, shares: readonly ChildShare[], first: FirstOfRows) {
    this.bridge = bridge;
    this.shares = shares;
    this.#first = first;
    this.id = bridge.id;
    this.size = shares.reduce((sum, { length }) => sum + length, 0);
    this.observations = arrays.observations;
    this.finalObservations = arrays.finalObservations;
    this.rewards = arrays.rewards;
    this.episodeReturns = arrays.episodeReturns;
    this.episodeLengths = arrays.episodeLengths;
    this.episodeEnded = arrays.episodeEnded;
    this.terminated = arrays.terminated;
    this.truncated = arrays.truncated;
    this.#actions = new Int32Array(this.size);
    this.#requests = shares.map(({ first, length }) =>
      bytesOf(this.#actions.subarray(first, first + length)),
    );
  }

  step(actions: Int32Array): Promise<void> {
    const stepping = this.#step(actions);
    // If two parts fail together, the caller may only await the first; the second must not count as unhandled.
    stepping.catch(() => {});
    return stepping;
  }

  async #step(actions: Int32Array): Promise<void> {
    this.send(actions);
    await this.receive();
  }

  /** Sends the actions and returns; the environments run until {@link receive}. */
  send(actions: Int32Array): void {
    const { group } = this.bridge;
    this.requireStarted("step");
    this.#refuseActions(actions);
    group.claim("step", this.#first.child, this.shares.length);
    this.#actions.set(actions);
    this.#sent = group.requestClaimed("step", this.#requests, this.#first.child);
    // receive reports the error.
    this.#sent.catch(() => {});
  }

  /** Waits for the outcome of the actions that were sent and writes it to the arrays. */
  async receive(): Promise<void> {
    const { where, group } = this.bridge;
    if (this.#sent === undefined) {
      throw new SoftrlError(where, "receive came before send", { remedy: "send actions first" });
    }
    let replies: readonly Uint8Array[];
    try {
      replies = await this.#sent;
    } finally {
      this.#sent = undefined;
      group.release(this.#first.child, this.shares.length);
    }
    for (const [i, reply] of replies.entries()) {
      if (!this.#read(this.shares[i], reply)) await this.abandon("step", reply);
    }
  }

  /** Reads one child's reply to a step; returns whether it was complete. */
  #read({ first, length }: ChildShare, reply: Uint8Array): boolean {
    const { rewards, episodeReturns, episodeLengths, episodeEnded, terminated, truncated } = this;
    const read = new ReplyReader(reply);
    for (const array of [rewards, episodeReturns, episodeLengths, episodeEnded, terminated, truncated]) {
      read.into(bytesOf(array.subarray(first, first + length)));
    }
    if (this.bridge.transport === "shared memory") return read.whole;
    read.into(this.observedBytes(this.observations, first, length));
    for (let i = first; i < first + length; i++) {
      if (terminated[i] !== 0 || truncated[i] !== 0) {
        read.into(this.observedBytes(this.finalObservations, i, 1));
      }
    }
    return read.whole;
  }

  /** The bytes of the observations of `length` environments, starting at `first`. */
  protected observedBytes(observations: Observations, first: number, length: number): Uint8Array {
    const row = observations.length / this.size;
    return bytesOf(observations.subarray(first * row, (first + length) * row));
  }

  /** Ends the children because of an invalid reply. */
  protected abandon(operation: string, reply: Uint8Array): Promise<never> {
    return this.bridge.group.abandon(
      new SoftrlError(this.bridge.where, "the Python process broke the protocol", {
        expected: `a complete reply to ${operation}`,
        got: `${reply.length} bytes`,
      }),
    );
  }

  protected requireStarted(operation: string): void {
    if (this.bridge.started) return;
    throw new SoftrlError(this.bridge.where, `${operation} came before reset`, {
      remedy: "reset the environment first",
    });
  }

  #refuseActions(actions: Int32Array): void {
    const where = `${this.bridge.where} step`;
    if (actions.length !== this.size) {
      throw new SoftrlError(where, "actions has the wrong length", {
        expected: String(this.size),
        got: String(actions.length),
      });
    }
    for (let i = 0; i < actions.length; i++) {
      if (!(actions[i] >= 0 && actions[i] < this.bridge.actions)) {
        throw new SoftrlError(
          where,
          `environment ${this.#first.environment + i}: the action is out of range`,
          {
            expected: `0 to ${this.bridge.actions - 1}`,
            got: String(actions[i]),
          },
        );
      }
    }
  }
}
