import { fail } from "../../base/errors.js";
import { formatShape } from "../shape.js";
import { apply, type Primitive, type Tensor } from "../tensor.js";

const matmulPrimitive: Primitive<"matmul"> = {
  name: "matmul",
  shape([a, b], { transposeA, transposeB }) {
    const fits = a.length === 2 && b.length === 2 && a[transposeA ? 0 : 1] === b[transposeB ? 1 : 0];
    if (!fits) {
      fail("matmul", "the shapes do not fit", {
        expected: "two matrices, [m, k] and [k, n] after transposition",
        got: `${formatShape(a)}${transposeA ? " transposed" : ""} and ${formatShape(b)}${transposeB ? " transposed" : ""}`,
      });
    }
    return [a[transposeA ? 1 : 0], b[transposeB ? 0 : 1]];
  },
  derivative({ inputs: [a, b], attributes: { transposeA, transposeB } }, g) {
    return [
      transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true })
        : matmul(g, b, { transposeB: !transposeB }),
      transposeB
        ? matmul(g, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, g, { transposeA: !transposeA }),
    ];
  },
  kernel(out, [a, b], shapes, { transposeA, transposeB }) {
    const [m, n] = shapes.out;
    const k = shapes.inputs[0][transposeA ? 0 : 1];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let total = 0;
        for (let l = 0; l < k; l++) {
          total += a[transposeA ? l * m + i : i * k + l] * b[transposeB ? j * k + l : l * n + j];
        }
        out[i * n + j] = total;
      }
    }
  },
};

/** The matrix product op(a) · op(b) → [m, n]; op transposes a factor if its flag is set. */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean } = {},
): Tensor {
  return apply(matmulPrimitive, [a, b], { transposeA, transposeB });
}

export const matmulPrimitives = { matmul: matmulPrimitive };
