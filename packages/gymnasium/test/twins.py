"""
Writes transitions of the real Gymnasium from given states, to compare with core's environments. The output is one
little-endian block after the other: states (float64), actions (int32), observations after the step (float32; for a
table the next state), rewards (float64), and whether the episode terminated (uint8).
"""

import sys

import gymnasium
import numpy as np

id, count = sys.argv[1], int(sys.argv[2])
env = gymnasium.make(id).unwrapped
env.reset(seed=3)
random = np.random.default_rng(23)


def cart_pole(row):
    """Every fourth state lies near an edge, where a wrong comparison would be detected."""
    scale = np.array([2.41, 0.5, 0.21, 0.5]) if row % 4 == 0 else np.array([2.4, 3.0, 0.2095, 3.0])
    state = random.uniform(-1, 1, 4) * scale
    if row % 4 == 0:
        edge = 2 * int(random.integers(2))
        state[edge] = np.sign(state[edge]) * scale[edge] * random.uniform(0.97, 1)
    return state


def acrobot(row):
    """Every fourth state is fast enough to reach the limits of both speeds."""
    speeds = [4, 9] if row % 4 else [12.5, 28.2]
    return random.uniform(-1, 1, 4) * [np.pi, np.pi, *speeds]


def mountain_car(row):
    """A quarter of the states lies near the left edge, half near the goal."""
    position = [random.uniform(-1.2, -1.16), random.uniform(-1.2, 0.6), random.uniform(0.44, 0.5)][min(row % 4, 2)]
    return np.array([position, random.uniform(-0.07, 0.07)])


draws = {"CartPole-v1": cart_pole, "Acrobot-v1": acrobot, "MountainCar-v0": mountain_car}
# For a table, only the states that an episode can reach; in all others core's tables may differ.
alive = []
if id not in draws:
    alive = [state for state, chance in enumerate(env.initial_state_distrib) if chance > 0]
    for state in alive:
        for rows in env.P[state].values():
            alive += [s for s in {int(next) for _, next, _, ended in rows if not ended} if s not in alive]
states, actions, observations, rewards, terminated = [], [], [], [], []
for row in range(count):
    action = int(random.integers(env.action_space.n))
    if id in draws:
        state = draws[id](row)
        env.state = state.copy()
        env.steps_beyond_terminated = None
    else:
        state = int(random.choice(alive))
        env.s = state
    observation, reward, ended, truncated, _ = env.step(action)
    assert not truncated
    states.append(state)
    actions.append(action)
    observations.append(observation)
    rewards.append(reward)
    terminated.append(ended)
for values, dtype in [
    (states, "<f8"),
    (actions, "<i4"),
    (observations, "<f4"),
    (rewards, "<f8"),
    (terminated, "u1"),
]:
    sys.stdout.buffer.write(np.asarray(values, dtype).tobytes())
