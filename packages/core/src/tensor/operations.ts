/** Every operation on symbolic tensors; losses and networks are written with these. */
export { broadcastTo, sum } from "./primitives/broadcasting.js";
export { conv2d } from "./primitives/convolution.js";
export {
  abs,
  add,
  div,
  equal,
  exp,
  greater,
  greaterEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  select,
  sqrt,
  square,
  sub,
  tanh,
} from "./primitives/elementwise.js";
export { gather, scatter } from "./primitives/indexing.js";
export { concat, pad, reshape, slice, transpose } from "./primitives/layout.js";
export { matmul } from "./primitives/matmul.js";
export { normalise } from "./primitives/normalisation.js";
export { max, mean } from "./primitives/reduction.js";
export { logSoftmax, logSumExp } from "./primitives/softmax.js";
export { stopGradient } from "./primitives/stop-gradient.js";
export { constant, input, state } from "./tensor.js";
