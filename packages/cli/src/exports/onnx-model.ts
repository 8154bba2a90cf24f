/**
 * The messages of ONNX's `onnx.proto` that a policy needs. npm's packages for ONNX only run models, or bring the schema as
 * generated code of half a megabyte; the nine messages are these few lines.
 */
import { concat, field, floatField, message, textField, varintField } from "../files/protobuf.js";
import type { Dimension } from "./policy-steps.js";

/** The operators that the graph uses, as ONNX 1.12 has them: ONNX Runtime 1.12 and newer run them. */
export const OPSET = 17;
/** The version of the file format that belongs to {@link OPSET}. */
const IR_VERSION = 8;

/** `TensorProto.DataType` */
const elementTypes = { float32: 1, uint8: 2, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof elementTypes;
export const elementTypeNumber = (type: ElementType): number => elementTypes[type];

/** Attributes of a node: whole numbers, lists of them, or floats. */
export type Attribute = number | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** Fixed numbers. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** A Float64Array is written as float32. */
  readonly values: Float64Array | BigInt64Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dimension[];
}

export interface OnnxModel {
  /** The version of softrl. */
  readonly version: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** `ModelProto`: the bytes of an .onnx file. Equal models give equal bytes. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const { version, description, metadata, nodes, tensors, inputs, outputs } = model;
  const graph = message(
    7,
    ...nodes.map((node, i) => message(1, nodeProto(node, i))),
    textField(2, "policy"),
    ...tensors.map((tensor) => message(5, tensorProto(tensor))),
    ...inputs.map((value) => message(11, valueInfoProto(value))),
    ...outputs.map((value) => message(12, valueInfoProto(value))),
  );
  return concat([
    varintField(1, IR_VERSION),
    textField(2, "softrl"),
    textField(3, version),
    textField(6, description),
    graph,
    message(8, textField(1, ""), varintField(2, OPSET)),
    ...Object.entries(metadata).map(([key, value]) => message(14, textField(1, key), textField(2, value))),
  ]);
}

function nodeProto({ operator, inputs, output, attributes = {} }: OnnxNode, i: number): Uint8Array {
  return concat([
    ...inputs.map((name) => textField(1, name)),
    textField(2, output),
    textField(3, `${operator}_${i}`),
    textField(4, operator),
    ...Object.entries(attributes).map(([name, value]) => message(5, attributeProto(name, value))),
  ]);
}

const [FLOAT, INT, INTS] = [1, 2, 7];

/** `AttributeProto`; its whole numbers must not be negative, which {@link varintField} cannot write. */
function attributeProto(name: string, value: Attribute): Uint8Array {
  const title = textField(1, name);
  if (typeof value === "number") return concat([title, varintField(3, value), varintField(20, INT)]);
  if ("float" in value) return concat([title, floatField(2, value.float), varintField(20, FLOAT)]);
  return concat([title, ...value.map((each) => varintField(8, each)), varintField(20, INTS)]);
}

function tensorProto({ name, shape, values }: OnnxTensor): Uint8Array {
  const isFloat = values instanceof Float64Array;
  const { buffer } = isFloat ? Float32Array.from(values) : BigInt64Array.from(values);
  return concat([
    ...shape.map((length) => varintField(1, length)),
    varintField(2, elementTypes[isFloat ? "float32" : "int64"]),
    textField(8, name),
    // Little-endian, as every machine that runs Node.
    field(9, new Uint8Array(buffer)),
  ]);
}

function valueInfoProto({ name, type, shape }: OnnxValue): Uint8Array {
  const axes = shape.map((length) => message(1, dimension(length)));
  const tensor = message(1, varintField(1, elementTypes[type]), message(2, ...axes));
  return concat([textField(1, name), message(2, tensor)]);
}

/** `TensorShapeProto.Dimension`: a length, or the name of one that is free. */
function dimension(length: Dimension): Uint8Array {
  if (typeof length === "number") return varintField(1, length);
  return textField(2, length.perObservation === 1 ? "batch" : `${length.perObservation} * batch`);
}
