"""One environment that misbehaves: `what` it does, `where` and at which call (`at`) are arguments of gymnasium.make."""

import atexit
import ctypes
import json
import math
import os
import signal
import sys
import threading
import time

import gymnasium
import numpy as np
from gymnasium import spaces

ESCAPES = "\x1b[31mred\x1b]0;title\x07\r\n\u202e\x9b1m"


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Odd:
    """An object that is nothing else."""

    def __float__(self):
        raise RuntimeError("not a number")

    def __bool__(self):
        raise RuntimeError("neither")


def recurse(n):
    return recurse(n + 1) + 1


def spin():
    while True:
        pass


def fork_and_sleep():
    if os.fork() == 0:
        time.sleep(1000)
        os._exit(0)


def fork_and_return():
    os.fork()


def start_session():
    if os.fork() == 0:
        os.setsid()
        time.sleep(1000)
        os._exit(0)


def ignore_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(1000)


def close_all(first=3, last=64):
    for number in range(first, last):
        try:
            os.close(number)
        except OSError:
            pass


def write_everywhere():
    for number in range(0, 64):
        try:
            os.write(number, b"garbage" * 10)
        except OSError:
            pass


def rob_streams():
    sys.stdout = sys.stderr = sys.stdin = None


def start_thread():
    threading.Thread(target=time.sleep, args=(1000,)).start()


def raises(error):
    def act():
        raise error

    return act


# What happens during a call.
deeds = {
    "raise": raises(KeyError("lost\nkey")),
    "raise-long": raises(ValueError("x" * 100_000)),
    "raise-lines": raises(ValueError("line\n" * 2000)),
    "raise-escapes": raises(ValueError(ESCAPES * 20)),
    "raise-unprintable": raises(Unprintable()),
    "raise-surrogate": raises(ValueError("\ud800")),
    "raise-memory": raises(MemoryError()),
    "raise-exit": raises(SystemExit(3)),
    "raise-exit-text": raises(SystemExit(ESCAPES)),
    "raise-interrupt": raises(KeyboardInterrupt()),
    "raise-stop": raises(StopIteration()),
    "raise-generator": raises(GeneratorExit()),
    "recurse": lambda: recurse(0),
    "exit-0": lambda: os._exit(0),
    "exit-9": lambda: os._exit(9),
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "terminate": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "hang": lambda: time.sleep(1000),
    "spin": spin,
    "ignore-signals": ignore_signals,
    "print": lambda: print("a line from Python" * 10, flush=True),
    "print-much": lambda: print("y" * 3_000_000, flush=True),
    "print-escapes": lambda: print(ESCAPES, file=sys.stderr, flush=True),
    "stderr-much": lambda: os.write(2, b"z" * 3_000_000) and os._exit(4),
    "stderr-escapes": lambda: os.write(2, (ESCAPES * 20).encode()) and os._exit(4),
    "stderr-bytes": lambda: os.write(2, bytes(range(256))) and os._exit(4),
    "read-stdin": lambda: sys.stdin.read(),
    "write-1": lambda: os.write(1, b"bytes from a library"),
    "write-everywhere": write_everywhere,
    "close-0": lambda: os.close(0),
    "close-1": lambda: os.close(1),
    "close-2": lambda: os.close(2),
    "close-all": close_all,
    "rob-streams": rob_streams,
    "fork-and-sleep": fork_and_sleep,
    "fork-and-return": fork_and_return,
    "start-session": start_session,
    "start-thread": start_thread,
    "at-exit": lambda: atexit.register(time.sleep, 1000),
    "change-folder": lambda: os.chdir("/"),
    "no-encoder": lambda: setattr(json, "dumps", None),
    "alarm": lambda: signal.alarm(1),
}

