import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  type SpawnOptions,
  spawn,
} from "node:child_process";
import { type ErrorDetails, isErrorCode, SoftrlError } from "softrl";
import { ERROR, FrameReader, frameHeader, type Operation, operations, REPLY } from "./frames.js";

/** The command that starts a bridge. */
export interface BridgeCommand {
  /** The interpreter and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The environment's name in error messages. */
  readonly where: string;
  /** The time limit for one answer. */
  readonly timeoutSeconds: number;
}

interface Pending {
  readonly operation: Operation;
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: SoftrlError) => void;
  timer: NodeJS.Timeout;
}

const STDERR_KEPT = 4096;
// After the exit the pipes may still hold output; a grandchild may keep them open forever.
const LAST_WORDS_MS = 500;
const GOODBYE_MS = 2000;
// If this process itself was busy beyond the limit, the answer is already in the pipe and must be read first.
const READING_MS = 200;

const living = new Set<ChildProcessWithoutNullStreams>();

const posix = process.platform !== "win32";

function killAll(): void {
  for (const child of living) kill(child);
}

/** Kills a child that has not exited, and all that it started; after an exit its watcher ends the rest of the group. */
function kill(child: ChildProcess): void {
  // Its number may be that of another group by now.
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (posix && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

const hasPipes = (child: ChildProcess): child is ChildProcessWithoutNullStreams =>
  child.stdin !== null && child.stdout !== null && child.stderr !== null;

function startChild(
  program: string,
  parameters: string[],
  options: SpawnOptions,
): ChildProcessWithoutNullStreams {
  const child = spawn(program, parameters, options);
  if (hasPipes(child)) return child;
  throw new SoftrlError("BridgeProcess", "the child has no pipes");
}

/**
 * A child process that answers one request at a time.
 *
 * Every failure (the child dies, hangs, sends garbage or refuses) becomes one SoftrlError. The pending request rejects
 * with it, and so does every later one. The error is reported after the child has exited.
 */
export class BridgeProcess {
  readonly #where: string;
  readonly #timeoutMs: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #gone: Promise<void>;
  #pending: Pending | undefined;
  #failure: SoftrlError | undefined;
  #closing: Promise<void> | undefined;
  #stderr = "";

  private constructor(
    { command: [program, ...parameters], where, timeoutSeconds }: BridgeCommand,
    descriptor: number | undefined,
  ) {
    this.#where = where;
    this.#timeoutMs = timeoutSeconds * 1000;
    const child = startChild(program, parameters, {
      stdio: ["pipe", "pipe", "pipe", ...(descriptor === undefined ? [] : [descriptor])],
      windowsHide: true,
      // A process group of its own, which holds whatever the environments start.
      detached: posix,
      // Iteration over sets of strings must have the same order in every run.
      env: { ...process.env, PYTHONHASHSEED: "0" },
    });
    this.#child = child;
    if (living.size === 0) process.on("exit", killAll);
    living.add(child);

    const reader = new FrameReader(where, (operation, payload) => this.#receive(operation, payload));
    child.stdout.on("data", (chunk: Uint8Array) => {
      if (this.#failure !== undefined) return;
      try {
        reader.push(chunk);
      } catch (error) {
        if (error instanceof SoftrlError) this.#fail(error);
        else throw error;
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    // A write to a dead child fails; its exit is reported instead.
    child.stdin.on("error", () => {});
    child.stdout.on("error", () => {});
    child.stderr.on("error", () => {});

    this.#gone = new Promise<void>((resolve) => {
      const settle = (what: string, details: ErrorDetails, cause?: unknown) => {
        living.delete(child);
        if (living.size === 0) process.off("exit", killAll);
        child.stdin.destroy();
        child.stdout.destroy();
        child.stderr.destroy();
        // Only the first failure counts: this exit may be its consequence.
        this.#fail(new SoftrlError(where, what, details, { cause }));
        resolve();
      };
      const died = (code: number | null, signal: NodeJS.Signals | null) => {
        const ending = signal === null ? `exit code ${code}` : `signal ${signal}`;
        const during =
          this.#pending === undefined ? "between two requests" : `during ${this.#pending.operation}`;
        settle(`the Python process ended ${during}`, {
          expected: "an answer",
          got: `${ending}${this.#lastWords()}`,
          remedy: "run the command again (in code: make a new environment)",
          code: "worker-lost",
        });
      };
      child.once("error", (error) => {
        if (child.pid !== undefined) return;
        const details = {
          got: `${program}: ${error.message}`,
          remedy: "name another interpreter, or run `softrl setup gymnasium`",
          code: "no-python",
        } as const;
        settle("Python cannot be started", details, error);
      });
      child.once("exit", (code, signal) => {
        const patience = setTimeout(() => died(code, signal), LAST_WORDS_MS);
        child.once("close", () => {
          clearTimeout(patience);
          died(code, signal);
        });
      });
    }).then(() => {
      const failure = this.#failure;
      const pending = this.#pending;
      if (pending === undefined || failure === undefined) return;
      this.#pending = undefined;
      clearTimeout(pending.timer);
      pending.reject(failure);
    });
  }

  /**
   * Starts the child and waits for its hello.
   * @param descriptor a file that the child gets as its descriptor 3.
   * @returns the process and the payload of its hello.
   */
  static async start(
    command: BridgeCommand,
    descriptor?: number,
  ): Promise<{ bridge: BridgeProcess; hello: Uint8Array }> {
    const bridge = new BridgeProcess(command, descriptor);
    const hello = await bridge.#expect("hello");
    return { bridge, hello };
  }

  /** The process id, or undefined if the process never started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends a request and waits for the reply. The payload must not change until then. */
  async request(operation: Operation, payload: Uint8Array): Promise<Uint8Array> {
    if (this.#failure !== undefined) {
      await this.#gone;
      throw this.#failure;
    }
    if (this.#pending !== undefined) {
      throw new SoftrlError(this.#where, `${operation} was called during ${this.#pending.operation}`, {
        expected: "one call at a time",
        remedy: "await each call before the next",
      });
    }
    const reply = this.#expect(operation);
    const { stdin } = this.#child;
    // The stream queues what the pipe cannot take. There is at most one pending request, so the queue is bounded.
    stdin.cork();
    stdin.write(frameHeader(operation, payload.byteLength));
    if (payload.byteLength > 0) stdin.write(payload);
    stdin.uncork();
    return reply;
  }

  /** Ends the child because of a failure elsewhere and waits for its exit; every request rejects with that failure. */
  async end(error: SoftrlError): Promise<void> {
    this.#fail(error);
    await this.#gone;
  }

  /** Ends the child and waits for its exit; safe to call twice and after a failure. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#failure === undefined) {
      const busy = this.#pending !== undefined;
      this.#failure = new SoftrlError(this.#where, "the environment is closed", { remedy: "make a new one" });
      this.#child.stdin.end();
      if (busy) kill(this.#child);
    }
    const impatience = setTimeout(() => kill(this.#child), GOODBYE_MS);
    await this.#gone;
    clearTimeout(impatience);
  }

  #expect(operation: Operation): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const late = () => {
        pending.timer = setTimeout(() => this.#timeOut(), READING_MS);
      };
      const pending: Pending = { operation, resolve, reject, timer: setTimeout(late, this.#timeoutMs) };
      this.#pending = pending;
    });
  }

  #timeOut(): void {
    if (this.#pending === undefined) return;
    this.#fail(
      new SoftrlError(this.#where, `the Python process hangs in ${this.#pending.operation}`, {
        expected: `an answer within ${this.#timeoutMs / 1000} s`,
        got: `none${this.#lastWords()}`,
        remedy: "it was killed; to allow more time, raise SOFTRL_TIMEOUT (seconds) or timeoutSeconds in code",
      }),
    );
  }

  #receive(operation: number, payload: Uint8Array): void {
    const pending = this.#pending;
    if (operation === ERROR) {
      this.#fail(this.#refusal(payload));
    } else if (pending === undefined || operation !== (operations[pending.operation] | REPLY)) {
      this.#fail(
        new SoftrlError(this.#where, "the Python process broke the protocol", {
          expected: pending === undefined ? "no frame" : `a reply to ${pending.operation}`,
          got: `a frame of operation ${operation}`,
        }),
      );
    } else {
      this.#pending = undefined;
      clearTimeout(pending.timer);
      pending.resolve(payload);
    }
  }

  #refusal(payload: Uint8Array): SoftrlError {
    let parts: unknown;
    try {
      parts = JSON.parse(new TextDecoder().decode(payload));
    } catch {
      parts = undefined;
    }
    const part = (name: string): string | undefined => {
      if (typeof parts !== "object" || parts === null) return undefined;
      const value = Object.entries(parts).find(([key]) => key === name)?.[1];
      return typeof value === "string" ? value : undefined;
    };
    const details: { -readonly [Name in keyof ErrorDetails]: ErrorDetails[Name] } = {};
    for (const name of ["expected", "got", "remedy"] as const) {
      const value = part(name);
      if (value !== undefined) details[name] = value;
    }
    const code = part("code");
    if (isErrorCode(code)) details.code = code;
    return new SoftrlError(
      this.#where,
      part("what") ?? "the Python process refused without giving a reason",
      details,
    );
  }

  /** Records the first failure and kills the child; the pending request rejects after the child's exit. */
  #fail(error: SoftrlError): void {
    this.#failure ??= error;
    if (living.has(this.#child)) kill(this.#child);
  }

  #lastWords(): string {
    const lines = this.#stderr
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    return lines.length === 0 ? "" : `, last line on stderr "${lines[lines.length - 1].slice(0, 200)}"`;
  }
}
