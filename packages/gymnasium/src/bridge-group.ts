import { SoftrlError } from "softrl";
import { type BridgeCommand, BridgeProcess } from "./bridge-process.js";
import type { Operation } from "./frames.js";

/** Several bridges that are asked together and fail together: the first failure ends them all and is the group's. */
export class BridgeGroup {
  readonly #where: string;
  readonly #bridges: readonly BridgeProcess[];
  #operation: Operation | undefined;
  #failure: SoftrlError | undefined;

  private constructor(where: string, bridges: readonly BridgeProcess[]) {
    this.#where = where;
    this.#bridges = bridges;
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

  /** Sends each child its payload and waits for all replies. The payloads must not change until then. */
  async request(operation: Operation, payloads: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    if (this.#operation !== undefined) {
      throw new SoftrlError(this.#where, `${operation} was called during ${this.#operation}`, {
        expected: "one call at a time",
        remedy: "await each call before the next",
      });
    }
    this.#operation = operation;
    const [only] = this.#bridges;
    try {
      if (this.#bridges.length === 1) return [await only.request(operation, payloads[0])];
      const replies = await Promise.allSettled(
        this.#bridges.map((bridge, i) =>
          bridge.request(operation, payloads[i]).catch(async (error: unknown) => {
            if (error instanceof SoftrlError) await this.#endAll(error);
            throw error;
          }),
        ),
      );
      return replies.map((reply) => {
        if (reply.status === "rejected") throw this.#failure ?? reply.reason;
        return reply.value;
      });
    } finally {
      this.#operation = undefined;
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
