"""Prints the results of Gymnasium and its own wrappers for a seed and a list of actions, to compare with the bridge."""

import json
import sys
import zlib

import gymnasium
import numpy as np

request = json.loads(sys.argv[1])
if request["atari"]:
    import ale_py
    from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

    gymnasium.register_envs(ale_py)
    environment = gymnasium.make(request["id"], frameskip=1, repeat_action_probability=0)
    environment = FrameStackObservation(AtariPreprocessing(environment, noop_max=30), 4)
else:
    environment = gymnasium.make(request["id"])


def digest(observation):
    observation = np.asarray(observation)
    if request["atari"]:
        observation = np.moveaxis(observation, 0, -1)
    return zlib.crc32(np.ascontiguousarray(observation).tobytes())


observation, _ = environment.reset(seed=request["seed"])
steps = [{"observation": digest(observation)}]
for action in request["actions"]:
    observation, reward, terminated, truncated, _ = environment.step(action)
    steps.append(
        {
            "observation": digest(observation),
            "reward": float(reward),
            "terminated": bool(terminated),
            "truncated": bool(truncated),
        }
    )
    if terminated or truncated:
        break
print(json.dumps(steps))
