"""Counts the calls that the two Atari protocols make to the emulator, and prints the results as JSON."""

import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "python"))

import ale_py  # noqa: E402
from softrl_bridge import pictures  # noqa: E402
from softrl_bridge.atari import AtariEnvironment  # noqa: E402

GAMES = ("BeamRider", "Breakout", "Enduro", "Pong", "Qbert", "Seaquest", "SpaceInvaders")


class Watched:
    """Wraps the emulator and records its actions; `reward`, if set, replaces the game's reward."""

    def __init__(self, ale):
        self._ale = ale
        self.acts = []
        self.reward = None

    def act(self, action):
        self.acts.append(action)
        reward = self._ale.act(action)
        return reward if self.reward is None else self.reward

    def __getattr__(self, name):
        return getattr(self._ale, name)


def watched(game, protocol, training):
    environment = AtariEnvironment(f"ALE/{game}-v5", {}, training, protocol)
    environment._ale = Watched(environment._ale)
    return environment, np.zeros((84, 84, 4), np.uint8)


def life_ends(protocol, training):
    """The fraction of lost lives, except the last of a game, that terminated the episode."""
    environment, out = watched("Breakout", protocol, training)
    environment.reset(1, out)
    random = np.random.default_rng(5)
    lives, lost, ended = environment._ale.lives(), 0, 0
    while lost < 12:
        outcome = environment.step(int(random.integers(environment.action_space["n"])), out)
        if outcome.over:
            environment.reset(None, out)
        elif environment._ale.lives() < lives:
            lost += 1
            ended += outcome.terminated
        lives = environment._ale.lives()
    return ended / lost


def facts(protocol):
    environment, out = watched("Breakout", protocol, True)
    ale = environment._ale
    noops, fires = [], 0
    for game in range(300):
        ale.acts.clear()
        environment.reset(game if game == 0 else None, out)
        noops.append(len(ale.acts))
        fires += sum(action == ale_py.Action.FIRE for action in ale.acts)
    # The requested actions alternate, so a frame with an action other than the requested one repeated the previous one.
    right, left = (environment._actions.index(action) for action in (ale_py.Action.RIGHT, ale_py.Action.LEFT))
    ale.acts.clear()
    asked = []
    for step in range(2000):
        action = (right, left)[step % 2]
        outcome = environment.step(action, out)
        asked.append((len(ale.acts), environment._actions[action]))
        if outcome.over:
            environment.reset(None, out)
            del ale.acts[asked[-1][0] :]
    requested, at = [], 0
    for until, action in asked:
        requested += [action] * (until - at)
        at = until
    given = ale.acts[: len(requested)]
    # A repeated action can only be seen if the previous frame had another action than the requested one.
    shown = [(a, b) for a, b, before in zip(requested[1:], given[1:], given) if before != a]
    repeated = sum(a != b for a, b in shown) / len(shown)
    ale.reward = 1
    clipped = environment.step(0, out)
    return {
        "actions": environment.action_space["n"],
        "noops": noops,
        "fires": fires,
        "repeated": repeated,
        "frames": len(shown),
        "lifeEnds": life_ends(protocol, True),
        "lifeEndsInEvaluation": life_ends(protocol, False),
        "clipped": clipped.reward,
        "raw": clipped.raw_reward,
    }


def by_opencv(height=210):
    """Makes frames without the compiled library."""
    plain = pictures.Pictures(height, 160)
    plain._plan = None
    return plain


def compiled_against_opencv():
    """Compares stacks of all games and of random screens (NTSC and PAL); counts those that differ and all."""
    differing = compared = 0
    for game in GAMES:
        environment = AtariEnvironment(f"ALE/{game}-v5", {}, False, "classic")
        plain = by_opencv()
        out, expected = np.zeros((2, 84, 84, 4), np.uint8)
        environment.reset(3, out)
        plain.screens[...] = environment._pictures.screens
        plain.fill(expected)
        random = np.random.default_rng(4)
        for _ in range(200):
            outcome = environment.step(int(random.integers(environment.action_space["n"])), out)
            plain.screens[...] = environment._pictures.screens
            plain.push(expected)
            differing += not np.array_equal(out, expected)
            compared += 1
            if outcome.over:
                environment.reset(None, out)
                plain.screens[...] = environment._pictures.screens
                plain.fill(expected)
    random = np.random.default_rng(6)
    for height in (210, 250):
        compiled, plain = pictures.Pictures(height, 160), by_opencv(height)
        out, expected = np.zeros((2, 84, 84, 4), np.uint8)
        for _ in range(100):
            compiled.screens[...] = plain.screens[...] = random.integers(0, 256, (2, height, 160))
            compiled.push(out)
            plain.push(expected)
            differing += not np.array_equal(out, expected)
            compared += 1
    return {"stacks": differing, "compared": compared}


print(
    json.dumps(
        {
            "classic": facts("classic"),
            "sticky": facts("sticky"),
            "compiled": pictures.Pictures(250, 160)._plan is not None,
            "differing": compiled_against_opencv(),
        }
    )
)
