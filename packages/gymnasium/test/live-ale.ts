import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AtariEmulator } from "softrl";

/** The outcome of one step of AtariVectorEnv. */
export interface VectorStep {
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  /** [4, 84, 84] */
  readonly observation: Uint8Array;
  /** [4, 84, 84]: the last observation of the episode if the step ended it. */
  readonly final: Uint8Array;
}

const OUTCOME_BYTES = 9;
const OBSERVATION_BYTES = 4 * 84 * 84;

/** The real ALE as an {@link AtariEmulator}: a Python child behind named pipes, called synchronously. */
export class LiveAle implements AtariEmulator {
  readonly width = 160;
  readonly height = 210;
  readonly minimalActions: readonly number[];
  /** All seeds passed to {@link reset}. */
  readonly seeds: number[] = [];
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #requests: number;
  readonly #replies: number;
  #lives = 0;
  #over = false;

  /** @param game the game's name in ale-py, for instance `space_invaders`. */
  constructor(python: string, game: string) {
    this.#folder = mkdtempSync(join(tmpdir(), "softrl-ale-"));
    const [requests, replies] = ["requests", "replies"].map((name) => join(this.#folder, name));
    execFileSync("mkfifo", [requests, replies]);
    const script = fileURLToPath(new URL("live_ale.py", import.meta.url));
    this.#child = spawn(python, [script, game, requests, replies], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#requests = openSync(requests, "w");
    this.#replies = openSync(replies, "r");
    this.minimalActions = Array.from(this.#ask("m"));
  }

  reset(seed = -1): void {
    if (seed !== -1) this.seeds.push(seed);
    this.#outcome(this.#ask("r", seed));
  }

  act(action: number): number {
    return this.#outcome(this.#ask("a", action));
  }

  lives(): number {
    return this.#lives;
  }

  gameOver(): boolean {
    return this.#over;
  }

  screenGrayInto(gray: Uint8Array): void {
    gray.set(this.#ask("g"));
  }

  screenRgbInto(rgb: Uint8Array): void {
    rgb.set(this.#ask("c"));
  }

  save(): Uint8Array {
    return this.#ask("s").slice();
  }

  restore(state: Uint8Array): void {
    this.#outcome(this.#ask("l", state.length, Buffer.from(state)));
  }

  /** Resets AtariVectorEnv; returns its observation [4, 84, 84]. */
  resetVector(seed: number): Uint8Array {
    return this.#ask("V", seed);
  }

  stepVector(action: number): VectorStep {
    const reply = this.#ask("v", action);
    const view = new DataView(reply.buffer, reply.byteOffset);
    return {
      reward: view.getFloat32(0, true),
      terminated: view.getUint8(4) === 1,
      truncated: view.getUint8(5) === 1,
      observation: reply.subarray(6, 6 + OBSERVATION_BYTES),
      final: reply.subarray(6 + OBSERVATION_BYTES),
    };
  }

  /** A random picture [210, 160] and OpenCV's shrunk version [84, 84]. */
  resized(seed: number): { picture: Uint8Array; shrunk: Uint8Array } {
    const reply = this.#ask("z", seed);
    return { picture: reply.subarray(0, 210 * 160), shrunk: reply.subarray(210 * 160) };
  }

  close(): void {
    closeSync(this.#requests);
    closeSync(this.#replies);
    this.#child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #outcome(reply: Uint8Array): number {
    if (reply.length !== OUTCOME_BYTES) throw new Error(`an outcome of ${reply.length} bytes`);
    const view = new DataView(reply.buffer, reply.byteOffset);
    this.#lives = view.getInt32(4, true);
    this.#over = view.getUint8(8) === 1;
    return view.getInt32(0, true);
  }

  #ask(operation: string, argument = 0, payload = Buffer.alloc(0)): Uint8Array {
    const request = Buffer.alloc(5 + payload.length);
    request.write(operation, "latin1");
    request.writeInt32LE(argument, 1);
    request.set(payload, 5);
    for (let at = 0; at < request.length; ) at += writeSync(this.#requests, request, at);
    return this.#read(this.#read(4).readUInt32LE());
  }

  #read(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const got = readSync(this.#replies, bytes, at, length - at, null);
      if (got === 0) throw new Error("the child with ALE has ended");
      at += got;
    }
    return bytes;
  }
}
