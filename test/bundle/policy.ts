import type { Policy } from "softrl";

/** The policy's most probable action for an observation. */
export function greedy(policy: Policy) {
  const actions = new Int32Array(1);
  return (observation: readonly number[]) => {
    policy.act(Float32Array.from(observation), actions, "mode");
    return actions[0];
  };
}
