import type { RunEvent } from "./run-event.js";

/** The policies that a run with `evaluateEvery` keeps: of the best evaluation, and of the newest. */
export type KeptPolicy = "best" | "last";

/** The port through which a run is kept: a folder, a browser's storage, or memory. */
export interface RunStore {
  /** Adds an event; what was added survives whatever happens next. */
  append(event: RunEvent): void | Promise<void>;
  /** Replaces the checkpoint as a whole: afterwards there is the old one or the new one, never a half. */
  writeCheckpoint(bytes: Uint8Array): void | Promise<void>;
  /** Replaces a kept policy as a whole; `loadPolicy` reads the bytes. */
  writePolicy(which: KeptPolicy, bytes: Uint8Array): void | Promise<void>;
}

/** A run kept in memory: for browsers and for tests. */
export class MemoryRunStore implements RunStore {
  readonly events: RunEvent[] = [];
  /** The newest checkpoint, or null before the first. */
  checkpoint: Uint8Array | null = null;
  /** The kept policies; null before the first evaluation. */
  readonly policies: Record<KeptPolicy, Uint8Array | null> = { best: null, last: null };

  append(event: RunEvent): void {
    this.events.push(event);
  }

  writeCheckpoint(bytes: Uint8Array): void {
    this.checkpoint = bytes.slice();
  }

  writePolicy(which: KeptPolicy, bytes: Uint8Array): void {
    this.policies[which] = bytes.slice();
  }
}
