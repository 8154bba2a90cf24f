"""Steps S environments one after the other; the step that ends an episode also resets its environment."""

import json
import math
import struct

import numpy as np

from .connection import BridgeError, text_of


class Outcome:
    """The outcome of one step of one environment. `over` means that the whole game ended, not only a life."""

    __slots__ = ("reward", "raw_reward", "terminated", "truncated", "over")

    def __init__(self, reward, raw_reward, terminated, truncated, over):
        self.reward = reward
        self.raw_reward = raw_reward
        self.terminated = terminated
        self.truncated = truncated
        self.over = over


class Vector:
    """
    The environments implement `space`, `action_space`, `reset(seed, out)`, `step(action, out)`, `state()`,
    `restore(meta, blobs)` and, for lost lives, `continue_game(out)`. They write their observation into `out`.
    """

    def __init__(self, id, environments, first=0):
        self.id = id
        self.environments = environments
        # Error messages use the parent's numbering of the environments.
        self.first = first
        self.shared = False
        size = len(environments)
        space = environments[0].space
        shape = (size, *space["shape"])
        self._place(np.zeros(shape, space["dtype"]), np.zeros(shape, space["dtype"]))
        self.rewards = np.zeros(size, np.float64)
        self.episode_returns = np.zeros(size, np.float64)
        self.episode_lengths = np.zeros(size, np.int32)
        self.ended = np.zeros(size, np.uint8)
        self.terminated = np.zeros(size, np.uint8)
        self.truncated = np.zeros(size, np.uint8)
        self.running_returns = [0.0] * size
        self.running_lengths = [0] * size
        self.steps = 0

    def _place(self, observations, finals):
        self.observations = observations
        self.finals = finals
        self.rows = list(observations)
        self._floats = observations.dtype != np.uint8

    def share(self, memory, observations_at, finals_at):
        """Moves the observations into shared memory; after this they are not sent through the pipe."""
        shape, dtype = self.observations.shape, self.observations.dtype
        count = self.observations.size
        views = [np.frombuffer(memory, dtype, count, at).reshape(shape) for at in (observations_at, finals_at)]
        self._place(*views)
        self.shared = True

    def observed(self):
        """The reply to a reset: all observations, or nothing if they are in shared memory."""
        return [] if self.shared else [self.observations]

    def screen(self, i):
        """Width, height and pixels of the rendered environment i; nothing if it renders nothing."""
        rendered = self._try(i, self.environments[i].screen)
        if rendered is None:
            return []
        pixels = np.asarray(rendered)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise BridgeError(
                f"environment {i} does not render an image",
                "[height, width, 3] uint8",
                f"{list(pixels.shape)} {pixels.dtype}",
            )
        height, width, _ = pixels.shape
        return [struct.pack("<II", width, height), np.ascontiguousarray(pixels)]

    def reset(self, seeds):
        self.steps = 0
        for i, environment in enumerate(self.environments):
            self._try(i, environment.reset, int(seeds[i]), self.rows[i])
            self._check_observation(i)
            self.running_returns[i] = 0.0
            self.running_lengths[i] = 0

    def step(self, actions):
        self.steps += 1
        self.ended.fill(0)
        self.terminated.fill(0)
        self.truncated.fill(0)
        for i, environment in enumerate(self.environments):
            row = self.rows[i]
            outcome = self._try(i, environment.step, int(actions[i]), row)
            if not math.isfinite(outcome.reward):
                raise BridgeError(
                    f"the reward of environment {self.first + i} is not finite at step {self.steps}",
                    "a finite number",
                    str(outcome.reward),
                    "fix the environment's reward",
                )
            self._check_observation(i)
            self.rewards[i] = outcome.reward
            self.running_returns[i] += outcome.raw_reward
            self.running_lengths[i] += 1
            if not (outcome.terminated or outcome.truncated):
                continue
            self.terminated[i] = outcome.terminated
            self.truncated[i] = outcome.truncated
            self.finals[i] = row
            over = outcome.over
            if not over:
                raw_reward, over = self._try(i, environment.continue_game, row)
                self.running_returns[i] += raw_reward
            if over:
                self.ended[i] = 1
                self.episode_returns[i] = self.running_returns[i]
                self.episode_lengths[i] = self.running_lengths[i]
                self.running_returns[i] = 0.0
                self.running_lengths[i] = 0
                self._try(i, environment.reset, None, row)
            self._check_observation(i)

    def reply(self):
        """The reply to a step: numbers and flags, all observations, and the final observations of ended episodes."""
        numbers = [
            self.rewards,
            self.episode_returns,
            self.episode_lengths,
            self.ended,
            self.terminated,
            self.truncated,
        ]
        if self.shared:
            return numbers
        rows = [self.finals[i] for i in np.flatnonzero(self.terminated | self.truncated)]
        return [*numbers, self.observations, *rows]

    def save(self):
        """One block per environment, so that any number of processes can restore them; None if one cannot be saved."""
        blocks = []
        for i, environment in enumerate(self.environments):
            state = self._try(i, environment.state)
            if state is None:
                return None
            meta, blobs = state
            head = {
                "id": self.id,
                "steps": self.steps,
                "return": self.running_returns[i],
                "length": self.running_lengths[i],
                "meta": meta,
            }
            blocks.append(_block(_block(json.dumps(head).encode()), _block(self.rows[i].tobytes()), *map(_block, blobs)))
        return b"".join(blocks)

    def restore(self, state):
        try:
            blocks = _unpack(memoryview(state))
            if len(blocks) != len(self.environments):
                raise ValueError(f"the state has {len(blocks)} environments")
            for i, (environment, block) in enumerate(zip(self.environments, blocks)):
                head, observation, *blobs = _unpack(memoryview(block))
                head = json.loads(head)
                if head["id"] != self.id:
                    raise ValueError(f"the state is that of {head['id']}")
                observation = np.frombuffer(observation, self.observations.dtype)
                environment.restore(head["meta"], blobs)
                self.rows[i][:] = observation.reshape(self.rows[i].shape)
                self.steps = head["steps"]
                self.running_returns[i] = head["return"]
                self.running_lengths[i] = head["length"]
        except Exception as error:
            raise BridgeError(
                "the saved state cannot be restored",
                f"a state of {self.id} saved with the same package versions",
                f"{type(error).__name__}: {text_of(error)}",
            ) from error

    def close(self):
        for environment in self.environments:
            environment.close()

    def _try(self, i, action, *arguments):
        try:
            return action(*arguments)
        except BridgeError as error:
            error.parts["what"] = f"environment {self.first + i} at step {self.steps}: {error.parts['what']}"
            raise
        except Exception as error:
            raise BridgeError(
                f"environment {self.first + i} raised {type(error).__name__} at step {self.steps}: {text_of(error)}",
                remedy="fix the environment; step it in Python to see where it fails",
            ) from error

    def _check_observation(self, i):
        row = self.rows[i]
        if self._floats and not np.isfinite(row).all():
            bad = row[~np.isfinite(row)][0]
            raise BridgeError(
                f"the observation of environment {self.first + i} is not finite at step {self.steps}",
                "finite numbers",
                str(bad),
                "fix the environment's observation",
            )


def _block(*parts):
    return b"".join((struct.pack("<I", sum(map(len, parts))), *parts))


def _unpack(bytes_):
    parts = []
    while len(bytes_) > 0:
        (length,) = struct.unpack("<I", bytes_[:4])
        if len(bytes_) < 4 + length:
            raise ValueError("the state is incomplete")
        parts.append(bytes(bytes_[4 : 4 + length]))
        bytes_ = bytes_[4 + length :]
    return parts
