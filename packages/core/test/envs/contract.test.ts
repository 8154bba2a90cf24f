import { CartPole, environmentIds, GridWorld, makeEnvironment, TabularEnvironment, vectorize } from "softrl";
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

environmentContract("Acrobot-v1", (size) => makeEnvironment("Acrobot-v1", size, { maxEpisodeSteps: 90 }), {
  isTerminal: ([cosine1, sine1, cosine2, sine2]) => -cosine1 - (cosine1 * cosine2 - sine1 * sine2) > 1 + 1e-6,
  meets: ["truncation"],
});
environmentContract("MountainCar-v0", (size) => makeEnvironment("MountainCar-v0", size), {
  isTerminal: ([position]) => position >= 0.5,
  meets: ["truncation"],
});

// Short episodes, so that both endings occur within few steps.
for (const [id, limit] of [
  ["FrozenLake-v1", 6],
  ["FrozenLake8x8-v1", 40],
  ["CliffWalking-v1", 50],
  ["Taxi-v4", 50],
] as const) {
  const make = (size: number) => makeEnvironment(id, size, { maxEpisodeSteps: limit });
  const table = make(1);
  const { terminal } = table instanceof TabularEnvironment ? table.mdp : { terminal: new Uint8Array() };
  environmentContract(id, make, {
    isTerminal: (observation) => terminal[observation.indexOf(1)] === 1,
    meets: id.startsWith("FrozenLake") ? ["termination", "truncation"] : ["truncation"],
  });
}

for (const id of environmentIds.filter((name) => name.startsWith("MinAtar/"))) {
  environmentContract(id, (size) => makeEnvironment(id, size), {
    steps: 600,
    meets: id === "MinAtar/Freeway-v1" ? [] : ["termination"],
  });
}
environmentContract(
  "MinAtar/Breakout-v1 of 12 steps",
  (size) => makeEnvironment("MinAtar/Breakout-v1", size, { maxEpisodeSteps: 12 }),
  { steps: 300, meets: ["termination", "truncation"] },
);

environmentContract(
  "a toy environment with byte observations",
  (size) => vectorize("Toy", () => new Toy(8), size, { maxEpisodeSteps: 15 }),
  {
    isTerminal: (observation) => observation[0] === 8,
    meets: ["termination", "truncation"],
  },
);

// Bridged environments return promises; the same contract must hold for them.
environmentContract(
  "an asynchronous toy environment",
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
