"""stable-baselines3's A2C on Pong in its usual form: make_atari_env, four stacked frames, CnnPolicy, on the CPU."""

import atexit

import ale_py
import gymnasium
import torch
from stable_baselines3 import A2C
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecFrameStack

gymnasium.register_envs(ale_py)


def frames(size, seed, vector):
    """Environments of the class `vector` with four stacked frames."""
    subprocesses = vector == "SubprocVecEnv"
    environment = make_atari_env(
        "PongNoFrameskip-v4",
        n_envs=size,
        seed=seed,
        vec_env_cls=SubprocVecEnv if subprocesses else DummyVecEnv,
        # Forked before any threads start, so that the workers share the imported modules.
        vec_env_kwargs={"start_method": "fork"} if subprocesses else None,
    )
    # Otherwise the workers of SubprocVecEnv would outlive this process.
    atexit.register(environment.close)
    return VecFrameStack(environment, 4)


class Work:
    def __init__(self, spec):
        torch.set_num_threads(spec["threads"])
        self.steps = spec["environments"] * spec["horizon"]
        self.model = A2C(
            "CnnPolicy",
            frames(spec["environments"], spec["seed"], spec["vector"]),
            learning_rate=spec["learningRate"],
            n_steps=spec["horizon"],
            gamma=spec["gamma"],
            ent_coef=spec["tau"],
            vf_coef=0.5 * spec["valueCoefficient"],
            max_grad_norm=spec["maxGradientNorm"],
            rms_prop_eps=spec["epsilon"],
            seed=spec["seed"],
            device="cpu",
        )

    def run(self, iterations):
        before = self.model.num_timesteps
        self.model.learn(iterations * self.steps, reset_num_timesteps=False)
        return (self.model.num_timesteps - before) / self.steps, {}


def load(spec):
    return Work(spec)
