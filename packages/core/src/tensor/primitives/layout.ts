import { fail } from "../../base/errors.js";
import type { Buffer } from "../executor.js";
import { formatShape, normalAxis, rowMajorStrides, type Shape, sameShape, shapeSize } from "../shape.js";
import { apply, type Primitive, type Tensor } from "../tensor.js";

/**
 * Copies the element at every index of `shape` from `x` to `out`; both are strided and have a start offset.
 */
export function copyStrided(
  shape: Shape,
  x: Buffer,
  xStart: number,
  xStrides: readonly number[],
  out: Buffer,
  outStart: number,
  outStrides: readonly number[],
): void {
  const visit = (axis: number, from: number, to: number): void => {
    if (axis === shape.length) {
      out[to] = x[from];
      return;
    }
    for (let i = 0; i < shape[axis]; i++)
      visit(axis + 1, from + i * xStrides[axis], to + i * outStrides[axis]);
  };
  visit(0, xStart, outStart);
}

/** The offset of the element at an index. */
export function offsetOf(index: readonly number[], strides: readonly number[]): number {
  return index.reduce((offset, position, axis) => offset + position * strides[axis], 0);
}

const reshapePrimitive: Primitive<"reshape"> = {
  name: "reshape",
  shape([x], { shape }) {
    if (shapeSize(x) !== shapeSize(shape)) {
      fail("reshape", "the number of elements would change", {
        expected: `a shape of ${shapeSize(x)} elements for ${formatShape(x)}`,
        got: formatShape(shape),
      });
    }
    return shape;
  },
  derivative: ({ inputs: [x] }, g) => [reshape(g, x.shape)],
  kernel(out, [x]) {
    out.set(x);
  },
};

const transposePrimitive: Primitive<"transpose"> = {
  name: "transpose",
  shape([x], { permutation }) {
    const sorted = [...permutation].sort((a, b) => a - b);
    if (permutation.length !== x.length || sorted.some((axis, i) => axis !== i)) {
      fail("transpose", "invalid permutation", {
        expected: `each axis of ${formatShape(x)} once`,
        got: `[${permutation.join(", ")}]`,
      });
    }
    return permutation.map((axis) => x[axis]);
  },
  derivative({ attributes: { permutation } }, g) {
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return [transpose(g, inverse)];
  },
  kernel(out, [x], shapes, { permutation }) {
    const strides = rowMajorStrides(shapes.inputs[0]);
    const permuted = permutation.map((axis) => strides[axis]);
    copyStrided(shapes.out, x, 0, permuted, out, 0, rowMajorStrides(shapes.out));
  },
};

const slicePrimitive: Primitive<"slice"> = {
  name: "slice",
  shape([x], { start, end }) {
    const valid =
      start.length === x.length &&
      end.length === x.length &&
      [...start, ...end].every(Number.isInteger) &&
      x.every((length, axis) => start[axis] >= 0 && start[axis] < end[axis] && end[axis] <= length);
    if (!valid) {
      fail("slice", "invalid range", {
        expected: `0 ≤ start < end ≤ length on each axis of ${formatShape(x)}`,
        got: `start [${start.join(", ")}], end [${end.join(", ")}]`,
      });
    }
    return end.map((last, axis) => last - start[axis]);
  },
  derivative({ inputs: [x], attributes: { start, end } }, g) {
    const after = x.shape.map((length, axis) => length - end[axis]);
    return [pad(g, start, after)];
  },
  kernel(out, [x], shapes, { start }) {
    const strides = rowMajorStrides(shapes.inputs[0]);
    copyStrided(shapes.out, x, offsetOf(start, strides), strides, out, 0, rowMajorStrides(shapes.out));
  },
};

const padPrimitive: Primitive<"pad"> = {
  name: "pad",
  shape([x], { before, after }) {
    if (
      before.length !== x.length ||
      after.length !== x.length ||
      [...before, ...after].some((n) => !(Number.isInteger(n) && n >= 0))
    ) {
      fail("pad", "invalid widths", {
        expected: `two non-negative widths for each axis of ${formatShape(x)}`,
        got: `before [${before.join(", ")}], after [${after.join(", ")}]`,
      });
    }
    return x.map((length, axis) => before[axis] + length + after[axis]);
  },
  derivative({ inputs: [x], attributes: { before } }, g) {
    const end = x.shape.map((length, axis) => before[axis] + length);
    return [slice(g, before, end)];
  },
  kernel(out, [x], shapes, { before }) {
    const strides = rowMajorStrides(shapes.out);
    out.fill(0);
    copyStrided(
      shapes.inputs[0],
      x,
      0,
      rowMajorStrides(shapes.inputs[0]),
      out,
      offsetOf(before, strides),
      strides,
    );
  },
};

const concatPrimitive: Primitive<"concat"> = {
  name: "concat",
  shape(inputs, { axis }) {
    const [first] = inputs;
    const others = (shape: Shape) => shape.filter((_, i) => i !== axis);
    if (!inputs.every((shape) => shape.length === first.length && sameShape(others(shape), others(first)))) {
      fail("concat", "the shapes do not fit", {
        expected: `shapes that differ on axis ${axis} only`,
        got: inputs.map(formatShape).join(", "),
      });
    }
    return first.map((length, i) => (i === axis ? inputs.reduce((sum, shape) => sum + shape[i], 0) : length));
  },
  derivative({ inputs, attributes: { axis } }, g) {
    let position = 0;
    return inputs.map((x) => {
      const start = x.shape.map((_, i) => (i === axis ? position : 0));
      position += x.shape[axis];
      const end = x.shape.map((length, i) => (i === axis ? position : length));
      return slice(g, start, end);
    });
  },
  kernel(out, inputs, shapes, { axis }) {
    const strides = rowMajorStrides(shapes.out);
    let position = 0;
    inputs.forEach((x, i) => {
      const shape = shapes.inputs[i];
      copyStrided(shape, x, 0, rowMajorStrides(shape), out, position * strides[axis], strides);
      position += shape[axis];
    });
  },
};

/** The same elements in another shape; one length may be −1 and is then inferred. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.filter((length) => length !== -1).reduce((product, length) => product * length, 1);
  const resolved = shape.map((length) => (length === -1 ? x.size / known : length));
  return sameShape(x.shape, resolved) ? x : apply(reshapePrimitive, [x], { shape: resolved });
}

/** Permutes the axes: `out.shape[i] = x.shape[permutation[i]]`; reverses them by default. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  return apply(transposePrimitive, [x], {
    permutation: permutation ?? x.shape.map((_, axis) => x.shape.length - 1 - axis),
  });
}

/** The elements from `start` up to but not including `end`, on every axis. */
export function slice(x: Tensor, start: readonly number[], end: readonly number[]): Tensor {
  return apply(slicePrimitive, [x], { start, end });
}

/** Pads x with zeros: the adjoint of {@link slice}. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  return apply(padPrimitive, [x], { before, after });
}

/** Joins tensors along an axis. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (tensors.length === 0) fail("concat", "no tensors to join", { expected: "at least one tensor" });
  return apply(concatPrimitive, tensors, { axis: normalAxis("concat", axis, tensors[0].shape.length) });
}

export const layoutPrimitives = {
  reshape: reshapePrimitive,
  transpose: transposePrimitive,
  slice: slicePrimitive,
  pad: padPrimitive,
  concat: concatPrimitive,
};
