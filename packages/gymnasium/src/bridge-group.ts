import { SoftrlError } from "softrl";
import { type BridgeCommand, BridgeProcess } from "./bridge-process.js";
import type { Operation } from "./frames.js";

/** Several bridges that receive requests together. The first failure ends all of them and becomes the group's error. */
export class BridgeGroup {
  readonly #where: string;
  readonly #bridges: readonly BridgeProcess[];
  /** The operation that has claimed each child, if any. */
  readonly #claims: (Operation | undefined)[];
  #failure: SoftrlError | undefined;

  private constructor(where: string, bridges: readonly BridgeProcess[]) {
    this.#where = where;
    this.#bridges = bridges;
    this.#claims = bridges.map(() => undefined);
  }

  /**
   * Starts `count` children and waits for the hello of each.
   * @param descriptor a file that each child gets as its descriptor 3.
   */
  static async start(
    command: BridgeCommand,
    count: number,
    descriptor?: number,
  ): Promise<{ group: BridgeGroup; hello: Uint8Array }> {
    const starting = Array.from({ length: count }, () => BridgeProcess.start(command, descriptor));
    const started = await Promise.allSettled(starting);
    const bridges = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const failed = started.find((one) => one.status === "rejected");
    if (failed !== undefined) {
      await Promise.all(bridges.map(({ bridge }) => bridge.close()));
      throw failed.reason;
    }
    const group = new BridgeGroup(
      command.where,
      bridges.map(({ bridge }) => bridge),
    );
    return { group, hello: bridges[0].hello };
  }

  get size(): number {
    return this.#bridges.length;
  }

  /** The children's process ids. */
  get pids(): readonly number[] {
    return this.#bridges.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /**
   * Claims `count` children, starting at `first`, for an operation. Until they are released, no other may use them.
   * @throws SoftrlError if one of them is already claimed.
   */
  claim(operation: Operation, first: number, count: number): void {
    this.requireFree(operation, first, count);
    this.#claims.fill(operation, first, first + count);
  }

  /** @throws SoftrlError if one of these children is claimed. */
  requireFree(operation: Operation, first = 0, count = this.size): void {
    const taken = this.#claims.slice(first, first + count).find((one) => one !== undefined);
    if (taken === undefined) return;
    throw new SoftrlError(this.#where, `${operation} was called during ${taken}`, {
      expected: "one call at a time",
      remedy: "await each call before the next",
    });
  }

  release(first: number, count: number): void {
    this.#claims.fill(undefined, first, first + count);
  }

  /** Claims all children, sends each its payload, waits for all replies, and releases them. */
  async request(operation: Operation, payloads: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    this.claim(operation, 0, this.size);
    try {
      return await this.requestClaimed(operation, payloads, 0);
    } finally {
      this.release(0, this.size);
    }
  }

  /** Sends payloads to claimed children, starting at `first`. The payloads must not change until the replies come. */
  async requestClaimed(
    operation: Operation,
    payloads: readonly Uint8Array[],
    first: number,
  ): Promise<readonly Uint8Array[]> {
    const replies = await Promise.allSettled(
      payloads.map((payload, i) => this.#ask(this.#bridges[first + i], operation, payload)),
    );
    return replies.map((reply) => {
      if (reply.status === "rejected") throw this.#failure ?? reply.reason;
      return reply.value;
    });
  }

  async #ask(bridge: BridgeProcess, operation: Operation, payload: Uint8Array): Promise<Uint8Array> {
    try {
      return await bridge.request(operation, payload);
    } catch (error) {
      if (error instanceof SoftrlError) await this.#endAll(error);
      throw error;
    }
  }

  /** Ends all children because of an invalid answer; every later call fails with this error. */
  async abandon(error: SoftrlError): Promise<never> {
    await this.#endAll(error);
    throw this.#failure ?? error;
  }

  /** Ends all children and waits until they have exited; safe to call twice and after a failure. */
  async close(): Promise<void> {
    await Promise.all(this.#bridges.map((bridge) => bridge.close()));
  }

  async #endAll(error: SoftrlError): Promise<void> {
    this.#failure ??= error;
    const failure = this.#failure;
    await Promise.all(this.#bridges.map((bridge) => bridge.end(failure)));
  }
}
