"""
Atari with the standard preprocessing (Mnih et al. 2015, as in OpenAI Baselines), straight on the emulator:
grey 84x84 frames, every action held for 4 emulated frames, the last two pooled by maximum, 4 of these stacked,
1 to 30 no-ops at the start of a game. In training the reward is clipped to [-1, 1] and a lost life terminates
the episode for the learner while the game goes on.
"""

import ale_py
import cv2
import gymnasium
import numpy as np

from .connection import BridgeError
from .vector import Outcome

SKIP = 4
STACK = 4
SIDE = 84
MOST_NOOPS = 30
OPTIONS = ("mode", "difficulty", "repeat_action_probability", "full_action_space", "max_num_frames_per_episode")

gymnasium.register_envs(ale_py)
cv2.setNumThreads(1)


class AtariEnvironment:
    def __init__(self, id, options, training):
        unknown = [name for name in options if name not in OPTIONS]
        if unknown:
            raise BridgeError(f"{id} has no option {unknown[0]}", " or ".join(OPTIONS), unknown[0])
        options = dict(options)
        default = gymnasium.spec(id).kwargs.get("repeat_action_probability", 0.25)
        self._sticky = float(options.pop("repeat_action_probability", default))
        if not 0 <= self._sticky < 1:
            raise BridgeError("repeat_action_probability is out of range", "a number in [0, 1)", str(self._sticky))
        # The sticky draw is ours: the emulator's own state leaves out the action that it repeats,
        # so a game restored from it would not go on bit for bit. The distribution is the same.
        self._environment = gymnasium.make(
            id,
            disable_env_checker=True,
            frameskip=1,
            obs_type="grayscale",
            repeat_action_probability=0.0,
            **options,
        ).unwrapped
        self._ale = self._environment.ale
        self._actions = list(self._environment._action_set)
        self._training = training
        self.space = {"kind": "box", "shape": [SIDE, SIDE, STACK], "dtype": "uint8", "low": 0, "high": 255}
        self.action_space = {"kind": "discrete", "n": len(self._actions)}
        height, width = self._ale.getScreenDims()
        self._screens = np.zeros((2, height, width), np.uint8)
        self._noop = self._held = ale_py.Action.NOOP
        self._sticky_random = np.random.default_rng(0)
        self._lives = 0

    def reset(self, seed, out):
        """Starts a game; `seed` is None for the next game of the same stream."""
        if seed is not None:
            # A stream of its own, so that sticky draws do not shift the no-op draws.
            self._sticky_random = np.random.default_rng((seed, 1))
        self._environment.reset(seed=seed)
        for _ in range(int(self._environment.np_random.integers(1, MOST_NOOPS + 1))):
            self._ale.act(self._noop)
            if self._ale.game_over():
                self._environment.reset()
        self._held = self._noop
        self._lives = self._ale.lives()
        self._ale.getScreenGrayscale(self._screens[0])
        _fill(out, _shrunk(self._screens[0]))

    def step(self, action, out):
        raw_reward = self._hold(self._actions[action])
        _push(out, _shrunk(np.maximum(self._screens[0], self._screens[1])))
        terminated = self._ale.game_over(with_truncation=False)
        truncated = self._ale.game_truncated()
        over = terminated or truncated
        lives = self._ale.lives()
        # At 0 lives some games show their end for a few frames more: the emulator says when they are over.
        if self._training and not over and 0 < lives < self._lives:
            terminated = True
        self._lives = lives
        reward = float(np.clip(raw_reward, -1, 1)) if self._training else float(raw_reward)
        return Outcome(reward, float(raw_reward), terminated, truncated, over)

    def go_on(self, out):
        """Leaves the frame in which a life was lost by one no-op step, as Baselines does; the game is not reset."""
        raw_reward = self._hold(self._noop)
        _fill(out, _shrunk(np.maximum(self._screens[0], self._screens[1])))
        self._lives = self._ale.lives()
        return float(raw_reward), self._ale.game_over()

    def _hold(self, action):
        """Emulates up to SKIP frames; leaves the last two screens of those emulated."""
        ale = self._ale
        raw_reward = 0
        for frame in range(SKIP):
            if self._sticky == 0 or self._sticky_random.random() >= self._sticky:
                self._held = action
            raw_reward += ale.act(self._held)
            over = ale.game_over()
            if frame >= SKIP - 2 or over:
                ale.getScreenGrayscale(self._screens[frame % 2])
                if over:
                    if frame < SKIP - 1:
                        self._screens[1 - frame % 2] = self._screens[frame % 2]
                    break
        return raw_reward

    def state(self):
        meta = {
            "noops": self._environment.np_random.bit_generator.state,
            "sticky": self._sticky_random.bit_generator.state,
            "held": int(self._held.value),
            "lives": self._lives,
        }
        return meta, [self._ale.cloneState(include_rng=True).serialize()]

    def restore(self, meta, blobs):
        # The console's switches are not in the emulator's state, and a fresh one still holds the reset switch down:
        # one frame releases it, as it was released when the state was saved.
        self._ale.reset_game()
        self._ale.act(self._noop)
        self._ale.restoreState(ale_py.ALEState(blobs[0]))
        self._environment.np_random.bit_generator.state = meta["noops"]
        self._sticky_random.bit_generator.state = meta["sticky"]
        self._held = ale_py.Action(meta["held"])
        self._lives = meta["lives"]

    def close(self):
        self._environment.close()


def _shrunk(screen):
    return cv2.resize(screen, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _pixels(out):
    """The stack of each pixel as one 32-bit number whose highest byte is the newest frame."""
    return out.view("<u4")[..., 0]


def _push(out, frame):
    pixels = _pixels(out)
    np.right_shift(pixels, 8, out=pixels)
    np.bitwise_or(pixels, np.left_shift(frame.astype("<u4"), 24), out=pixels)


def _fill(out, frame):
    out[...] = frame[:, :, None]
