/** A saved policy as the steps that compute it, with everything that does not depend on the observation computed. */
import {
  constant,
  createReferenceExecutor,
  logPrior,
  type Program,
  program,
  type QValues,
  qFromValueAndPolicy,
  SoftrlError,
  type Step,
  type Tensor,
  type TracedPolicy,
} from "softrl";

/** What an export may compute, in this order: log π [B, A], V [B] and Q [B, A]. */
export const exportedOutputs = ["logPi", "v", "q"] as const;
export type ExportedOutput = (typeof exportedOutputs)[number];

/** The length of an axis: a number, or a multiple of the batch size B. */
export type Dimension = number | { readonly perObservation: number };

/** A step: numbers that are known, or a primitive applied to earlier steps. */
export interface PolicyStep {
  readonly tensor: Tensor;
  /** Indices of earlier steps; none where the numbers are known. */
  readonly inputs: readonly number[];
  readonly shape: readonly Dimension[];
  /** Row-major; null where they depend on the observation. */
  readonly known: Float64Array | null;
  /** The name of the parameter that the numbers are; null for others. */
  readonly parameter: string | null;
}

/** Steps in an order in which each comes after its inputs. */
export interface PolicySteps {
  readonly steps: readonly PolicyStep[];
  /** The step of each output. */
  readonly outputs: ReadonlyMap<ExportedOutput, number>;
}

/**
 * The outputs that a traced policy has: Q where it is the network's output, and where τ is known, Q = V + τ log(π/π̄) (57).
 */
export function outputsOf({ outputs, form }: TracedPolicy): Partial<Record<ExportedOutput, Tensor>> {
  const { logPi, v, q } = outputs;
  return { logPi, v, ...withQ() };

  function withQ(): { readonly q?: QValues<Tensor> } {
    if (q !== undefined) return { q };
    if (form.tau === null) return {};
    return { q: qFromValueAndPolicy(v, logPi, logPrior(constant(form.logPrior)), form.tau) };
  }
}

/**
 * The steps of a policy for one observation.
 * @param wanted outputs that the policy has
 */
export function stepsOfOne(policy: TracedPolicy, wanted: readonly ExportedOutput[]): PolicySteps {
  const traced = programOf(policy, wanted);
  return folded(policy, traced, (step) => traced.steps[step].tensor.shape);
}

/**
 * The steps of a policy for a batch of any size: what its traces for two and for three observations have in common.
 * @param trace the policy, traced for this number of observations
 * @param where what an error names
 * @throws SoftrlError for a network that computes something else for another number of observations.
 */
export function stepsOfBatch(
  where: string,
  trace: (rows: number) => TracedPolicy,
  wanted: readonly ExportedOutput[],
): PolicySteps {
  const policy = trace(2);
  const two = programOf(policy, wanted);
  const three = programOf(trace(3), wanted);
  if (two.steps.length !== three.steps.length) refuse("it has another number of steps");
  return folded(policy, two, (step) => {
    const [a, b] = [two.steps[step], three.steps[step]];
    if (!isSameWork(a, b)) refuse(`${nameOf(a)} differs`);
    return a.tensor.shape.map((length, axis) => {
      const other = b.tensor.shape[axis];
      if (length === other) return length;
      if (3 * length !== 2 * other) refuse(`the axes of ${nameOf(a)} are not multiples of the batch size`);
      return { perObservation: length / 2 };
    });
  });

  function refuse(got: string): never {
    throw new SoftrlError(where, "the network computes something else for another number of observations", {
      expected: "the same layers for two observations as for three",
      got,
      remedy: "an exported network takes batches of any size: compute each row from its observation alone",
    });
  }
}

const nameOf = ({ tensor: { origin } }: Step): string =>
  origin.kind === "primitive" ? origin.name : `a ${origin.kind}`;

