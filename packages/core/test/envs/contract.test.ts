import { CartPole, GridWorld, makeEnvironment, vectorize } from "softrl";
import { environmentContract } from "./contract.js";
import { Toy } from "./toy.js";

const fallen = ([position, , angle]: readonly number[]) =>
  Math.abs(position) > 2.4 || Math.abs(angle) > (12 * 2 * Math.PI) / 360;

environmentContract("CartPole-v1", (size) => makeEnvironment("CartPole-v1", size), {
  isTerminal: fallen,
  meets: ["termination"],
});
environmentContract("CartPole of 12 steps", (size) => new CartPole(size, { maxEpisodeSteps: 12 }), {
  isTerminal: fallen,
  meets: ["termination", "truncation"],
});

const { mdp } = new GridWorld();
environmentContract("GridWorld-v0", (size) => makeEnvironment("GridWorld-v0", size, { maxEpisodeSteps: 9 }), {
  isTerminal: (observation) => mdp.terminal[observation.indexOf(1)] === 1,
  meets: ["termination", "truncation"],
});

environmentContract(
  "a toy of bytes",
  (size) => vectorize("Toy", () => new Toy(8), size, { maxEpisodeSteps: 15 }),
  {
    isTerminal: (observation) => observation[0] === 8,
    meets: ["termination", "truncation"],
  },
);

// A bridged environment answers with promises: the same contract must hold for it.
environmentContract(
  "an asynchronous toy",
  (size) => {
    const inner = vectorize("Toy", () => new Toy(8, "float32"), size, { maxEpisodeSteps: 15 });
    const later = async <Value>(act: () => Value): Promise<Value> => {
      await Promise.resolve();
      return act();
    };
    const { id, observationSpace, actionSpace, observations, finalObservations, rewards } = inner;
    const { episodeReturns, episodeLengths, episodeEnded, terminated, truncated } = inner;
    return {
      ...{ id, size, observationSpace, actionSpace, observations, finalObservations, rewards },
      ...{ episodeReturns, episodeLengths, episodeEnded, terminated, truncated },
      reset: (streams) => later(() => inner.reset(streams)),
      step: (actions) => later(() => inner.step(actions)),
      save: () => later(() => inner.save()),
      restore: (snapshot) => later(() => inner.restore(snapshot)),
      close: () => later(() => inner.close()),
    };
  },
  { steps: 200, isTerminal: (observation) => observation[0] === 8, meets: ["termination", "truncation"] },
);
