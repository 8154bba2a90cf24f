import { fail } from "../base/errors.js";
import { broadcastTo } from "./primitives/broadcasting.js";
import { add } from "./primitives/elementwise.js";
import { formatShape } from "./shape.js";
import { type Application, constant, type PrimitiveName, type Tensor } from "./tensor.js";

/**
 * ∂y/∂x for every x in `wrt`, as symbolic tensors with the shape of x: reverse-mode differentiation of the
 * trace.
 *
 * The result is made of primitives, so it can be differentiated again.
 *
 * @param y a scalar (one element)
 * @param wrt any tensors of the trace; the gradient is zero for those that y does not depend on
 */
export function gradient(y: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (!Array.isArray(wrt)) {
    fail("gradient", "wrt is not a list", { expected: "a list of tensors", remedy: "gradient(y, [x])" });
  }
  if (y.size !== 1) {
    fail("gradient", "y is not a scalar", {
      expected: "one element",
      got: formatShape(y.shape),
      remedy: "reduce it with sum or mean",
    });
  }
  const path = tensorsBetween(wrt, y);
  const cotangents = new Map<Tensor, Tensor>([[y, broadcastTo(constant(1), y.shape)]]);
  for (const tensor of path) {
    const cotangent = cotangents.get(tensor);
    if (cotangent === undefined || tensor.origin.kind !== "primitive") continue;
    const contributions = inputCotangents(tensor, cotangent);
    tensor.inputs.forEach((input, i) => {
      const contribution = contributions[i];
      if (contribution === null || !path.has(input)) return;
      const sofar = cotangents.get(input);
      cotangents.set(input, sofar === undefined ? contribution : add(sofar, contribution));
    });
  }
  return wrt.map((x) => cotangents.get(x) ?? broadcastTo(constant(0), x.shape));
}

function inputCotangents(output: Tensor, cotangent: Tensor): readonly (Tensor | null)[] {
  const { origin, inputs } = output;
  if (origin.kind !== "primitive") return [];
  const application: Application<PrimitiveName> = { inputs, output, attributes: origin.attributes };
  const derivative = origin.primitive.derivative as (
    application: Application<PrimitiveName>,
    cotangent: Tensor,
  ) => readonly (Tensor | null)[];
  return derivative(application, cotangent);
}

/**
 * The tensors that depend on one of `sources` and that y depends on. y comes first, and every tensor before
 * its inputs.
 */
function tensorsBetween(sources: readonly Tensor[], y: Tensor): ReadonlySet<Tensor> {
  const dependent = new Map<Tensor, boolean>(sources.map((source) => [source, true]));
  const visited = new Set<Tensor>();
  const ancestors: Tensor[] = [];
  const pending = [y];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (visited.has(tensor)) continue;
    visited.add(tensor);
    ancestors.push(tensor);
    for (const input of tensor.inputs) pending.push(input);
  }
  ancestors.sort((a, b) => a.id - b.id);
  for (const tensor of ancestors) {
    if (!dependent.has(tensor))
      dependent.set(
        tensor,
        tensor.inputs.some((input) => dependent.get(input) === true),
      );
  }
  return new Set(ancestors.filter((tensor) => dependent.get(tensor)).reverse());
}