/** Whether two steps do the same, for batches of two sizes. */
function isSameWork(a: Step, b: Step): boolean {
  const [one, other] = [a.tensor.origin, b.tensor.origin];
  if (a.tensor.shape.length !== b.tensor.shape.length || a.inputs.join() !== b.inputs.join()) return false;
  if (one.kind === "constant" && other.kind === "constant") {
    return (
      one.values.length === other.values.length && one.values.every((x, i) => Object.is(x, other.values[i]))
    );
  }
  if (one.kind !== "primitive" || other.kind !== "primitive") return one.kind === other.kind;
  if (one.name !== other.name) return false;
  // Their attributes are shapes, or ranges of a shape's axes, whose lengths are compared on their own.
  if (one.name === "reshape" || one.name === "broadcastTo") return true;
  if (one.name === "slice" && other.name === "slice") {
    return one.attributes.start.join() === other.attributes.start.join();
  }
  return JSON.stringify(one.attributes) === JSON.stringify(other.attributes);
}

function programOf(policy: TracedPolicy, wanted: readonly ExportedOutput[]): Program {
  const all = outputsOf(policy);
  const chosen = wanted.flatMap((name) => {
    const tensor = all[name];
    return tensor === undefined ? [] : [[name, tensor] as const];
  });
  return program({ outputs: Object.fromEntries(chosen) });
}

function folded(
  policy: TracedPolicy,
  traced: Program,
  shapeOf: (step: number) => readonly Dimension[],
): PolicySteps {
  const { steps, outputs } = traced;
  const shapes = steps.map((_, step) => shapeOf(step));
  const isKnown: boolean[] = [];
  for (const [i, { tensor, inputs }] of steps.entries()) {
    const { kind } = tensor.origin;
    const isFixed = shapes[i].every((length) => typeof length === "number");
    isKnown.push(kind !== "input" && isFixed && inputs.every((input) => isKnown[input]));
  }
  // What is only repeated stands once.
  const isFolded = steps.map(({ tensor: { origin } }, i) => {
    const isRepeated = origin.kind === "primitive" && origin.name === "broadcastTo";
    return isKnown[i] && !isRepeated;
  });
  const needed = neededSteps(steps, isFolded, [...outputs.values()]);
  const values = valuesOf(
    policy,
    needed.filter((i) => isFolded[i]).map((i) => steps[i].tensor),
  );
  const position = new Map(needed.map((step, i) => [step, i]));
  const { entries } = policy.network.parameters;
  const parameters = new Map(policy.views.map((view, i) => [view, entries[i].name]));
  return {
    steps: needed.map((i) => {
      const { tensor, inputs } = steps[i];
      return {
        tensor,
        inputs: isFolded[i] ? [] : inputs.map((input) => position.get(input) ?? 0),
        shape: shapes[i],
        known: values.get(tensor) ?? null,
        parameter: parameters.get(tensor) ?? parameters.get(withGradient(tensor)) ?? null,
      };
    }),
    outputs: new Map(
      exportedOutputs.flatMap((name) => {
        const step = outputs.get(name);
        return step === undefined ? [] : [[name, position.get(step) ?? 0] as const];
      }),
    ),
  };
}

/** The tensor whose values a stopGradient has; every other one itself. */
const withGradient = (tensor: Tensor): Tensor =>
  tensor.origin.kind === "primitive" && tensor.origin.name === "stopGradient" ? tensor.inputs[0] : tensor;

/** The steps that the outputs need, in order; of known numbers not what they are computed from. */
function neededSteps(
  steps: readonly Step[],
  isFolded: readonly boolean[],
  outputs: readonly number[],
): readonly number[] {
  const needed = new Set<number>();
  const pending = [...outputs];
  for (let i = pending.pop(); i !== undefined; i = pending.pop()) {
    if (needed.has(i)) continue;
    needed.add(i);
    if (!isFolded[i]) pending.push(...steps[i].inputs);
  }
  return [...needed].sort((a, b) => a - b);
}

/** The numbers of tensors that depend on θ and constants alone, in float64. */
function valuesOf(
  { theta, values }: TracedPolicy,
  tensors: readonly Tensor[],
): ReadonlyMap<Tensor, Float64Array> {
  const names = tensors.map((_, i) => String(i));
  const outputs = Object.fromEntries(tensors.map((tensor, i) => [names[i], tensor]));
  const evaluate = program({ outputs });
  const session = createReferenceExecutor().load({ evaluate });
  if (evaluate.steps.some(({ tensor }) => tensor === theta)) session.state(theta).set(values);
  session.programs.evaluate.run();
  return new Map(
    tensors.map((tensor, i) => [tensor, Float64Array.from(session.programs.evaluate.output(names[i]))]),
  );
}
