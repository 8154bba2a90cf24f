import { fail } from "../base/errors.js";
import type { Random } from "../base/random.js";
import {
  isShapedArray,
  type Saveable,
  type Snapshot,
  shapedArray,
  snapshotShaped,
} from "../base/snapshot.js";
import type { Observations } from "../envs/environment.js";
import { actionCount, observationLength, type Space } from "../envs/spaces.js";
import { mode, sampleCategorical } from "../math/categorical.js";
import {
  type LogPrior,
  type LogProbabilities,
  logProbabilities,
  type QValues,
  qValues,
  type StateValues,
  stateValues,
} from "../math/units.js";
import type { Network } from "../nn/heads.js";
import type { Buffer } from "../tensor/buffer.js";
import type { LoadedProgram } from "../tensor/executor.js";

/** What a policy gives for B observations. */
export interface PolicyOutputs {
  /** [B, A] log π(·|s); −∞ for actions that a greedy policy does not take. */
  readonly logPi: LogProbabilities;
  /** [B] V(s), null where the policy has none; in units of normalised rewards where the run normalises returns. */
  readonly v: StateValues | null;
  /** [B, A] Q(s, ·), null where the policy has none; in the units of V. */
  readonly q: QValues | null;
}

/** A policy that acts, without an environment and without knowing how it was learned. */
export interface Policy extends Saveable {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** How to rebuild it from its parameters; null where only its algorithm can. */
  readonly form: PolicyForm | null;
  /**
   * Fills `actions` [B] for `observations` [B, ...]: drawn from π, or its most likely action. B is any number.
   * @param random what actions are drawn with; a stream of the policy's own if left out
   */
  act(observations: Observations, actions: Int32Array, how: "sample" | "mode", random?: Random): void;
  /** log π, V and Q of `observations` [B, ...]; B is any number. */
  evaluate(observations: Observations): PolicyOutputs;
  /** The parameters by name, each with its shape: `body.0.weight` [8, 8, 4, 32]. */
  save(): Snapshot;
  /** Takes parameters over, learned in whichever precision. */
  restore(parameters: Snapshot): void;
}

/**
 * How the heads of a {@link NetworkPolicy} are arranged over bodies: those of a `policyValueNetwork`, or one body with the
 * Q-values of a `qNetwork`, plain or dueling.
 */
export type Bodies = "shared" | "separate" | "two-networks" | "q" | "dueling-q";

/** Whether the network of a policy has Q-values for its output. */
export const hasQOutput = (bodies: Bodies): bodies is "q" | "dueling-q" =>
  bodies === "q" || bodies === "dueling-q";

/** What a checkpoint holds to rebuild a {@link NetworkPolicy} without the algorithm that learned it. */
export interface PolicyForm {
  readonly bodies: Bodies;
  /**
   * τ of Q = V + τ log(π/π̄); null where V is not the value of returns with the bonus, so that there is no Q. Where Q is
   * the network's output, π is its Boltzmann policy, and 0 stands for the greedy one.
   */
  readonly tau: number | null;
  /** log π̄ [A]. */
  readonly logPrior: LogPrior;
}

/** The parts of a {@link NetworkPolicy}. */
export interface NetworkPolicyParts {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly network: Network;
  /** A program with the input `observations` and the outputs `logPi` and `v`; `q` too where Q is the network's output. */
  readonly program: LoadedProgram;
  /** A program with the output `logPi` alone, so that an action costs no value; `program` if left out. */
  readonly acting?: LoadedProgram;
  /** Sets other inputs of `program`, before it runs. */
  readonly prepare?: () => void;
  /** θ [P] in the executor's memory. */
  readonly theta: Buffer;
  /** Observations that one run of the program takes. */
  readonly rows: number;
  /** What actions are drawn with unless `act` is given another stream. */
  readonly random: Random;
  readonly form: () => PolicyForm;
  /** Whether a learner writes the running statistics of its observations into a θ that has them; false if left out. */
  readonly followsObservations?: boolean;
  /** Called once `restore` has written θ. */
  readonly restored?: () => void;
}

/**
 * A policy and a value in an executor's memory. It has a Q too where that is the network's output, and where τ is known:
 * Q = V + τ log(π/π̄) (57).
 */
export class NetworkPolicy implements Policy {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly network: Network;
  readonly #parts: NetworkPolicyParts;
  readonly #acting: LoadedProgram;
  readonly #actingLogPi: LogProbabilities<Buffer>;
  readonly #logPi: LogProbabilities<Buffer>;
  readonly #v: StateValues<Buffer>;
  /** Null where Q is not the network's output. */
  readonly #q: QValues<Buffer> | null;

  constructor(parts: NetworkPolicyParts) {
    this.observationSpace = parts.observationSpace;
    this.actionSpace = parts.actionSpace;
    this.network = parts.network;
    this.#parts = parts;
    this.#acting = parts.acting ?? parts.program;
    this.#actingLogPi = logProbabilities(this.#acting.output("logPi"));
    this.#logPi = logProbabilities(parts.program.output("logPi"));
    this.#v = stateValues(parts.program.output("v"));
    this.#q = hasQOutput(parts.form().bodies) ? qValues(parts.program.output("q")) : null;
  }

  get form(): PolicyForm {
    return this.#parts.form();
  }

  /** Whether a learner writes the running statistics of its observations into a θ that has them. */
  get followsObservations(): boolean {
    return this.#parts.followsObservations ?? false;
  }

