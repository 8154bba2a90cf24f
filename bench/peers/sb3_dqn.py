"""stable-baselines3's DQN in its usual form, on the CPU, with the settings of the run that it is measured against."""

import torch
from boards import Boards
from stable_baselines3 import DQN
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn


class BoardFeatures(BaseFeaturesExtractor):
    """The network of Young and Tian: 16 convolutions of 3 × 3, then 128 units."""

    def __init__(self, space):
        super().__init__(space, features_dim=128)
        channels, height, width = space.shape
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * (height - 2) * (width - 2), 128),
            nn.ReLU(),
        )

    def forward(self, boards):
        return self.layers(boards)


class Work:
    def __init__(self, spec):
        torch.set_num_threads(spec["threads"])
        config = spec["config"]
        size, seed = config["environment"]["count"], config["run"]["seed"]
        optimiser, algorithm = config["optimiser"], config["algorithm"]
        if config["environment"]["id"].startswith("MinAtar/"):
            environment = DummyVecEnv([lambda: Monitor(Boards(seed))] * size)
            policy, network = "MlpPolicy", {"features_extractor_class": BoardFeatures, "net_arch": []}
        else:
            from sb3_pong import frames

            environment, policy, network = frames(size, seed, spec["vector"]), "CnnPolicy", {}
        self.steps = algorithm["trainEvery"]
        self.model = DQN(
            policy,
            environment,
            learning_rate=optimiser["learningRate"],
            buffer_size=algorithm["replayCapacity"],
            learning_starts=algorithm["replayStart"],
            batch_size=algorithm["batchSize"],
            gamma=algorithm["gamma"],
            # Counted in steps of all environments.
            train_freq=algorithm["trainEvery"] // size,
            target_update_interval=algorithm["targetEvery"] * algorithm["trainEvery"],
            exploration_initial_eps=algorithm["epsilon"],
            exploration_final_eps=algorithm["epsilon"],
            max_grad_norm=optimiser["maxGradientNorm"],
            policy_kwargs={
                **network,
                "optimizer_class": torch.optim.RMSprop,
                "optimizer_kwargs": {
                    "alpha": optimiser["decay"],
                    "eps": optimiser["epsilon"],
                    "centered": optimiser["centred"],
                },
            },
            seed=seed,
            device="cpu",
        )
        self.parameters = sum(one.numel() for one in self.model.q_net.parameters())
        # Updates are made from the first block on.
        self.model.learn(algorithm["replayStart"] + 4 * self.steps)

    def run(self, iterations):
        model = self.model
        steps, updates = model.num_timesteps, model._n_updates
        model.learn(iterations * self.steps, reset_num_timesteps=False)
        steps = model.num_timesteps - steps
        return steps / self.steps, {
            "stepsPerUpdate": steps / max(1, model._n_updates - updates),
            "parameters": self.parameters,
            "loss": float(model.logger.name_to_value["train/loss"]),
        }


def load(spec):
    return Work(spec)
