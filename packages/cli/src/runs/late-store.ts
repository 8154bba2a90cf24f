import type { KeptPolicy, PieceStore, RunEvent, RunStore } from "softrl";

/** A store that opens when the first event comes: a run that never starts leaves nothing behind. */
export class LateStore<Store extends RunStore & { readonly pieces: PieceStore }> implements RunStore {
  readonly pieces: PieceStore;
  readonly #open: () => Store;
  #opened: Store | null = null;

  constructor(open: () => Store) {
    this.#open = open;
    this.pieces = latePieces(() => this.store.pieces);
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

const latePieces = (pieces: () => PieceStore): PieceStore => ({
  write: (name, bytes) => pieces().write(name, bytes),
  read: (name, bytes) => pieces().read(name, bytes),
  keepOnly: (names) => pieces().keepOnly(names),
  placeOf: (name) => pieces().placeOf?.(name) ?? name,
  get remedy() {
    return pieces().remedy;
  },
});