  act(
    observations: Observations,
    actions: Int32Array,
    how: "sample" | "mode",
    random = this.#parts.random,
  ): void {
    const A = this.network.actions;
    if (how !== "sample" && how !== "mode") {
      fail("Policy.act", "unknown way to act", {
        expected: '"sample" or "mode"',
        got: String(how),
        remedy: "draw actions with sample, or take the most likely ones with mode",
      });
    }
    this.#requireRows(observations, actions.length);
    const logPi = this.#actingLogPi;
    this.#inChunks(this.#acting, observations, actions.length, (first, rows) => {
      for (let i = 0; i < rows; i++) {
        actions[first + i] =
          how === "sample" ? sampleCategorical(logPi, random, i * A, A) : mode(logPi, i * A, A);
      }
    });
  }

  evaluate(observations: Observations): PolicyOutputs & { readonly v: StateValues } {
    const A = this.network.actions;
    const B = observations.length / observationLength(this.observationSpace);
    this.#requireRows(observations, Math.ceil(B));
    const { tau, logPrior } = this.form;
    const logPi = logProbabilities(new Float64Array(B * A));
    const v = stateValues(new Float64Array(B));
    const output = this.#q;
    const learned = output === null ? null : qValues(new Float64Array(B * A));
    this.#inChunks(this.#parts.program, observations, B, (first, rows) => {
      logPi.set(this.#logPi.subarray(0, rows * A), first * A);
      v.set(this.#v.subarray(0, rows), first);
      if (output !== null) learned?.set(output.subarray(0, rows * A), first * A);
    });
    if (learned !== null || tau === null) return { logPi, v, q: learned };
    const q = qValues(logPi.map((logP, i) => v[Math.floor(i / A)] + tau * (logP - logPrior[i % A])));
    return { logPi, v, q };
  }

  /** θ [P], a copy. */
  theta(): Float64Array {
    return Float64Array.from(this.#parts.theta);
  }

  save(): Snapshot {
    return namedParameters(this.network, this.#parts.theta);
  }

  restore(parameters: Snapshot): void {
    this.#parts.theta.set(parametersFrom("Policy.restore", this.network, parameters));
    this.#parts.restored?.();
  }

  #inChunks(
    program: LoadedProgram,
    observations: Observations,
    count: number,
    read: (first: number, rows: number) => void,
  ): void {
    const { rows, prepare } = this.#parts;
    prepare?.();
    const width = observations.length / count;
    const input = program.input("observations");
    for (let first = 0; first < count; first += rows) {
      const chunk = Math.min(rows, count - first);
      input.set(observations.subarray(first * width, (first + chunk) * width));
      program.run();
      read(first, chunk);
    }
  }

  #requireRows(observations: Observations, count: number): void {
    const width = observationLength(this.observationSpace);
    if (!(observations instanceof Float32Array || observations instanceof Uint8Array)) {
      fail("Policy", "observations are not a typed array", {
        expected: "a Float32Array or a Uint8Array",
        got: Object.prototype.toString.call(observations),
      });
    }
    if (observations.length === count * width) return;
    fail("Policy", "observations have the wrong length", {
      expected: `${count} observations of ${width} numbers: ${count * width}`,
      got: String(observations.length),
    });
  }
}

/** A vector laid out as θ [P] as arrays by parameter, each with its shape; copies. */
export function namedParameters({ parameters }: Network, vector: Buffer): Snapshot {
  return Object.fromEntries(
    parameters.entries.map(({ name, shape, offset, size }) => [
      name,
      shapedArray(shape, vector.slice(offset, offset + size)),
    ]),
  );
}

/**
 * A vector laid out as θ [P] from arrays by parameter, in either precision.
 * @throws SoftrlError when a parameter is missing, has another shape or is not finite.
 */
export function parametersFrom(where: string, { parameters }: Network, snapshot: Snapshot): Float64Array {
  const vector = new Float64Array(parameters.size);
  for (const { name, shape, offset } of parameters.entries) {
    const values = snapshotFloats(where, snapshot, name, shape);
    const damaged = values.findIndex((value) => !Number.isFinite(value));
    if (damaged !== -1) {
      fail(where, `${name}[${damaged}] is not finite`, {
        expected: "a finite number",
        got: String(values[damaged]),
        remedy: "use the checkpoint of a run that did not diverge",
      });
    }
    vector.set(values, offset);
  }
  return vector;
}

/** The array `name` of a snapshot, of this shape and of either floating-point type. */
export function snapshotFloats(
  where: string,
  snapshot: Snapshot,
  name: string,
  shape: readonly number[],
): Buffer {
  const entry = snapshot[name];
  const values = isShapedArray(entry) ? entry.values : entry;
  const kind = values instanceof Float64Array ? "float64" : "float32";
  return snapshotShaped(where, snapshot, name, kind, shape);
}

/** The network's actions and observation shape, from an environment's spaces. */
export function networkShapes(spaces: Pick<Policy, "observationSpace" | "actionSpace">): {
  readonly observationShape: readonly number[];
  readonly actions: number;
} {
  const { observationSpace, actionSpace } = spaces;
  const observationShape =
    observationSpace.kind === "box" ? observationSpace.shape : [observationLength(observationSpace)];
  return { observationShape, actions: actionCount(actionSpace) };
}
