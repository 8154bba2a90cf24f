/** A policy's steps as the nodes of an ONNX graph. */
import { SoftrlError, type Tensor } from "softrl";
import {
  type Attribute,
  type ElementType,
  elementTypeNumber,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from "./onnx-model.js";
import type { Dimension, PolicyStep, PolicySteps } from "./policy-steps.js";

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

type Primitive = Extract<Tensor["origin"], { readonly kind: "primitive" }>;

/** Primitives that are one operator of the same inputs. */
const sameOperator: Readonly<Partial<Record<Primitive["name"], string>>> = {
  add: "Add",
  subtract: "Sub",
  multiply: "Mul",
  divide: "Div",
  maximum: "Max",
  minimum: "Min",
  negate: "Neg",
  absolute: "Abs",
  exp: "Exp",
  log: "Log",
  tanh: "Tanh",
  relu: "Relu",
  squareRoot: "Sqrt",
};

/** Comparisons, which give truth values; ours are 0 and 1. */
const comparison: Readonly<Partial<Record<Primitive["name"], string>>> = {
  greater: "Greater",
  greaterEqual: "GreaterOrEqual",
  equal: "Equal",
};

const INPUT = "observations";

/**
 * The graph of a policy.
 *
 * Its input `observations` [batch, ...] has the type of the environment's observations; its outputs are float32. Images
 * stay [height, width, channels], with a transposition around each convolution, which ONNX wants channels-first.
 *
 * Names are unique: the input and the outputs keep theirs, then parameters, and every other value takes one that is left.
 *
 * @param where what an error names
 * @throws SoftrlError for a primitive that stands in no forward pass.
 */
export function onnxGraph(
  where: string,
  policy: PolicySteps,
  observationType: "float32" | "uint8",
): OnnxGraph {
  return new GraphBuilder(where, policy, observationType).graph();
}

class GraphBuilder {
  readonly #where: string;
  readonly #policy: PolicySteps;
  readonly #observationType: ElementType;
  readonly #nodes: OnnxNode[] = [];
  readonly #tensors = new Map<string, OnnxTensor>();
  readonly #inputs: OnnxValue[] = [];
  /** The name of each step's value. */
  readonly #names: string[] = [];
  readonly #taken: Set<string>;
  /** The names in the graph of parameters, and of tensors that the graph itself needs. */
  readonly #parameterNames = new Map<string, string>();
  readonly #ownNames = new Map<string, string>();

  constructor(where: string, policy: PolicySteps, observationType: ElementType) {
    this.#where = where;
    this.#policy = policy;
    this.#observationType = observationType;
    this.#taken = new Set([INPUT, ...policy.outputs.keys()]);
    for (const { parameter } of policy.steps) if (parameter !== null) this.#parameter(parameter);
  }

  graph(): OnnxGraph {
    const { steps, outputs } = this.#policy;
    for (const step of steps) this.#names.push(this.#add(step));
    const values = [...outputs].map(([name, step]): OnnxValue => {
      this.#nodes.push({ operator: "Identity", inputs: [this.#expanded(step)], output: name });
      return { name, type: "float32", shape: steps[step].shape };
    });
    // A filter that was transposed here, and what an operator broadcasts by itself, are not used.
    const used = new Set(this.#nodes.flatMap(({ inputs }) => inputs));
    const tensors = [...this.#tensors.values()].filter(({ name }) => used.has(name));
    return { nodes: this.#nodes, tensors, inputs: this.#inputs, outputs: values };
  }

  #node(
    operator: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
  ): string {
    const output = this.#free(`${operator}_${this.#nodes.length}`);
    this.#nodes.push({ operator, inputs, output, ...(attributes === undefined ? {} : { attributes }) });
    return output;
  }

  /** The name, with a number behind it where it is taken. */
  #free(name: string): string {
    let free = name;
    for (let i = 2; this.#taken.has(free); i++) free = `${name}_${i}`;
    this.#taken.add(free);
    return free;
  }

  #parameter(parameter: string): string {
    const name = this.#parameterNames.get(parameter) ?? this.#free(parameter);
    this.#parameterNames.set(parameter, name);
    return name;
  }

  #own(wanted: string): string {
    const name = this.#ownNames.get(wanted) ?? this.#free(wanted);
    this.#ownNames.set(wanted, name);
    return name;
  }

  #tensor(name: string, shape: readonly number[], values: OnnxTensor["values"]): string {
    this.#tensors.set(name, { name, shape, values });
    return name;
  }

  /** Whole numbers as an operator's input; equal ones stand once. */
  #integers(values: readonly number[]): string {
    const bigger = BigInt64Array.from(values, BigInt);
    const name = this.#own(`integers_${values.join("_").replaceAll("-", "minus")}`);
    return this.#tensor(name, [values.length], bigger);
  }

  #add(step: PolicyStep): string {
    const { tensor, known, parameter, shape } = step;
    if (known !== null) {
      const name =
        parameter === null ? this.#own(`constant_${this.#names.length}`) : this.#parameter(parameter);
      return this.#tensor(name, tensor.shape, known);
    }
    const { origin } = tensor;
    if (origin.kind !== "primitive") {
      this.#inputs.push({ name: INPUT, type: this.#observationType, shape });
      return this.#observationType === "float32" ? INPUT : this.#cast(INPUT, "float32");
    }
    return this.#apply(origin, step);
  }

  #apply(origin: Primitive, { tensor, inputs, shape }: PolicyStep): string {
    const operator = sameOperator[origin.name];
    const rank = tensor.shape.length;
    if (operator !== undefined) return this.#node(operator, this.#operands(inputs, shape));
    const compared = comparison[origin.name];
    if (compared !== undefined) {
      return this.#cast(this.#node(compared, this.#operands(inputs, shape)), "float32");
    }
    const x = () => this.#expanded(inputs[0]);
    switch (origin.name) {
      case "select": {
        const [condition, a, b] = this.#operands(inputs, shape);
        return this.#node("Where", [this.#cast(condition, "bool"), a, b]);
      }
      case "stopGradient":
        return x();
      case "broadcastTo":
        // Operators broadcast by themselves: see #operands.
        return this.#names[inputs[0]];
      case "reshape":
        return this.#node("Reshape", [x(), this.#integers(freeLength(shape))]);
      case "transpose":
        return this.#node("Transpose", [x()], { perm: origin.attributes.permutation });
      case "slice":
        return this.#slice(x(), inputs[0], origin.attributes);
      case "pad": {
        const { before, after } = origin.attributes;
        return this.#node("Pad", [x(), this.#integers([...before, ...after])]);
      }
      case "concat": {
        const parts = inputs.map((input) => this.#expanded(input));
        return this.#node("Concat", parts, { axis: origin.attributes.axis });
      }
      case "sum":
        return this.#node("ReduceSum", [x(), this.#integers(origin.attributes.axes)], { keepdims: 0 });
      case "max":
        return this.#node("ReduceMax", [x()], { axes: origin.attributes.axes, keepdims: 0 });
      case "matmul": {
        const { transposeA, transposeB } = origin.attributes;
        const [a, b] = inputs.map((input) => this.#expanded(input));
        return this.#node("MatMul", [this.#flipped(a, transposeA), this.#flipped(b, transposeB)]);
      }
      case "conv2d":
        return this.#convolution(inputs, origin.attributes);
      case "logSumExp":
        return this.#node("ReduceLogSumExp", [x()], { axes: [rank], keepdims: 0 });
      case "logSoftmax":
        return this.#node("LogSoftmax", [x()], { axis: rank - 1 });
      case "normalise": {
        const features = tensor.shape[rank - 1];
        const scale = this.#tensor(
          this.#own(`ones_${features}`),
          [features],
          new Float64Array(features).fill(1),
        );
        const epsilon = { float: origin.attributes.epsilon };
        return this.#node("LayerNormalization", [x(), scale], { axis: rank - 1, epsilon });
      }
      default:
        throw new SoftrlError(this.#where, `the network applies ${origin.name}, which cannot be exported`, {
          expected: "the operations of a forward pass: layers, activations, normalisation",
          remedy: "leave it out of the network, or run the policy with loadPolicy",
        });
    }
  }

  #cast(name: string, type: ElementType): string {
    return this.#node("Cast", [name], { to: elementTypeNumber(type) });
  }

  #flipped(name: string, flips: boolean): string {
    return flips ? this.#node("Transpose", [name], { perm: [1, 0] }) : name;
  }

  /** Input and filter are channels-last, and ONNX's channels-first. */
  #convolution(
    [image, filter]: readonly number[],
    { strideY, strideX }: { readonly strideY: number; readonly strideX: number },
  ): string {
    const { known, tensor } = this.#policy.steps[filter];
    const [height, width, channels, filters] = tensor.shape;
    const name = this.#names[filter];
    let weight: string;
    if (known === null) weight = this.#node("Transpose", [name], { perm: [3, 2, 0, 1] });
    else {
      const values = new Float64Array(known.length);
      let next = 0;
      for (let o = 0; o < filters; o++)
        for (let c = 0; c < channels; c++)
          for (let at = 0; at < height * width; at++)
            values[next++] = known[(at * channels + c) * filters + o];
      const shape = [filters, channels, height, width];
      weight = this.#tensor(this.#own(`${name}.channelsFirst`), shape, values);
    }
    const turned = this.#node("Transpose", [this.#expanded(image)], { perm: [0, 3, 1, 2] });
    const convolved = this.#node("Conv", [turned, weight], {
      kernel_shape: [height, width],
      strides: [strideY, strideX],
    });
    return this.#node("Transpose", [convolved], { perm: [0, 2, 3, 1] });
  }

  #slice(
    x: string,
    input: number,
    { start, end }: { readonly start: readonly number[]; readonly end: readonly number[] },
  ): string {
    const { tensor, shape } = this.#policy.steps[input];
    const axes = start.flatMap((first, axis) => (first > 0 || end[axis] < tensor.shape[axis] ? [axis] : []));
    if (axes.some((axis) => typeof shape[axis] !== "number")) {
      throw new SoftrlError(this.#where, "the network takes some of the observations apart", {
        expected: "a network that treats each observation alike",
        remedy: "compute each row from its observation alone",
      });
    }
    if (axes.length === 0) return x;
    const of = (list: readonly number[]) => this.#integers(axes.map((axis) => list[axis]));
    return this.#node("Slice", [x, of(start), of(end), this.#integers(axes)]);
  }

  /** The inputs of an elementwise operator, which broadcasts them itself where that gives the shape of its output. */
  #operands(inputs: readonly number[], shape: readonly Dimension[]): readonly string[] {
    const { steps } = this.#policy;
    const sources = inputs.map(
      (input) => steps[isBroadcast(steps[input]) ? steps[input].inputs[0] : input].shape,
    );
    const gives = jointShape(sources);
    const isEnough = gives !== null && gives.join() === shape.map(lengthKey).join();
    return inputs.map((input) => (isEnough ? this.#names[input] : this.#expanded(input)));
  }

  /** A step's value in its own shape: where nothing broadcasts it for free, it is repeated. */
  #expanded(index: number): string {
    const step = this.#policy.steps[index];
    if (!isBroadcast(step)) return this.#names[index];
    const parts = step.shape.map((length) =>
      typeof length === "number" ? this.#integers([length]) : this.#batchSize(length.perObservation),
    );
    return this.#node("Expand", [this.#names[index], this.#node("Concat", parts, { axis: 0 })]);
  }

  #batchSize(multiple: number): string {
    const size = this.#node("Shape", [INPUT], { start: 0, end: 1 });
    return multiple === 1 ? size : this.#node("Mul", [size, this.#integers([multiple])]);
  }
}

const isBroadcast = ({ tensor: { origin }, known }: PolicyStep): boolean =>
  known === null && origin.kind === "primitive" && origin.name === "broadcastTo";

const lengthKey = (length: Dimension): string =>
  typeof length === "number" ? String(length) : `${length.perObservation} * batch`;

/** NumPy's rule on shapes with free lengths; null where they do not broadcast. */
function jointShape(shapes: readonly (readonly Dimension[])[]): readonly string[] | null {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const joint: string[] = [];
  for (let axis = 1; axis <= rank; axis++) {
    const lengths = shapes.map((shape) => lengthKey(shape.at(-axis) ?? 1)).filter((length) => length !== "1");
    if (new Set(lengths).size > 1) return null;
    joint.unshift(lengths[0] ?? "1");
  }
  return joint;
}

/** A shape for Reshape, whose free length is −1. */
const freeLength = (shape: readonly Dimension[]): readonly number[] =>
  shape.map((length) => (typeof length === "number" ? length : -1));
