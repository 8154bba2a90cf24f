"""PQN in PyTorch, from the environments to the optimiser, in the manner of CleanRL: eager, float32, on the CPU.

CartPole is Gymnasium's own vectorised one (NumPy over all environments), which is faster than CleanRL's SyncVectorEnv. It
resets in the step after an episode's end. MinAtar is replaced by boards, see boards.py. The convolution's channels are
normalised at each position, so images stay in channels_last.
"""

import numpy as np
import torch
from torch import nn

EPSILON = 1e-6  # of layer normalisation, as in flax


def dense(inputs, outputs):
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, np.sqrt(2))
    nn.init.zeros_(layer.bias)
    return layer


class VectorNetwork(nn.Module):
    def __init__(self, inputs, hidden, actions):
        super().__init__()
        layers = []
        for units in hidden:
            layers += [dense(inputs, units), nn.LayerNorm(units, EPSILON), nn.ReLU()]
            inputs = units
        self.network = nn.Sequential(*layers, dense(inputs, actions))

    def forward(self, x):
        return self.network(x)


class BoardNetwork(nn.Module):
    """The network of Young and Tian with layer normalisation."""

    def __init__(self, shape, actions):
        super().__init__()
        height, width, channels = shape
        self.convolution = nn.Conv2d(channels, 16, 3).to(memory_format=torch.channels_last)
        self.image = nn.Sequential(nn.LayerNorm(16, EPSILON), nn.ReLU(), nn.Flatten())
        self.head = nn.Sequential(
            dense((height - 2) * (width - 2) * 16, 128),
            nn.LayerNorm(128, EPSILON),
            nn.ReLU(),
            dense(128, actions),
        )

    def forward(self, x):
        # [batch, height, width, channels] to PyTorch's order of axes and back, without moving a number.
        image = self.convolution(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.head(self.image(image))


class Work:
    def __init__(self, spec):
        torch.set_num_threads(spec["threads"])
        config = spec["config"]
        self.settings = settings = config["algorithm"]
        self.seed = config["run"]["seed"]
        torch.manual_seed(self.seed)
        self.random = np.random.default_rng(self.seed)
        size, horizon = config["environment"]["count"], settings["horizon"]
        self.plays = not config["environment"]["id"].startswith("MinAtar/")
        if not self.plays:
            import boards

            self.environments = boards.VectorBoards(self.seed, size)
            shape, self.actions_count = boards.SHAPE, boards.ACTIONS
            self.network = BoardNetwork(shape, self.actions_count)
        else:
            import gymnasium

            self.environments = gymnasium.make_vec(
                "CartPole-v1", num_envs=size, vectorization_mode="vector_entry_point"
            )
            shape, self.actions_count = (4,), 2
            self.network = VectorNetwork(4, config["network"]["hiddenSizes"], self.actions_count)
        optimiser = config["optimiser"]
        self.optimizer = torch.optim.RAdam(
            self.network.parameters(),
            lr=optimiser["learningRate"],
            betas=(optimiser["beta1"], optimiser["beta2"]),
            eps=optimiser["epsilon"],
        )
        self.max_norm = optimiser["maxGradientNorm"]
        self.size, self.horizon = size, horizon
        self.observations = torch.zeros((horizon, size, *shape))
        self.actions = torch.zeros((horizon, size), dtype=torch.long)
        self.rewards = torch.zeros((horizon, size))
        self.ends = torch.zeros((horizon, size))
        self.values = torch.zeros((horizon, size))
        first, _ = self.environments.reset(seed=self.seed)
        self.next_observations = torch.from_numpy(first)
        self.parameters = sum(one.numel() for one in self.network.parameters())

    def collect(self):
        """Steps all environments with the ε-greedy policy."""
        size, epsilon = self.size, self.settings["epsilon"]
        for t in range(self.horizon):
            self.observations[t] = self.next_observations
            with torch.no_grad():
                best_values, best = self.network(self.next_observations).max(dim=1)
            explores = torch.rand(size) < epsilon
            actions = torch.where(explores, torch.randint(0, self.actions_count, (size,)), best)
            self.actions[t] = actions
            self.values[t] = best_values
            observations, rewards, terminated, truncated, _ = self.environments.step(actions.numpy())
            self.next_observations = torch.from_numpy(observations)
            self.rewards[t] = torch.from_numpy(rewards)
            self.ends[t] = torch.from_numpy(np.logical_or(terminated, truncated))

    @torch.no_grad()
    def targets(self):
        """Q(λ): r + γ (λ target + (1 − λ) max Q) of the next step, without what follows the end of an episode."""
        gamma, trace = self.settings["gamma"], self.settings["lambda"]
        targets = torch.zeros_like(self.rewards)
        following = self.network(self.next_observations).max(dim=1).values
        for t in reversed(range(self.horizon)):
            targets[t] = self.rewards[t] + gamma * (1 - self.ends[t]) * following
            following = trace * targets[t] + (1 - trace) * self.values[t]
        return targets

    def learn(self):
        observations = self.observations.flatten(0, 1)
        actions, targets = self.actions.flatten(), self.targets().flatten()
        samples = self.horizon * self.size
        minibatch = samples // self.settings["minibatches"]
        updates = 0
        for _ in range(self.settings["epochs"]):
            order = self.random.permutation(samples)
            for start in range(0, samples, minibatch):
                chosen = torch.from_numpy(order[start : start + minibatch])
                q = self.network(observations[chosen]).gather(1, actions[chosen].unsqueeze(1)).squeeze(1)
                loss = 0.5 * nn.functional.mse_loss(q, targets[chosen])
                self.optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), self.max_norm)
                self.optimizer.step()
                updates += 1
        return updates, loss.item()

    def run(self, iterations):
        updates, episodes = 0, 0
        for _ in range(iterations):
            self.collect()
            made, loss = self.learn()
            updates += made
            episodes += int(self.ends.sum())
        steps = iterations * self.horizon * self.size
        figures = {"stepsPerUpdate": steps / updates, "parameters": self.parameters, "loss": loss}
        if self.plays and episodes > 0:
            figures["episodeLength"] = steps / episodes
        return iterations, figures


def load(spec):
    return Work(spec)
