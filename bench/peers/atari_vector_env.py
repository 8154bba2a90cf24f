"""Pong in ALE's own vector environment, under the same protocol except for the distribution of no-ops."""

import numpy as np
from ale_py.vector_env import AtariVectorEnv
from gymnasium.vector import AutoresetMode


class Work:
    def __init__(self, spec):
        self.environment = AtariVectorEnv(
            "pong",
            num_envs=spec["environments"],
            num_threads=spec["threads"],
            use_fire_reset=False,
            autoreset_mode=AutoresetMode.SAME_STEP,
        )
        self.environment.reset(seed=spec["seed"])
        actions = self.environment.single_action_space.n
        self.actions = np.random.default_rng(spec["seed"]).integers(actions, size=(1024, spec["environments"]))
        self.at = 0

    def run(self, iterations):
        for _ in range(iterations):
            self.environment.step(self.actions[self.at % 1024])
            self.at += 1
        return iterations, {}


def load(spec):
    return Work(spec)
