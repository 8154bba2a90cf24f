"""
Atari's frame preprocessing: two screens are pooled by maximum, resized to 84x84 with OpenCV's area interpolation and
appended to a stack of four. Uses the compiled library if it was built, else NumPy and OpenCV; a test compares the two.
"""

import ctypes
import os

import cv2
import numpy as np

SIDE = 84
STACK = 4

PACKAGE = os.path.join(os.path.dirname(__file__), "..", "..")
# Built on this machine, or prebuilt in a published package.
FOLDERS = [os.path.join("build", "Release"), os.path.join("prebuilds", "linux-x64")]

cv2.setNumThreads(1)


def _load():
    for folder in FOLDERS:
        try:
            library = ctypes.CDLL(os.path.join(PACKAGE, folder, "frames.so"))
            plan, push = library.softrl_frames_plan, library.softrl_frames_push
        except (OSError, AttributeError):
            continue
        plan.restype, plan.argtypes = ctypes.c_void_p, [ctypes.c_int]
        push.restype, push.argtypes = None, [ctypes.c_void_p] * 4 + [ctypes.c_int]
        return plan, push
    return None


_compiled = None if os.environ.get("SOFTRL_PICTURES") == "opencv" else _load()


class Pictures:
    """Makes the frames of one game from `screens` [2, height, width], grey bytes."""

    def __init__(self, height, width):
        self.screens = np.zeros((2, height, width), np.uint8)
        self._address = self.screens.ctypes.data
        self._other = self._address + height * width
        # The compiled library only supports the console's width.
        self._plan = _compiled[0](height) if _compiled is not None and width == 160 else None

    def push(self, stack):
        """Appends the frame of both screens to the stack [84, 84, 4]."""
        if self._plan is not None:
            _compiled[1](self._plan, self._address, self._other, stack.ctypes.data, 0)
            return
        # The four bytes of each pixel form one 32-bit number whose highest byte is the newest frame.
        pixels = stack.view("<u4")[..., 0]
        np.right_shift(pixels, 8, out=pixels)
        np.bitwise_or(pixels, np.left_shift(self._shrunk().astype("<u4"), 24), out=pixels)

    def fill(self, stack):
        """Fills the stack with four copies of the frame of both screens."""
        if self._plan is not None:
            _compiled[1](self._plan, self._address, self._other, stack.ctypes.data, 1)
            return
        stack[...] = self._shrunk()[:, :, None]

    def _shrunk(self):
        pooled = np.maximum(self.screens[0], self.screens[1])
        return cv2.resize(pooled, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
