"""Writes cart-pole.json: transitions of Gymnasium 1.3.0's CartPole-v1 from given states.

Run it with a Python that has gymnasium 1.3.0: python cart-pole.py
Then format the file: npx biome format --write cart-pole.json
"""

import json
from pathlib import Path

import gymnasium
import numpy as np

assert gymnasium.__version__ == "1.3.0", gymnasium.__version__
rng = np.random.default_rng(17)
env = gymnasium.make("CartPole-v1").unwrapped
env.reset(seed=0)

def float32_step(state, action):
    """One step from a float64 state; the observation with the fewest digits that identify its float32 numbers."""
    env.state = np.array(state, dtype=np.float64)
    env.steps_beyond_terminated = None
    observation, reward, ended, truncated, _ = env.step(action)
    assert observation.dtype == np.float32 and not truncated
    return [float(str(x)) for x in observation], float(reward), int(ended)


states, actions, observations, rewards, terminated = [], [], [], [], []
for row in range(1400):
    # Every fourth state lies near an edge, where a wrong comparison would be detected.
    near = row % 4 == 0
    scale = np.array([2.41, 0.5, 0.21, 0.5]) if near else np.array([2.4, 3.0, 0.2095, 3.0])
    state = rng.uniform(-1, 1, 4) * scale
    if near:
        edge = 2 * int(rng.integers(2))
        state[edge] = np.sign(state[edge]) * scale[edge] * rng.uniform(0.97, 1)
    states.append([round(float(x), 6) for x in state])
    actions.append(int(rng.integers(2)))
    observation, reward, ended = float32_step(states[-1], actions[-1])
    observations.append(observation)
    rewards.append(reward)
    terminated.append(ended)

# One long run whose float64 state is set only once, so that rounding errors can accumulate.
start = [0.01, -0.02, 0.03, 0.04]
run_actions, run_observations = [], []
env.state = np.array(start)
env.steps_beyond_terminated = None
for _ in range(499):
    x, speed, angle, spin = env.state
    run_actions.append(1 if angle + 0.3 * spin + 0.01 * x + 0.02 * speed > 0 else 0)
    observation, _, ended, _, _ = env.step(run_actions[-1])
    run_observations.append([float(str(x)) for x in observation])
    assert not ended

here = Path(__file__).parent
here.joinpath("cart-pole.json").write_text(
    json.dumps(
        {
            "gymnasium": gymnasium.__version__,
            "states": states,
            "actions": actions,
            "observations": observations,
            "rewards": rewards,
            "terminated": terminated,
            "run": {"state": start, "actions": run_actions, "observations": run_observations},
        },
        separators=(",", ":"),
    )
    + "\n"
)
print(sum(terminated), "of", len(terminated), "transitions end the episode")
