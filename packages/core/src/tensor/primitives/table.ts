import type { Primitive, PrimitiveName } from "../tensor.js";
import { broadcastingPrimitives } from "./broadcasting.js";
import { convolutionPrimitives } from "./convolution.js";
import { elementwisePrimitives } from "./elementwise.js";
import { indexingPrimitives } from "./indexing.js";
import { layoutPrimitives } from "./layout.js";
import { matmulPrimitives } from "./matmul.js";
import { normalisationPrimitives } from "./normalisation.js";
import { reductionPrimitives } from "./reduction.js";
import { softmaxPrimitives } from "./softmax.js";
import { stopGradientPrimitives } from "./stop-gradient.js";

/**
 * Every primitive. A name without a shape rule, a derivative rule and a reference kernel does not compile.
 */
export const primitives: { readonly [Name in PrimitiveName]: Primitive<Name> } = {
  ...elementwisePrimitives,
  ...layoutPrimitives,
  ...broadcastingPrimitives,
  ...reductionPrimitives,
  ...matmulPrimitives,
  ...convolutionPrimitives,
  ...indexingPrimitives,
  ...softmaxPrimitives,
  ...normalisationPrimitives,
  ...stopGradientPrimitives,
};