# What a call returns in place of the right answer.
answers = {
    "nan": lambda: (np.array([0, math.nan]), 0.0, False, False, {}),
    "infinite-reward": lambda: (np.zeros(2), -math.inf, False, False, {}),
    "wrong-shape": lambda: (np.zeros(3), 0.0, False, False, {}),
    "scalar": lambda: (0.5, 0.0, False, False, {}),
    "empty": lambda: (np.zeros(0), 0.0, False, False, {}),
    "huge": lambda: (np.full(2, 1e308), 1e308, False, False, {}),
    "huge-array": lambda: (np.zeros(10_000_000), 0.0, False, False, {}),
    "text": lambda: ("two", "one", "no", "yes", "x"),
    "objects": lambda: (np.array([Odd(), Odd()]), Odd(), Odd(), Odd(), Odd()),
    "complex": lambda: (np.zeros(2, complex) + 1j, 1j, False, False, {}),
    "none": lambda: (None, None, None, None, None),
    "nothing": lambda: None,
    "three": lambda: (np.zeros(2), 0.0, False),
    "six": lambda: (np.zeros(2), 0.0, False, False, {}, 1),
    "reward-array": lambda: (np.zeros(2), np.zeros(3), False, False, {}),
    "reward-digits": lambda: (np.zeros(2), 10**400, False, False, {}),
    "flag-array": lambda: (np.zeros(2), 0.0, np.array([True, False]), False, {}),
    "flag-nan": lambda: (np.zeros(2), 0.0, math.nan, math.nan, {}),
    "list": lambda: ([0.1, 0.2], 1, 0, 0, None),
    "strings": lambda: (np.array(["1", "2"]), "1", False, False, {}),
}

# Spaces that cannot be, or are too large.
box = spaces.Box(-1, 1, (2,), np.float64)
spaces_by_name = {
    "space-huge": lambda: (spaces.Box(-1, 1, (1 << 30,), np.uint8), None),
    "space-deep": lambda: (spaces.Box(-1, 1, (1,) * 40, np.float32), None),
    "space-empty": lambda: (spaces.Box(-1, 1, (0,), np.float32), None),
    "space-scalar": lambda: (spaces.Box(-1, 1, (), np.float32), None),
    "space-half": lambda: (spaces.Box(-1, 1, (2,), np.float16), None),
    "space-long": lambda: (spaces.Box(0, 2**62, (2,), np.int64), None),
    "space-bool": lambda: (spaces.MultiBinary(5), None),
    "space-dict": lambda: (spaces.Dict(a=spaces.Discrete(2)), None),
    "space-text": lambda: (spaces.Text(5), None),
    "space-none": lambda: (None, None),
    "space-discrete": lambda: (spaces.Discrete(10**12), None),
    "actions-none": lambda: (box, "none"),
    "actions-box": lambda: (box, spaces.Box(-1, 1, (2,))),
    "actions-many": lambda: (box, spaces.Discrete(10**9)),
    "actions-one": lambda: (box, spaces.Discrete(1)),
    "actions-far": lambda: (box, spaces.Discrete(3, start=-(2**40))),
    "actions-dict": lambda: (box, spaces.Dict()),
}


class Hostile(gymnasium.Env):
    observation_space = box
    action_space = spaces.Discrete(3, start=5)

    def __init__(self, what="none", where="step", at=1):
        self.what, self.where, self.at, self.calls, self.steps = what, where, at, 0, 0
        if what in spaces_by_name:
            observed, acted = spaces_by_name[what]()
            self.observation_space = observed
            if acted is not None:
                self.action_space = None if acted == "none" else acted
        self.misbehave("make")

    def misbehave(self, where):
        if where != self.where or self.what in spaces_by_name:
            return False
        self.calls += 1
        if self.calls != self.at:
            return False
        if self.what in deeds:
            deeds[self.what]()
        return self.what in answers

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        if self.misbehave("reset"):
            answer = answers[self.what]()
            return answer if answer is None or len(answer) != 5 else (answer[0], answer[4])
        return self.observation_space.sample() if self.what in spaces_by_name else np.zeros(2), {}

    def step(self, action):
        self.steps += 1
        if self.misbehave("step"):
            return answers[self.what]()
        ended = self.steps % 7 == 0
        seen = self.observation_space.sample() if self.what in spaces_by_name else np.full(2, self.steps / 10)
        return seen, float(action), False, ended, {}

    def __getstate__(self):
        self.misbehave("save")
        return self.__dict__


gymnasium.register("Hostile-v0", Hostile)
