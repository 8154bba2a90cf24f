"""Writes acrobot.json and mountain-car.json: transitions of Gymnasium 1.3.0 from given states.

Run it with a Python that has gymnasium 1.3.0: python classic-control.py
Then format the files: npx biome format --write acrobot.json mountain-car.json
"""

import json
import sys
from pathlib import Path

import gymnasium
import numpy as np

assert gymnasium.__version__ == "1.3.0", gymnasium.__version__
rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
here = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent


def write(id, file, draw):
    """One step from each of `rows` states; observations with the fewest digits that identify their float32 numbers."""
    env = gymnasium.make(id).unwrapped
    env.reset(seed=0)
    rng = np.random.default_rng(17)
    golden = {"gymnasium": gymnasium.__version__, "states": [], "actions": [], "observations": [], "rewards": []}
    golden["terminated"] = []
    for row in range(rows):
        state = [round(float(x), 6) for x in draw(rng, row)]
        action = int(rng.integers(3))
        env.state = np.array(state, dtype=np.float64)
        observation, reward, ended, truncated, _ = env.step(action)
        assert observation.dtype == np.float32 and not truncated
        golden["states"].append(state)
        golden["actions"].append(action)
        golden["observations"].append([float(str(x)) for x in observation])
        golden["rewards"].append(float(reward))
        golden["terminated"].append(int(ended))
    here.joinpath(file).write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(id, sum(golden["terminated"]), "of", rows, "transitions end the episode")


def acrobot(rng, row):
    """Every fourth state is fast enough to reach the limits of both speeds."""
    speeds = [4, 9] if row % 4 else [12.5, 28.2]
    return rng.uniform(-1, 1, 4) * [np.pi, np.pi, *speeds]


def mountain_car(rng, row):
    """A quarter of the states lies near the left edge, another quarter near the goal."""
    position = rng.uniform(-1.2, 0.6)
    if row % 4 == 0:
        position = rng.uniform(-1.2, -1.16)
    if row % 4 == 2:
        position = rng.uniform(0.44, 0.5)
    return position, rng.uniform(-0.07, 0.07)


write("Acrobot-v1", "acrobot.json", acrobot)
write("MountainCar-v0", "mountain-car.json", mountain_car)
