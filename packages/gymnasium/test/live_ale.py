"""
Serves one game of ALE and one AtariVectorEnv over two named pipes, one request at a time. Tests use it as a synchronous
emulator and compare its results with AtariVectorEnv's on the same game.
"""

import struct
import sys

import ale_py
import cv2
import numpy as np
from ale_py import roms
from ale_py.vector_env import AtariVectorEnv

game, requests, replies = sys.argv[1:]
cv2.setNumThreads(1)
ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
ale = ale_py.ALEInterface()
ale.setFloat("repeat_action_probability", 0.0)
ale.setInt("max_num_frames_per_episode", 0)
ale.loadROM(roms.get_rom_path(game))
minimal = [action.value for action in ale.getMinimalActionSet()]
vector = AtariVectorEnv(
    game, 1, num_threads=1, noop_max=1, use_fire_reset=False, reward_clipping=False, autoreset_mode="SameStep"
)

requests = open(requests, "rb", buffering=0)
replies = open(replies, "wb", buffering=0)


def read(length):
    data = b""
    while len(data) < length:
        part = requests.read(length - len(data))
        if not part:
            sys.exit()
        data += part
    return data


def reply(*parts):
    block = b"".join(parts)
    block = struct.pack("<I", len(block)) + block
    while block:
        block = block[replies.write(block) :]


while True:
    operation, argument = struct.unpack("<ci", read(5))
    if operation == b"m":
        reply(bytes(minimal))
    elif operation == b"r":
        if argument >= 0:
            ale.setInt("random_seed", argument)
            ale.loadROM(roms.get_rom_path(game))
        ale.reset_game()
        reply(struct.pack("<iiB", 0, ale.lives(), ale.game_over()))
    elif operation == b"a":
        points = ale.act(argument)
        reply(struct.pack("<iiB", points, ale.lives(), ale.game_over()))
    elif operation == b"g":
        reply(ale.getScreenGrayscale().tobytes())
    elif operation == b"c":
        reply(ale.getScreenRGB().tobytes())
    elif operation == b"s":
        reply(ale.cloneState(include_rng=True).serialize())
    elif operation == b"l":
        state = read(argument)
        # As in the bridge: one frame releases the reset switch, which is not part of the state.
        ale.reset_game()
        ale.act(0)
        ale.restoreState(ale_py.ALEState(state))
        reply(struct.pack("<iiB", 0, ale.lives(), ale.game_over()))
    elif operation == b"V":
        observations, _ = vector.reset(seed=np.array([argument]))
        reply(observations.tobytes())
    elif operation == b"v":
        observations, rewards, terminated, truncated, info = vector.step(np.array([argument]))
        final = info.get("final_obs", observations)
        ended = bool(terminated[0] or truncated[0])
        reply(
            struct.pack("<fBB", float(rewards[0]), bool(terminated[0]), bool(truncated[0])),
            observations.tobytes(),
            np.asarray(final[0] if ended else observations[0]).tobytes(),
        )
    elif operation == b"z":
        # A random picture, made of blocks of 1 to 8 pixels, and OpenCV's resized version of it.
        random = np.random.default_rng(argument)
        cell = argument % 8 + 1
        picture = random.integers(0, 256, (-(-210 // cell), -(-160 // cell)), dtype=np.uint8)
        picture = np.ascontiguousarray(picture.repeat(cell, 0).repeat(cell, 1)[:210, :160])
        shrunk = cv2.resize(picture, (84, 84), interpolation=cv2.INTER_AREA)
        reply(picture.tobytes(), shrunk.tobytes())
