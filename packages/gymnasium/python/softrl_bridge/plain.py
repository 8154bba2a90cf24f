"""Any Gymnasium environment with a Box or Discrete observation and discrete actions, as Gymnasium steps it."""

import io
import pickle

import cloudpickle
import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle

from .connection import BridgeError
from .vector import Outcome

# JSON has no infinity: softrl's spaces use the largest float32 for "unbounded".
UNBOUNDED = float(np.finfo(np.float32).max)


class PlainEnvironment:
    def __init__(self, id, options):
        self._environment = gymnasium.make(id, disable_env_checker=True, **options)
        self.raw_game = raw_game(self._environment)
        actions = self._environment.action_space
        if not isinstance(actions, spaces.Discrete):
            raise unsupported(id, "action", actions, "Discrete actions")
        self.action_space = {"kind": "discrete", "n": int(actions.n)}
        self._first_action = int(actions.start)
        observed = self._environment.observation_space
        self._first_observation = None
        if isinstance(observed, spaces.Discrete):
            self._first_observation = int(observed.start)
            self.space = {"kind": "box", "shape": [int(observed.n)], "dtype": "float32", "low": 0, "high": 1}
        elif isinstance(observed, spaces.Box) and observed.dtype.kind in "fiub":
            self._shape = observed.shape
            self.space = {
                "kind": "box",
                "shape": [int(size) for size in observed.shape] or [1],
                "dtype": "uint8" if observed.dtype == np.uint8 else "float32",
                "low": bound(observed.low),
                "high": bound(observed.high),
            }
        else:
            raise unsupported(id, "observation", observed, "a Box or Discrete observation")

    def reset(self, seed, out):
        observation, _ = self._environment.reset(seed=seed)
        self._write(observation, out)

    def step(self, action, out):
        observation, reward, terminated, truncated, _ = self._environment.step(action + self._first_action)
        self._write(observation, out)
        reward = float(reward)
        terminated, truncated = bool(terminated), bool(truncated)
        return Outcome(reward, reward, terminated, truncated, terminated or truncated)

    def _write(self, observation, out):
        if self._first_observation is not None:
            index = int(observation) - self._first_observation
            if not 0 <= index < len(out):
                raise BridgeError("the observation is outside its space", f"0 to {len(out) - 1}", str(index))
            out.fill(0)
            out[index] = 1
            return
        observation = np.asarray(observation)
        if observation.shape != self._shape:
            raise BridgeError("the observation has the wrong shape", str(self._shape), str(observation.shape))
        out[...] = observation.reshape(out.shape)

    def screen(self):
        """The rendered image; None if it cannot be rendered, for instance without pygame."""
        try:
            return self._environment.render()
        except gymnasium.error.DependencyNotInstalled:
            return None

    def state(self):
        """The pickled environment, or None if a pickle would not contain its whole state or cannot be read.

        It is pickled twice. An environment shares constants with the modules that made it, and an unpickled one has copies
        of them, which a pickle shows: the first one of a restored environment would differ from that of an environment
        that was never restored.
        """
        try:
            return {}, [pickled(pickle.loads(pickled(self._environment)))]
        except Exception:
            return None

    def restore(self, meta, blobs):
        environment = pickle.loads(blobs[0])
        if not isinstance(environment, gymnasium.Env):
            raise ValueError(f"a pickled {type(environment).__name__} is not an environment")
        self._environment.close()
        self._environment = environment

    def close(self):
        self._environment.close()


class WholePickler(cloudpickle.Pickler):
    """Refuses an EzPickle, which stores the arguments of its constructor instead of its state."""

    def reducer_override(self, value):
        if isinstance(value, EzPickle):
            raise pickle.PicklingError(f"{type(value).__name__} does not pickle its state")
        return super().reducer_override(value)


def pickled(environment):
    buffer = io.BytesIO()
    WholePickler(buffer).dump(environment)
    return buffer.getvalue()


def raw_game(environment):
    """The name of the Atari game, as in its ids, if the observations are the emulator's own frames; else None."""
    spec = environment.spec
    if spec is None or not str(spec.entry_point).startswith("ale_py.") or spec.additional_wrappers:
        return None
    # The console's memory is not an image.
    if len(environment.observation_space.shape) < 2:
        return None
    return spec.kwargs["game"].title().replace("_", "")


def bound(values):
    """One number if all elements are equal, else one number per element."""
    values = np.clip(np.asarray(values, np.float64), -UNBOUNDED, UNBOUNDED).ravel()
    return float(values[0]) if values.size > 0 and (values == values[0]).all() else values.tolist()


def unsupported(id, which, space, expected):
    text = " ".join(str(space).split())
    return BridgeError(
        f"the {which} space of {id} is not supported",
        expected,
        text if len(text) <= 200 else text[:200] + "…",
        "write a Python wrapper that converts the space, and register the wrapped environment",
    )
