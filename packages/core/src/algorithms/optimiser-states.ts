import { type Snapshot, type SnapshotLeaf, shapedArray, snapshotSection } from "../base/snapshot.js";
import type { Network } from "../nn/heads.js";
import type { DescentStep } from "../optim/descent.js";
import type { Buffer, Session } from "../tensor/executor.js";
import type { Tensor } from "../tensor/tensor.js";
import { namedParameters, parametersFrom, snapshotFloats } from "./policy.js";

/** The states of an optimiser in an executor's memory: vectors laid out as θ [P], saved by parameter, and numbers. */
export class OptimiserStates {
  readonly #network: Network;
  readonly #buffers: ReadonlyMap<string, Buffer>;

  /** Fills the states with their initial values. @param theta the state that the step updates besides its own */
  constructor(network: Network, { updates, initial }: DescentStep, theta: Tensor, session: Session) {
    this.#network = network;
    for (const [tensor, value] of initial) session.state(tensor).fill(value);
    const buffers = new Map<string, Buffer>();
    for (const [tensor] of updates) {
      if (tensor !== theta && tensor.origin.kind === "state") {
        buffers.set(tensor.origin.name, session.state(tensor));
      }
    }
    this.#buffers = buffers;
  }

  /** The states in the executor's memory. */
  get all(): readonly Buffer[] {
    return [...this.#buffers.values()];
  }

  save(): Snapshot {
    const saved: Record<string, Snapshot | SnapshotLeaf> = {};
    for (const [name, buffer] of this.#buffers) {
      saved[name] = this.#isVector(buffer)
        ? namedParameters(this.#network, buffer)
        : shapedArray([], buffer.slice());
    }
    return saved;
  }

  /** Checks a snapshot. @returns a function that takes it over */
  restoring(where: string, snapshot: Snapshot): () => void {
    const saved = [...this.#buffers].map(([name, buffer]) => {
      const values = this.#isVector(buffer)
        ? parametersFrom(where, this.#network, snapshotSection(where, snapshot, name))
        : snapshotFloats(where, snapshot, name, []);
      return [buffer, values] as const;
    });
    return () => {
      for (const [buffer, values] of saved) buffer.set(values);
    };
  }

  #isVector({ length }: Buffer): boolean {
    return length === this.#network.parameters.size;
  }
}
