"""An environment in the place of MinAtar, which has no Python version here: boards of its shape, drawn beforehand.

A step costs next to nothing, so a peer with it is faster than it would be with the game.
"""

import gymnasium
import numpy as np

SHAPE = (10, 10, 4)
ACTIONS = 6
DRAWN = 1024
EPISODE = 100


def draw(seed, *sizes):
    """Boards of zeros and ones, in the order height, width, channels."""
    return np.random.default_rng(seed).random((*sizes, *SHAPE)) < 0.05


class Boards(gymnasium.Env):
    """One environment, with the channels first as PyTorch has them; a byte per cell, which is not scaled."""

    def __init__(self, seed):
        height, width, channels = SHAPE
        self.observation_space = gymnasium.spaces.Box(0, 1, (channels, height, width), np.uint8)
        self.action_space = gymnasium.spaces.Discrete(ACTIONS)
        self.boards = np.ascontiguousarray(draw(seed, DRAWN).transpose(0, 3, 1, 2).astype(np.uint8))
        self.at = 0

    def reset(self, *, seed=None, options=None):
        return self.boards[self.at % DRAWN], {}

    def step(self, action):
        self.at += 1
        reward = 1.0 if self.at % 10 == 0 else 0.0
        return self.boards[self.at % DRAWN], reward, self.at % EPISODE == 0, False, {}


class VectorBoards:
    """Several environments, stepped together; [environments, height, width, channels] in float32."""

    def __init__(self, seed, size):
        self.boards = draw(seed, 64, size).astype(np.float32)
        self.rewards = np.zeros(size, np.float32)
        self.ends = np.arange(size) % EPISODE
        self.never = np.zeros(size, bool)
        self.at = 0

    def reset(self, seed=None):
        return self.boards[0], {}

    def step(self, actions):
        self.at += 1
        self.rewards.fill(self.at % 10 == 0)
        terminated = self.ends == self.at % EPISODE
        return self.boards[self.at % len(self.boards)], self.rewards, terminated, self.never, {}
