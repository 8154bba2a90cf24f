// An optimiser with the name of a built-in one, whose steps leave the parameters where they are.
import { mul, optimiserKind, sub } from "softrl";

export default optimiserKind({
  name: "sgd",
  about: "steps of length 0",
  settings: {},
  make: () => ({
    step(theta, gradient, learningRate) {
      const step = mul(learningRate, gradient);
      return { theta: sub(theta, sub(step, step)), states: [] };
    },
  }),
});
