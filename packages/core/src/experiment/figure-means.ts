import { type Snapshot, snapshotCount, snapshotNumber, snapshotSection } from "../base/snapshot.js";

/** The means of an algorithm's figures over the updates since the last update event. */
export class FigureMeans {
  readonly #sums = new Map<string, number>();
  #updates = 0;

  /**
   * Counts the figures of an iteration; an iteration without figures made no update.
   * @param updates that the figures are means of
   */
  add(figures: Readonly<Record<string, number>>, updates = 1): void {
    let isUpdated = false;
    for (const name in figures) {
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + updates * figures[name]);
      isUpdated = true;
    }
    if (isUpdated) this.#updates += updates;
  }

  /** The means, by name in alphabetical order; starts anew. Null where no update was made. */
  take(): Readonly<Record<string, number>> | null {
    if (this.#updates === 0) return null;
    // Sorted, since a restored run has the names in another order.
    const means: Record<string, number> = {};
    for (const name of [...this.#sums.keys()].sort())
      means[name] = (this.#sums.get(name) ?? 0) / this.#updates;
    this.#sums.clear();
    this.#updates = 0;
    return means;
  }

  save(): { readonly updates: number; readonly figureSums: Readonly<Record<string, number>> } {
    return { updates: this.#updates, figureSums: Object.fromEntries(this.#sums) };
  }

  /** @param snapshot one that holds what `save` returned */
  restore(where: string, snapshot: Snapshot): void {
    const sums = snapshotSection(where, snapshot, "figureSums");
    this.#sums.clear();
    for (const name of Object.keys(sums)) this.#sums.set(name, snapshotNumber(where, sums, name));
    this.#updates = snapshotCount(where, snapshot, "updates");
  }
}
