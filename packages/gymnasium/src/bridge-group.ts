import { SoftrlError } from "softrl";
import { type BridgeCommand, BridgeProcess } from "./bridge-process.js";
import type { Operation } from "./frames.js";

/** Several bridges that are asked together and fail together: the first failure ends them all and is the group's. */
export class BridgeGroup {
  readonly #where: string;
  readonly #bridges: readonly BridgeProcess[];
  /** What each child is taken for at present. */
  readonly #claims: (Operation | undefined)[];
  #failure: SoftrlError | undefined;

  private constructor(where: string, bridges: readonly BridgeProcess[]) {
    this.#where = where;
    this.#bridges = bridges;
    this.#claims = bridges.map(() => undefined);
  }

  /**
   * Starts `count` children and waits for their hellos.
   * @param descriptor a file that each child finds as its descriptor 3.
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
   * Takes `count` children from `first` on for an operation, until they are released: nothing else may be asked of them.
   * @throws SoftrlError while one of them is taken.
   */
  claim(operation: Operation, first: number, count: number): void {
    this.requireFree(operation, first, count);
    this.#claims.fill(operation, first, first + count);
  }

  /** @throws SoftrlError while one of these children is taken. */
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

  /** Takes all children, sends each its payload, waits for all replies, and releases them. */
  async request(operation: Operation, payloads: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    this.claim(operation, 0, this.size);
    try {
      return await this.requestClaimed(operation, payloads, 0);
    } finally {
      this.release(0, this.size);
    }
  }

  /** The same with children that are taken: those from `first` on. The payloads must not change until the replies. */
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

  /** Ends the children because of what one answered; that is the failure from now on. */
  async abandon(error: SoftrlError): Promise<never> {
    await this.#endAll(error);
    throw this.#failure ?? error;
  }

  /** Ends the children and waits until they are gone; safe to call twice and after a failure. */
  async close(): Promise<void> {
    await Promise.all(this.#bridges.map((bridge) => bridge.close()));
  }

  async #endAll(error: SoftrlError): Promise<void> {
    this.#failure ??= error;
    const failure = this.#failure;
    await Promise.all(this.#bridges.map((bridge) => bridge.end(failure)));
  }
}
