import { fail } from "../../base/errors.js";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  normalAxis,
  rowMajorStrides,
  type Shape,
  sameShape,
} from "../shape.js";
import { apply, type Primitive, type Tensor } from "../tensor.js";
import { copyStrided, reshape } from "./layout.js";

const broadcastToPrimitive: Primitive<"broadcastTo"> = {
  name: "broadcastTo",
  shape([x], { shape }) {
    if (x.length > shape.length || !sameShape(broadcastShapes("broadcastTo", x, shape), shape)) {
      fail("broadcastTo", "the shapes do not broadcast", {
        expected: `a shape that ${formatShape(x)} broadcasts to`,
        got: formatShape(shape),
      });
    }
    return shape;
  },
  derivative({ inputs: [x], attributes: { shape } }, g) {
    const added = shape.length - x.shape.length;
    const axes = shape.flatMap((length, axis) =>
      axis < added || (x.shape[axis - added] === 1 && length !== 1) ? [axis] : [],
    );
    return [reshape(sum(g, axes), x.shape)];
  },
  kernel(out, [x], shapes) {
    const strides = broadcastStrides(shapes.inputs[0], shapes.out);
    copyStrided(shapes.out, x, 0, strides, out, 0, rowMajorStrides(shapes.out));
  },
};

/** The shape without the reduced axes, which must be valid and different. */
export function reducedShape(where: string, x: Shape, axes: readonly number[]): Shape {
  if (new Set(axes).size !== axes.length || axes.some((axis) => !(axis >= 0 && axis < x.length))) {
    fail(where, "invalid axes", {
      expected: `different axes of ${formatShape(x)}`,
      got: `[${axes.join(", ")}]`,
    });
  }
  return x.filter((_, axis) => !axes.includes(axis));
}

/** The strides of the output for each axis of the input: 0 on the reduced axes. */
export function reductionStrides(x: Shape, axes: readonly number[]): number[] {
  const kept = rowMajorStrides(x.filter((_, axis) => !axes.includes(axis)));
  let next = 0;
  return x.map((_, axis) => (axes.includes(axis) ? 0 : kept[next++]));
}

/** Calls `visit(offset in x, offset in out)` for every element of x in order. */
export function visitReduction(
  x: Shape,
  axes: readonly number[],
  visit: (from: number, to: number) => void,
): void {
  const xStrides = rowMajorStrides(x);
  const outStrides = reductionStrides(x, axes);
  const visitAxis = (axis: number, from: number, to: number): void => {
    if (axis === x.length) visit(from, to);
    else
      for (let i = 0; i < x[axis]; i++)
        visitAxis(axis + 1, from + i * xStrides[axis], to + i * outStrides[axis]);
  };
  visitAxis(0, 0, 0);
}

const sumPrimitive: Primitive<"sum"> = {
  name: "sum",
  shape: ([x], { axes }) => reducedShape("sum", x, axes),
  derivative({ inputs: [x], attributes: { axes } }, g) {
    const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    return [broadcastTo(reshape(g, kept), x.shape)];
  },
  kernel(out, [x], shapes, { axes }) {
    const total = new Float64Array(out.length);
    visitReduction(shapes.inputs[0], axes, (from, to) => {
      total[to] += x[from];
    });
    out.set(total);
  },
};

/** Repeats x along new or length-1 axes until it has `shape` (NumPy's rule). */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(broadcastToPrimitive, [x], { shape });
}

/** Resolves axes: all by default; −1 is the last one. */
export function reductionAxes(
  where: string,
  x: Tensor,
  axes?: number | readonly number[],
): readonly number[] {
  if (axes === undefined) return x.shape.map((_, axis) => axis);
  const list = typeof axes === "number" ? [axes] : axes;
  return list.map((axis) => normalAxis(where, axis, x.shape.length));
}

/** The shape with length 1 on the reduced axes. */
export function keptShape(x: Tensor, axes: readonly number[]): Shape {
  return x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
}

/** Σ over `axes` (all by default), which are removed unless `keepDims`. */
export function sum(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const resolved = reductionAxes("sum", x, axes);
  const total = resolved.length === 0 ? x : apply(sumPrimitive, [x], { axes: resolved });
  return keepDims ? reshape(total, keptShape(x, resolved)) : total;
}

export const broadcastingPrimitives = { broadcastTo: broadcastToPrimitive, sum: sumPrimitive };
