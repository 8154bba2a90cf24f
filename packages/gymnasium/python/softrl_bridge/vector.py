"""S environments stepped one after another, reset within the step in which their episode ends."""

import json
import struct

import numpy as np

from .connection import BridgeError


class Outcome:
    """One step of one environment. `over` says that the whole episode ended; a lost life ends less than that."""

    __slots__ = ("reward", "raw_reward", "terminated", "truncated", "over")

    def __init__(self, reward, raw_reward, terminated, truncated, over):
        self.reward = reward
        self.raw_reward = raw_reward
        self.terminated = terminated
        self.truncated = truncated
        self.over = over


class Vector:
    """
    The environments have `space`, `action_space`, `reset(seed, out)`, `step(action, out)`, `go_on(out)` after a lost
    life, `state()` and `restore(meta, blobs)`; they write their observation into `out`.
    """

    def __init__(self, id, environments):
        self.id = id
        self.environments = environments
        size = len(environments)
        space = environments[0].space
        shape = (size, *space["shape"])
        self.observations = np.zeros(shape, space["dtype"])
        self.finals = np.zeros(shape, space["dtype"])
        self.rewards = np.zeros(size, np.float64)
        self.episode_returns = np.zeros(size, np.float64)
        self.episode_lengths = np.zeros(size, np.int32)
        self.ended = np.zeros(size, np.uint8)
        self.terminated = np.zeros(size, np.uint8)
        self.truncated = np.zeros(size, np.uint8)
        self.running_returns = [0.0] * size
        self.running_lengths = [0] * size
        self.steps = 0

    def reset(self, seeds):
        self.steps = 0
        for i, environment in enumerate(self.environments):
            self._try(i, environment.reset, int(seeds[i]), self.observations[i])
            self._check_observation(i)
            self.running_returns[i] = 0.0
            self.running_lengths[i] = 0

    def step(self, actions):
        self.steps += 1
        self.ended.fill(0)
        self.terminated.fill(0)
        self.truncated.fill(0)
        for i, environment in enumerate(self.environments):
            row = self.observations[i]
            outcome = self._try(i, environment.step, int(actions[i]), row)
            if not np.isfinite(outcome.reward):
                raise BridgeError(f"the reward of environment {i} is not finite at step {self.steps}", "a finite number", str(outcome.reward), "correct the environment's reward")
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
                raw_reward, over = self._try(i, environment.go_on, row)
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
        """What one step sends: flags and numbers, all observations, and the final observations of ended episodes."""
        rows = [self.finals[i] for i in np.flatnonzero(self.terminated | self.truncated)]
        return [
            self.rewards,
            self.episode_returns,
            self.episode_lengths,
            self.ended,
            self.terminated,
            self.truncated,
            self.observations,
            *rows,
        ]

    def save(self):
        """All states in one block, or None when one environment cannot tell its own."""
        metas, blobs = [], [self.observations.tobytes()]
        for i, environment in enumerate(self.environments):
            state = self._try(i, environment.state)
            if state is None:
                return None
            meta, own = state
            metas.append({"meta": meta, "blobs": len(own)})
            blobs.extend(own)
        head = json.dumps(
            {
                "id": self.id,
                "steps": self.steps,
                "returns": self.running_returns,
                "lengths": self.running_lengths,
                "environments": metas,
            }
        ).encode()
        parts = [struct.pack("<I", len(head)), head]
        for blob in blobs:
            parts += [struct.pack("<I", len(blob)), blob]
        return b"".join(parts)

    def restore(self, block):
        try:
            head, blobs = _unpack(memoryview(block))
            states = head["environments"]
            if head["id"] != self.id or len(states) != len(self.environments):
                raise ValueError(f"the state is of {len(states)} x {head['id']}")
            blobs = iter(blobs)
            observations = np.frombuffer(next(blobs), self.observations.dtype).reshape(self.observations.shape)
            for environment, state in zip(self.environments, states):
                environment.restore(state["meta"], [next(blobs) for _ in range(state["blobs"])])
        except Exception as error:
            raise BridgeError(
                "the saved state cannot be restored",
                f"a state of {len(self.environments)} x {self.id} saved with the same package versions",
                f"{type(error).__name__}: {error}",
            ) from error
        self.observations[:] = observations
        self.steps = head["steps"]
        self.running_returns = head["returns"]
        self.running_lengths = head["lengths"]

    def close(self):
        for environment in self.environments:
            environment.close()

    def _try(self, i, action, *arguments):
        try:
            return action(*arguments)
        except BridgeError as error:
            error.parts["what"] = f"environment {i} at step {self.steps}: {error.parts['what']}"
            raise
        except Exception as error:
            raise BridgeError(
                f"environment {i} raised {type(error).__name__} at step {self.steps}: {error}",
                remedy="correct the environment; step it in Python to see where",
            ) from error

    def _check_observation(self, i):
        row = self.observations[i]
        if row.dtype != np.uint8 and not np.isfinite(row).all():
            bad = row[~np.isfinite(row)][0]
            raise BridgeError(f"the observation of environment {i} is not finite at step {self.steps}", "finite numbers", str(bad), "correct the environment's observation")


def _unpack(block):
    parts = []
    while len(block) > 0:
        (length,) = struct.unpack("<I", block[:4])
        if len(block) < 4 + length:
            raise ValueError("the state is cut short")
        parts.append(bytes(block[4 : 4 + length]))
        block = block[4 + length :]
    return json.loads(parts[0]), parts[1:]
