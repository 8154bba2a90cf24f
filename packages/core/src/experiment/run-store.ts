import { isOfProcess, type RunEvent } from "./run-event.js";

/** The policies that a run with `evaluateEvery` keeps: of the best evaluation, and of the newest. */
export type KeptPolicy = "best" | "last";

/**
 * Where the pieces of a run's state are kept that are too large for its checkpoint: those of a replay.
 *
 * A checkpoint names its pieces. They are written before it and read when a run continues from it.
 */
export interface PieceStore {
  /** Keeps a piece, as a whole; once it is kept, it survives whatever happens next. The same name has the same bytes. */
  write(name: string, bytes: Uint8Array): void | Promise<void>;
  /** A piece that was kept, null where there is none. @param bytes how many it had */
  read(name: string, bytes: number): Uint8Array | null | Promise<Uint8Array | null>;
  /** Removes all pieces but these, which the newest checkpoint names. */
  keepOnly(names: readonly string[]): void | Promise<void>;
  /** What errors call a piece, for instance its path. */
  placeOf?(name: string): string;
  /** What errors advise where a piece is missing or damaged. */
  readonly remedy?: string | undefined;
}

/**
 * The port through which a run is kept: a folder, a browser's storage, or memory.
 *
 * The number `events` in a checkpoint is how many events of the training ({@link isOfProcess} says which are) belong to
 * it, its own included. A store that is to continue from a checkpoint drops what comes after them, and appends the
 * checkpoint's own event if a kill came before it.
 */
export interface RunStore {
  /** Adds an event; what was added survives whatever happens next. */
  append(event: RunEvent): void | Promise<void>;
  /** Replaces the checkpoint as a whole: afterwards there is the old one or the new one, never a half. */
  writeCheckpoint(bytes: Uint8Array): void | Promise<void>;
  /** Replaces a kept policy as a whole; `loadPolicy` reads the bytes. */
  writePolicy(which: KeptPolicy, bytes: Uint8Array): void | Promise<void>;
  /** For algorithms with a replay; others need none. */
  readonly pieces?: PieceStore;
}

/** Pieces kept in memory, by name. */
export class MemoryPieceStore implements PieceStore {
  readonly kept = new Map<string, Uint8Array>();

  write(name: string, bytes: Uint8Array): void {
    this.kept.set(name, bytes.slice());
  }

  read(name: string): Uint8Array | null {
    return this.kept.get(name) ?? null;
  }

  keepOnly(names: readonly string[]): void {
    for (const name of this.kept.keys()) if (!names.includes(name)) this.kept.delete(name);
  }
}

/** A run kept in memory: for browsers and for tests. */
export class MemoryRunStore implements RunStore {
  readonly events: RunEvent[] = [];
  /** The newest checkpoint, or null before the first. */
  checkpoint: Uint8Array | null = null;
  /** The kept policies; null before the first evaluation. */
  readonly policies: Record<KeptPolicy, Uint8Array | null> = { best: null, last: null };
  readonly pieces = new MemoryPieceStore();

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

/** Counts the events of the training, and passes everything on to a store; to none where nobody reads the run. */
export class CountingStore implements RunStore {
  readonly #store: RunStore | undefined;
  /** How many there are, those before a restore included. */
  events = 0;

  constructor(store: RunStore | undefined) {
    this.#store = store;
  }

  /** Whether anything is kept. */
  get keeps(): boolean {
    return this.#store !== undefined;
  }

  append(event: RunEvent): void | Promise<void> {
    const pending = this.#store?.append(event);
    if (!isOfProcess(event.event)) this.events++;
    return pending;
  }

  writeCheckpoint(bytes: Uint8Array): void | Promise<void> {
    return this.#store?.writeCheckpoint(bytes);
  }

  writePolicy(which: KeptPolicy, bytes: Uint8Array): void | Promise<void> {
    return this.#store?.writePolicy(which, bytes);
  }
}
