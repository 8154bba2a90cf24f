"""stable-baselines3's PPO in its usual form, on the CPU, with the settings of the run that it is measured against."""

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env


class Work:
    def __init__(self, spec):
        torch.set_num_threads(spec["threads"])
        config = spec["config"]
        size, seed = config["environment"]["count"], config["run"]["seed"]
        optimiser, algorithm = config["optimiser"], config["algorithm"]
        if config["environment"]["id"] == "CartPole-v1":
            environment, policy = make_vec_env("CartPole-v1", n_envs=size, seed=seed), "MlpPolicy"
            network = {"net_arch": config["network"]["hiddenSizes"]}
        else:
            from sb3_pong import frames

            environment, policy, network = frames(size, seed, spec["vector"]), "CnnPolicy", {}
        self.steps = size * algorithm["horizon"]
        self.updates = algorithm["epochs"] * algorithm["minibatches"]
        self.model = PPO(
            policy,
            environment,
            learning_rate=optimiser["learningRate"],
            n_steps=algorithm["horizon"],
            batch_size=self.steps // algorithm["minibatches"],
            n_epochs=algorithm["epochs"],
            gamma=algorithm["gamma"],
            gae_lambda=algorithm["lambda"],
            clip_range=algorithm["clipRange"],
            clip_range_vf=algorithm["clipRange"] if algorithm["clipValues"] else None,
            normalize_advantage=algorithm["normaliseAdvantages"],
            ent_coef=algorithm["tau"],
            vf_coef=0.5 * algorithm["valueCoefficient"],
            max_grad_norm=optimiser["maxGradientNorm"],
            policy_kwargs={**network, "optimizer_kwargs": {"eps": optimiser["epsilon"]}},
            seed=seed,
            device="cpu",
        )
        self.parameters = sum(one.numel() for one in self.model.policy.parameters())

    def run(self, iterations):
        model = self.model
        steps, epochs = model.num_timesteps, model._n_updates
        model.learn(iterations * self.steps, reset_num_timesteps=False)
        steps = model.num_timesteps - steps
        # stable-baselines3 counts epochs as updates.
        updates = (model._n_updates - epochs) * self.updates / model.n_epochs
        return steps / self.steps, {
            "stepsPerUpdate": steps / max(1, updates),
            "parameters": self.parameters,
            "loss": float(model.logger.name_to_value["train/loss"]),
        }


def load(spec):
    return Work(spec)
