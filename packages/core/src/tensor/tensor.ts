import { fail, inWords } from "../base/errors.js";
import type { Buffer } from "./buffer.js";
import { formatShape, requireShape, type Shape, shapeSize } from "./shape.js";

type None = Readonly<Record<never, never>>;

/** Every primitive by name, with the attributes that it takes besides its inputs. */
export interface PrimitiveAttributes {
  add: None;
  subtract: None;
  multiply: None;
  divide: None;
  maximum: None;
  minimum: None;
  negate: None;
  absolute: None;
  exp: None;
  log: None;
  tanh: None;
  relu: None;
  squareRoot: None;
  greater: None;
  greaterEqual: None;
  equal: None;
  select: None;
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  slice: { readonly start: readonly number[]; readonly end: readonly number[] };
  pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  concat: { readonly axis: number };
  broadcastTo: { readonly shape: Shape };
  sum: { readonly axes: readonly number[] };
  max: { readonly axes: readonly number[] };
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  conv2d: ConvolutionStrides;
  conv2dInputGradient: ConvolutionStrides & { readonly height: number; readonly width: number };
  conv2dFilterGradient: ConvolutionStrides & { readonly filterHeight: number; readonly filterWidth: number };
  gather: None;
  scatter: { readonly columns: number };
  logSumExp: None;
  logSoftmax: None;
  stopGradient: None;
}

export interface ConvolutionStrides {
  readonly strideY: number;
  readonly strideX: number;
}

export type PrimitiveName = keyof PrimitiveAttributes;

/** Primitives that compute each element from the inputs' elements there: comparisons give 0 or 1, select(c, a, b) is a where c ≠ 0. */
export type ElementwiseOperation =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "maximum"
  | "minimum"
  | "negate"
  | "absolute"
  | "exp"
  | "log"
  | "tanh"
  | "relu"
  | "squareRoot"
  | "greater"
  | "greaterEqual"
  | "equal"
  | "select";

/**
 * A primitive: its shape rule, its derivative rule and its reference kernel, together.
 *
 * The derivative rule emits primitives again, so the gradient of a gradient is a gradient.
 */
export interface Primitive<Name extends PrimitiveName> {
  readonly name: Name;
  /** The output's shape. @throws SoftrlError where the inputs do not fit. */
  shape(inputs: readonly Shape[], attributes: PrimitiveAttributes[Name]): Shape;
  /** The cotangent of each input, given the cotangent of the output; null where it is zero everywhere. */
  derivative(application: Application<Name>, cotangent: Tensor): readonly (Tensor | null)[];
  /** The specification: fills `out` from `inputs`. Written to be read. */
  kernel(
    out: Buffer,
    inputs: readonly Buffer[],
    shapes: KernelShapes,
    attributes: PrimitiveAttributes[Name],
  ): void;
}

/** What a derivative rule may look at. */
export interface Application<Name extends PrimitiveName> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: PrimitiveAttributes[Name];
}

export interface KernelShapes {
  readonly inputs: readonly Shape[];
  readonly out: Shape;
}

/** Where a tensor comes from: a leaf, or a primitive applied to other tensors. */
export type Origin =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "state"; readonly name: string }
  | { readonly kind: "constant"; readonly values: Float64Array }
  | AppliedPrimitive;

/** A primitive applied: one member a name, so that a switch over the name knows the attributes. */
export type AppliedPrimitive = {
  [Name in PrimitiveName]: {
    readonly kind: "primitive";
    readonly name: Name;
    readonly primitive: Primitive<Name>;
    readonly attributes: PrimitiveAttributes[Name];
  };
}[PrimitiveName];

let created = 0;

/** A symbolic tensor: a shape and an origin, no numbers. Its shape is checked when it is made. */
export class Tensor {
  /** Grows with creation: inputs have smaller numbers than what is computed from them. */
  readonly id: number = created++;
  readonly shape: Shape;
  readonly origin: Origin;
  readonly inputs: readonly Tensor[];

  constructor(shape: Shape, origin: Origin, inputs: readonly Tensor[] = []) {
    this.shape = shape;
    this.origin = origin;
    this.inputs = inputs;
  }

  /** The number of elements. */
  get size(): number {
    return shapeSize(this.shape);
  }
}

/** Applies a primitive: checks the shapes and records the application. */
export function apply<Name extends PrimitiveName>(
  primitive: Primitive<Name>,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[Name],
): Tensor {
  const shapes = inputs.map((input) => requireTensor(primitive.name, input).shape);
  const shape = primitive.shape(shapes, attributes);
  requireShape(primitive.name, shape);
  // The compiler does not see that name, primitive and attributes belong together for a generic Name.
  const origin = {
    kind: "primitive",
    name: primitive.name,
    primitive,
    attributes,
  } as unknown as AppliedPrimitive;
  return new Tensor(shape, origin, inputs);
}

/** Numbers that the caller writes before each run, under this name. */
export function input(name: string, shape: Shape): Tensor {
  requireShape(`input "${name}"`, shape);
  return new Tensor(shape, { kind: "input", name });
}

/** Numbers that stay in the executor between runs: parameters, optimiser state. Zero at first. */
export function state(name: string, shape: Shape): Tensor {
  requireShape(`state "${name}"`, shape);
  return new Tensor(shape, { kind: "state", name });
}

/** Fixed numbers. A number alone is a scalar. */
export function constant(values: number | ArrayLike<number>, shape?: Shape): Tensor {
  const list = typeof values === "number" ? [values] : values;
  if (!ArrayBuffer.isView(list) && !(Array.isArray(list) && list.every((x) => typeof x === "number"))) {
    fail("constant", "the values are not flat numbers", {
      expected: "a number, or a flat array of numbers",
      got: inWords(values),
      remedy: "flatten them and give the shape: constant([1, 2, 3, 4], [2, 2])",
    });
  }
  const numbers = Float64Array.from(list);
  const tensorShape = shape ?? (typeof values === "number" ? [] : [numbers.length]);
  requireShape("constant", tensorShape);
  if (shapeSize(tensorShape) !== numbers.length) {
    fail("constant", "the values do not fill the shape", {
      expected: `${shapeSize(tensorShape)} values for ${formatShape(tensorShape)}`,
      got: String(numbers.length),
    });
  }
  return new Tensor(tensorShape, { kind: "constant", values: numbers });
}

/** What binary operations take: a tensor, or a number that stands for a scalar constant. */
export type Operand = Tensor | number;

export function toTensor(operand: Operand): Tensor {
  return typeof operand === "number" ? constant(operand) : requireTensor("an operation", operand);
}

function requireTensor(where: string, operand: Tensor): Tensor {
  if (operand instanceof Tensor) return operand;
  return fail(where, "an operand is no tensor", {
    expected: "a tensor",
    got: inWords(operand),
    remedy: "wrap numbers in constant()",
  });
}
