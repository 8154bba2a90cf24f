import { fail } from "../../base/errors.js";
import { formatShape, sameShape } from "../shape.js";
import { apply, type Primitive, type Tensor } from "../tensor.js";

function isIndex(value: number, columns: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < columns;
}

const gatherPrimitive: Primitive<"gather"> = {
  name: "gather",
  shape([x, index]) {
    if (x.length === 0 || !sameShape(x.slice(0, -1), index)) {
      fail("gather", "the shapes do not fit", {
        expected: "x [..., columns] and index [...]",
        got: `${formatShape(x)} and ${formatShape(index)}`,
      });
    }
    return index;
  },
  derivative: ({ inputs: [x, index] }, g) => [scatter(g, index, x.shape[x.shape.length - 1]), null],
  kernel(out, [x, index]) {
    const columns = x.length / out.length;
    for (let row = 0; row < out.length; row++) {
      out[row] = isIndex(index[row], columns) ? x[row * columns + index[row]] : Number.NaN;
    }
  },
};

const scatterPrimitive: Primitive<"scatter"> = {
  name: "scatter",
  shape([x, index], { columns }) {
    if (!sameShape(x, index)) {
      fail("scatter", "the shapes differ", { expected: formatShape(x), got: formatShape(index) });
    }
    return [...x, columns];
  },
  derivative: ({ inputs: [, index] }, g) => [gather(g, index), null],
  kernel(out, [x, index], _shapes, { columns }) {
    for (let row = 0; row < x.length; row++) {
      const valid = isIndex(index[row], columns);
      out.fill(valid ? 0 : Number.NaN, row * columns, (row + 1) * columns);
      if (valid) out[row * columns + index[row]] = x[row];
    }
  },
};

/** x[..., index[...]]: one element of the last axis per index; NaN if the index is not a column. */
export function gather(x: Tensor, index: Tensor): Tensor {
  return apply(gatherPrimitive, [x, index], {});
}

/** Zeros [..., columns] with x at the columns `index`: the adjoint of {@link gather}. */
export function scatter(x: Tensor, index: Tensor, columns: number): Tensor {
  return apply(scatterPrimitive, [x, index], { columns });
}

export const indexingPrimitives = { gather: gatherPrimitive, scatter: scatterPrimitive };
