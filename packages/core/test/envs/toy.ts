import type { Environment, Observations, Random, Snapshot, StepOutcome } from "softrl";

/** A fault that the toy environment shows once its position is 3. */
export interface ToyFault {
  readonly observation?: number;
  readonly reward?: number;
  readonly outcome?: unknown;
  readonly error?: Error;
}

/**
 * A line of cells, observed as bytes: [position, noise]. Action 1 moves forward, action 0 stays; position `end`
 * terminates. The noise is drawn in every step, so that a random stream that is not restored becomes visible.
 */
export class Toy implements Environment {
  readonly observationSpace;
  readonly actionSpace = { kind: "discrete", n: 2 } as const;
  #position = 0;
  #random: Random | null = null;

  constructor(
    readonly end: number,
    readonly dtype: "uint8" | "float32" = "uint8",
    readonly fault: ToyFault | null = null,
  ) {
    this.observationSpace = { kind: "box", shape: [2], dtype, low: 0, high: [end, 255] } as const;
  }

  reset(random: Random, observation: Observations): void {
    this.#random = random;
    this.#position = 0;
    this.#observe(observation);
  }

  step(action: number, observation: Observations): StepOutcome {
    this.#position += action;
    this.#observe(observation);
    const outcome = { reward: action, terminated: this.#position >= this.end, truncated: false };
    if (this.fault === null || this.#position < 3) return outcome;
    const { observation: number, reward, outcome: wrong, error } = this.fault;
    if (error !== undefined) throw error;
    if (number !== undefined) observation[1] = number;
    if (wrong !== undefined) return wrong as StepOutcome;
    return { ...outcome, reward: reward ?? outcome.reward };
  }

  save(): Snapshot {
    return { position: this.#position };
  }

  restore(snapshot: Snapshot): void {
    if (typeof snapshot.position !== "number") throw new Error("no position");
    this.#position = snapshot.position;
  }

  #observe(observation: Observations): void {
    observation[0] = this.#position;
    observation[1] = this.#random?.integer(256) ?? 0;
  }
}
