"""stable-baselines3's A2C on CartPole in its usual form: DummyVecEnv, MlpPolicy with tanh, on the CPU."""

import torch
from stable_baselines3 import A2C
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env


class CountEpisodes(BaseCallback):
    episodes = 0

    def _on_step(self):
        self.episodes += int(self.locals["dones"].sum())
        return True


class Work:
    def __init__(self, spec):
        torch.set_num_threads(spec["threads"])
        self.steps = spec["environments"] * spec["horizon"]
        self.model = A2C(
            "MlpPolicy",
            make_vec_env("CartPole-v1", n_envs=spec["environments"], seed=spec["seed"]),
            learning_rate=spec["learningRate"],
            n_steps=spec["horizon"],
            gamma=spec["gamma"],
            ent_coef=spec["tau"],
            vf_coef=0.5 * spec["valueCoefficient"],
            max_grad_norm=spec["maxGradientNorm"],
            rms_prop_eps=spec["epsilon"],
            policy_kwargs={"net_arch": spec["hiddenSizes"]},
            seed=spec["seed"],
            device="cpu",
        )

    def run(self, iterations):
        count = CountEpisodes()
        before = self.model.num_timesteps
        self.model.learn(iterations * self.steps, callback=count, reset_num_timesteps=False)
        steps = self.model.num_timesteps - before
        return steps / self.steps, {"episodeLength": steps / max(1, count.episodes)}


def load(spec):
    return Work(spec)
