"""Environments that each misbehave in one way, at their third step."""

import math
import os
import signal
import sys
import time

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle


class Calm(gymnasium.Env):
    observation_space = spaces.Box(-1, 1, (2,), np.float64)
    action_space = spaces.Discrete(3, start=5)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(2), {}

    def step(self, action):
        if not 5 <= action <= 7:
            raise ValueError(f"action {action}")
        self.steps += 1
        return self.outcome(action) if self.steps == 3 else (np.full(2, self.steps / 10), 1.0, False, False, {})

    def outcome(self, action):
        return np.full(2, 0.5), float(action), False, True, {}


class NanObservation(Calm):
    def outcome(self, action):
        return np.array([0, math.nan]), 0.0, False, False, {}


class InfiniteReward(Calm):
    def outcome(self, action):
        return np.zeros(2), -math.inf, False, False, {}


class WrongShape(Calm):
    def outcome(self, action):
        return np.zeros(3), 0.0, False, False, {}


class Raises(Calm):
    def outcome(self, action):
        raise KeyError("lost\nkey")


class Exits(Calm):
    def outcome(self, action):
        print("so long", file=sys.stderr, flush=True)
        os._exit(9)


class Hangs(Calm):
    def outcome(self, action):
        time.sleep(1000)


class Prints(Calm):
    def outcome(self, action):
        print("a line from Python")
        os.write(1, b"bytes from a library")
        sys.stdin.read()
        return super().outcome(action)


class Forgets(Calm, EzPickle):
    """EzPickle restores a fresh environment instead of the saved state."""

    def __init__(self):
        EzPickle.__init__(self)


class Pixels(Calm):
    observation_space = spaces.Box(0, 255, (2, 2, 3), np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.full((2, 2, 3), 7, np.uint8), {}

    def step(self, action):
        return np.arange(12, dtype=np.uint8).reshape(2, 2, 3), 0.0, False, False, {}


class Speaks(Calm):
    """Raises an exception with a long text, line breaks and commands to the terminal."""

    def outcome(self, action):
        raise ValueError("\x1b[31mred\x1b]0;title\x07\n" * 10_000)


class Silent(Calm):
    """Raises an exception whose text cannot be read."""

    class Fault(Exception):
        def __str__(self):
            raise ValueError("no text")

    def outcome(self, action):
        raise self.Fault()


class Forks(Calm):
    """Starts a process that ignores all requests to end; the rewards are its number."""

    child = None

    def reset(self, **arguments):
        if self.child is None:
            self.child = os.fork()
            if self.child == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(1000)
                os._exit(0)
        return super().reset(**arguments)

    def step(self, action):
        observation, _, *others = super().step(action)
        return observation, float(self.child), *others


class ForksAndHangs(Forks):
    def outcome(self, action):
        time.sleep(1000)


class ForksAndExits(Forks):
    def outcome(self, action):
        os._exit(9)


class Nested(Calm):
    observation_space = spaces.Dict(a=spaces.Discrete(2))


def register(name, kind):
    gymnasium.register(f"{name}-v0", kind)


for kind in (
    Calm,
    NanObservation,
    InfiniteReward,
    WrongShape,
    Raises,
    Exits,
    Hangs,
    Prints,
    Forgets,
    Pixels,
    Speaks,
    Silent,
    Forks,
    ForksAndHangs,
    ForksAndExits,
    Nested,
):
    register(kind.__name__, kind)
