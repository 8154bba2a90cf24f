"""
Drives the Atari emulator directly, under one of two protocols that are never mixed:

classic  Mnih et al. 2015, as in OpenAI Baselines: no sticky actions, the game's minimal action set, 1 to 30 no-ops at
         the start of a game. In training, a lost life terminates the episode while the game continues.
sticky   Machado et al. 2018: every frame repeats the previous action with probability 0.25, all 18 actions, no no-ops.
         A lost life does not terminate the episode.

Both: grey 84x84 frames, every action held for 4 emulated frames, the last two pooled by maximum, 4 frames stacked. In
training, the reward is clipped to [-1, 1].
"""

import ale_py
import gymnasium
import numpy as np

from .connection import BridgeError
from .pictures import SIDE, STACK, Pictures
from .vector import Outcome

SKIP = 4
MOST_NOOPS = 30
OPTIONS = ("mode", "difficulty", "max_num_frames_per_episode")
BY_PROTOCOL = ("repeat_action_probability", "full_action_space")

gymnasium.register_envs(ale_py)


class Protocol:
    def __init__(self, name, repeat_probability, full_action_space, noops, life_ends):
        self.name = name
        self.repeat_probability = repeat_probability
        self.full_action_space = full_action_space
        self.noops = noops
        self.life_ends = life_ends


PROTOCOLS = {
    "classic": Protocol("classic", 0.0, full_action_space=False, noops=True, life_ends=True),
    "sticky": Protocol("sticky", 0.25, full_action_space=True, noops=False, life_ends=False),
}


class AtariEnvironment:
    raw_game = None

    def __init__(self, id, options, training, protocol):
        for name in options:
            if name in BY_PROTOCOL:
                raise BridgeError(
                    f"{name} is determined by the Atari protocol", "classic or sticky as the protocol", name
                )
            if name not in OPTIONS:
                raise BridgeError(
                    f"{id} has no option {name}", " or ".join(OPTIONS), name, code="unknown-setting"
                )
        self._protocol = PROTOCOLS[protocol]
        # Sticky actions are drawn here, with the same distribution: the emulator's saved state does not include the
        # action that it repeats, so a restored game would not continue bit for bit.
        self._environment = gymnasium.make(
            id,
            disable_env_checker=True,
            frameskip=1,
            obs_type="grayscale",
            repeat_action_probability=0.0,
            full_action_space=self._protocol.full_action_space,
            **options,
        ).unwrapped
        self._ale = self._environment.ale
        self._actions = list(self._environment._action_set)
        self._clips = training
        self._life_ends = training and self._protocol.life_ends
        self.space = {"kind": "box", "shape": [SIDE, SIDE, STACK], "dtype": "uint8", "low": 0, "high": 255}
        self.action_space = {"kind": "discrete", "n": len(self._actions)}
        self._pictures = Pictures(*self._ale.getScreenDims())
        self._screens = list(self._pictures.screens)
        self._noop = self._held = ale_py.Action.NOOP
        self._sticky_random = np.random.default_rng(0)
        self._lives = 0

    def reset(self, seed, out):
        """Starts a game; with seed None the next game of the same random stream."""
        if seed is not None:
            # A separate stream, so that sticky draws do not change the no-op draws.
            self._sticky_random = np.random.default_rng((seed, 1))
        self._environment.reset(seed=seed)
        if self._protocol.noops:
            for _ in range(int(self._environment.np_random.integers(1, MOST_NOOPS + 1))):
                self._ale.act(self._noop)
                if self._ale.game_over():
                    self._environment.reset()
        self._held = self._noop
        self._lives = self._ale.lives()
        for screen in self._screens:
            self._ale.getScreenGrayscale(screen)
        self._pictures.fill(out)

    def step(self, action, out):
        raw_reward, over = self._hold(self._actions[action])
        self._pictures.push(out)
        terminated, truncated = over, False
        if over:
            truncated = self._ale.game_truncated()
            terminated = self._ale.game_over(with_truncation=False)
        if self._life_ends:
            lives = self._ale.lives()
            # At 0 lives some games run for a few more frames; game_over reports when they have ended.
            if not over and 0 < lives < self._lives:
                terminated = True
            self._lives = lives
        reward = max(-1.0, min(1.0, raw_reward)) if self._clips else raw_reward
        return Outcome(reward, raw_reward, terminated, truncated, over)

    def continue_game(self, out):
        """Continues after a lost life with one no-op step, as Baselines does; the game is not reset."""
        raw_reward, over = self._hold(self._noop)
        self._pictures.fill(out)
        self._lives = self._ale.lives()
        return raw_reward, over

    def _hold(self, action):
        """Emulates up to SKIP frames and keeps the last two screens."""
        ale = self._ale
        sticky = self._protocol.repeat_probability
        raw_reward = 0
        over = False
        for frame in range(SKIP):
            if sticky == 0 or self._sticky_random.random() >= sticky:
                self._held = action
            raw_reward += ale.act(self._held)
            over = ale.game_over()
            if frame >= SKIP - 2 or over:
                ale.getScreenGrayscale(self._screens[frame % 2])
                if over:
                    if frame < SKIP - 1:
                        self._screens[1 - frame % 2][...] = self._screens[frame % 2]
                    break
        return float(raw_reward), over

    def screen(self):
        return self._ale.getScreenRGB()

    def state(self):
        meta = {
            "protocol": self._protocol.name,
            "noops": self._environment.np_random.bit_generator.state,
            "sticky": self._sticky_random.bit_generator.state,
            "held": int(self._held.value),
            "lives": self._lives,
        }
        return meta, [self._ale.cloneState(include_rng=True).serialize()]

    def restore(self, meta, blobs):
        if meta["protocol"] != self._protocol.name:
            raise ValueError(f"the state was saved under {meta['protocol']}, not {self._protocol.name}")
        # The emulator's state does not include the console's switches, and a new emulator still holds the reset switch
        # down. One frame releases it, as it was when the state was saved.
        self._ale.reset_game()
        self._ale.act(self._noop)
        self._ale.restoreState(ale_py.ALEState(blobs[0]))
        self._environment.np_random.bit_generator.state = meta["noops"]
        self._sticky_random.bit_generator.state = meta["sticky"]
        self._held = ale_py.Action(meta["held"])
        self._lives = meta["lives"]

    def close(self):
        self._environment.close()
