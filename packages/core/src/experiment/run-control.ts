import { SoftrlError } from "../base/errors.js";
import { thrownText } from "../base/part-fault.js";
import type { WorkerCode, WorkerHandle, WorkerHost } from "../base/worker-host.js";
import type {
  ControlAnswers,
  ControlCommand,
  ControlCommandOf,
  ControlKind,
  ControlReply,
} from "./control-messages.js";
import { receivedError } from "./worker-messages.js";

interface Waiting {
  resolve(answer: ControlAnswers[ControlKind]): void;
  reject(error: unknown): void;
}

/**
 * A run in a worker, as the page that watches it has it.
 *
 * ```ts
 * const control = new RunControl(host, { module, entry: "train" });
 * const choice = { algorithm: "soft-q", environment: "CartPole-v1" };
 * await control.ask({ kind: "start", choice });
 * const { progress } = await control.ask({ kind: "run", steps: 20_000 });
 * ```
 */
export class RunControl {
  readonly #handle: WorkerHandle;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  /** The request that ends the worker, once it is sent. */
  #closing: number | null = null;
  /** Why the worker does not answer any more. */
  #ended: SoftrlError | null = null;

  /** @param code a module whose entry calls `serveControlledRun` */
  constructor(host: WorkerHost, code: WorkerCode, data: unknown = null) {
    this.#handle = host.start(code, data, {
      message: (message) => this.#received(message as ControlReply),
      ended: (cause) => this.#end(`the worker has ended: ${thrownText(cause)}`, cause),
    });
  }

  /**
   * Sends a command. The answer to `close` is the last one: what waits then, or is asked later, is rejected.
   * @returns its answer
   * @throws SoftrlError where the command cannot be carried out, or the worker has ended.
   */
  ask<Kind extends ControlKind>(
    command: ControlCommandOf<Kind> & { readonly kind: Kind },
  ): Promise<ControlAnswers[Kind]> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = this.#asked++;
    return new Promise<ControlAnswers[Kind]>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as ControlAnswers[Kind]), reject });
      const sent: ControlCommand = command;
      if (sent.kind === "close") this.#closing ??= id;
      this.#handle.post({ id, command: sent });
    });
  }

  /** Ends the worker as it is; what is not answered yet is rejected. */
  async stop(): Promise<void> {
    this.#end("the run was stopped");
    await this.#handle.stop();
  }

  #received(reply: ControlReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(receivedError("RunControl", reply.error));
    else waiting?.resolve(reply.answer);
    // Not left to the host: a browser does not report a worker that closes itself.
    if (reply.id === this.#closing) this.#end("the run was closed");
  }

  #end(what: string, cause?: unknown): void {
    this.#ended ??= new SoftrlError("RunControl", what, { code: "worker-lost" }, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
