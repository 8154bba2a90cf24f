import type { KeptPolicy, PieceStore, RunEvent, RunStore } from "softrl";

/** A store that opens when the first event comes: a run that never starts leaves nothing behind. */
export class LateStore<Store extends RunStore & { readonly pieces: PieceStore }> implements RunStore {
  readonly pieces: PieceStore = {
    write: (name, bytes) => this.store.pieces.write(name, bytes),
    read: (name, bytes) => this.store.pieces.read(name, bytes),
    keepOnly: (names) => this.store.pieces.keepOnly(names),
    placeOf: (name) => this.store.pieces.placeOf?.(name) ?? name,
  };
  readonly #open: () => Store;
  #opened: Store | null = null;

  constructor(open: () => Store) {
    this.#open = open;
  }

  /** The store, opened now if it was not. */
  get store(): Store {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  /** The store if it is open. */
  get opened(): Store | null {
    return this.#opened;
  }

  append(event: RunEvent): void | Promise<void> {
    return this.store.append(event);
  }

  writeCheckpoint(bytes: Uint8Array): void | Promise<void> {
    return this.store.writeCheckpoint(bytes);
  }

  writePolicy(which: KeptPolicy, bytes: Uint8Array): void | Promise<void> {
    return this.store.writePolicy(which, bytes);
  }
}
