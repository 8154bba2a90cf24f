/** What runs share that come one by one: those inside weigh `total` together at most. One run may always be inside. */
export class Room {
  readonly #total: number;
  #load = 0;
  /** Those that wait, in the order in which they came. */
  #waiting: { readonly weight: number; readonly enter: () => void }[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  /** How many more of weight 1 have room. */
  get left(): number {
    return Math.max(0, this.#total - this.#load);
  }

  /**
   * Waits until there is room, behind those that came before.
   * @returns leaves; null where `stop` came first
   */
  async enter(weight: number, stop: AbortSignal): Promise<(() => void) | null> {
    if (stop.aborted) return null;
    const place = { weight, enter: () => {} };
    const entered = new Promise<boolean>((resolve) => {
      place.enter = () => resolve(true);
      stop.addEventListener("abort", () => resolve(false), { once: true });
    });
    this.#waiting.push(place);
    this.#admit();
    if (!(await entered)) {
      const isWaiting = this.#waiting.includes(place);
      this.#waiting = this.#waiting.filter((other) => other !== place);
      if (isWaiting) this.#admit();
      else this.#leave(weight);
      return null;
    }
    return () => this.#leave(weight);
  }

  #leave(weight: number): void {
    this.#load -= weight;
    this.#admit();
  }

  #admit(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (this.#load > 0 && this.#load + first.weight > this.#total) return;
      this.#waiting.shift();
      this.#load += first.weight;
      first.enter();
    }
  }
}
