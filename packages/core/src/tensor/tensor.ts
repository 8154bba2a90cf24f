import { describeValue, fail } from "../base/errors.js";
import type { Buffer } from "./buffer.js";
import { formatShape, requireShape, type Shape, shapeSize } from "./shape.js";

type None = Readonly<Record<never, never>>;

/** Every primitive by name, with its attributes besides its inputs. */
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
  normalise: { readonly epsilon: number };
  normaliseGradient: { readonly epsilon: number };
  stopGradient: None;
}

export interface ConvolutionStrides {
  readonly strideY: number;
  readonly strideX: number;
}

export type PrimitiveName = keyof PrimitiveAttributes;

/**
 * Primitives that compute each element from the elements of the inputs at the same position. Comparisons give
 * 0 or 1; select(c, a, b) is a where c ≠ 0.
 */
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
 * A primitive: its shape rule, its derivative rule and its reference kernel.
 *
 * The derivative rule emits primitives, so gradients can be differentiated again.
 */
export interface Primitive<Name extends PrimitiveName> {
  readonly name: Name;
  /** The shape of the output. @throws SoftrlError when the inputs do not fit. */
  shape(inputs: readonly Shape[], attributes: PrimitiveAttributes[Name]): Shape;
  /** The cotangent of each input, given the cotangent of the output; null if it is zero everywhere. */
  derivative(application: Application<Name>, cotangent: Tensor): readonly (Tensor | null)[];
  /** The specification: fills `out` from `inputs`. Written for readability. */
  kernel(
    out: Buffer,
    inputs: readonly Buffer[],
    shapes: KernelShapes,
    attributes: PrimitiveAttributes[Name],
  ): void;
}

/** The data that a derivative rule can use. */
export interface Application<Name extends PrimitiveName> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: PrimitiveAttributes[Name];
}

export interface KernelShapes {
  readonly inputs: readonly Shape[];
  readonly out: Shape;
}

/** The origin of a tensor: a leaf, or a primitive applied to other tensors. */
export type Origin =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "state"; readonly name: string }
  | { readonly kind: "constant"; readonly values: Float64Array }
  | AppliedPrimitive;

/**
 * An applied primitive: one union member per name, so that a switch over the name determines the attributes.
 */
export type AppliedPrimitive = {
  [Name in PrimitiveName]: {
    readonly kind: "primitive";
    readonly name: Name;
    readonly primitive: Primitive<Name>;
    readonly attributes: PrimitiveAttributes[Name];
  };
}[PrimitiveName];

let created = 0;

/** A symbolic tensor: a shape and an origin, without numbers. The shape is checked on creation. */
export class Tensor {
  /** Increases with every creation, so inputs have smaller ids than the tensors computed from them. */
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
  // For a generic Name, the compiler cannot infer that name, primitive and attributes belong together.
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

/** Numbers that stay in the executor between runs, such as parameters and optimiser state. Initially zero. */
export function state(name: string, shape: Shape): Tensor {
  requireShape(`state "${name}"`, shape);
  return new Tensor(shape, { kind: "state", name });
}

/** Fixed numbers. A single number is a scalar. */
export function constant(values: number | ArrayLike<number>, shape?: Shape): Tensor {
  const list = typeof values === "number" ? [values] : values;
  if (!ArrayBuffer.isView(list) && !(Array.isArray(list) && list.every((x) => typeof x === "number"))) {
    fail("constant", "the values are not a flat array of numbers", {
      expected: "a number, or a flat array of numbers",
      got: describeValue(values),
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

/** An operand of a binary operation: a tensor, or a number, which is a scalar constant. */
export type Operand = Tensor | number;

export function toTensor(operand: Operand): Tensor {
  return typeof operand === "number" ? constant(operand) : requireTensor("an operation", operand);
}

function requireTensor(where: string, operand: Tensor): Tensor {
  if (operand instanceof Tensor) return operand;
  return fail(where, "an operand is not a tensor", {
    expected: "a tensor",
    got: describeValue(operand),
    remedy: "wrap numbers in constant()",
  });
}
