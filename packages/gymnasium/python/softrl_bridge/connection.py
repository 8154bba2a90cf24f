"""Frames on the process's stdin and stdout, protected from all other output."""

import ctypes
import json
import os
import signal
import struct
import sys
import threading
import time

# A frame is a header (magic, operation, length of the payload) and the payload, little-endian.
HEADER = struct.Struct("<HHI")
MAGIC = 0x5351

HELLO, MAKE, RESET, STEP, SAVE, RESTORE, SHARE, SCREEN = range(8)
# The descriptor of the shared memory file, if the parent uses one.
SHARED_DESCRIPTOR = 3
REPLY = 0x80
# Up to this size, one write of a copy is cheaper than several writes.
SMALL = 16384
ERROR = 0xFF


class BridgeError(Exception):
    """An error with its parts: what, and optionally expected, got, remedy and softrl's code for programs."""

    def __init__(self, what, expected=None, got=None, remedy=None, code=None):
        super().__init__(what)
        self.parts = {"what": what, "expected": expected, "got": got, "remedy": remedy, "code": code}


class Connection:
    """Owns the two pipes and redirects file descriptor 1 to stderr, so that no print can corrupt a frame."""

    def __init__(self):
        self._in = os.dup(0)
        self._out = os.dup(1)
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        if sys.platform == "win32":
            import msvcrt

            msvcrt.setmode(self._in, os.O_BINARY)
            msvcrt.setmode(self._out, os.O_BINARY)

    def receive(self):
        """Returns the next (operation, payload), or None once the parent has closed the pipe."""
        header = self._read(HEADER.size)
        if header is None:
            return None
        magic, operation, length = HEADER.unpack(header)
        if magic != MAGIC:
            raise BridgeError("the request is not a frame", got=header.hex())
        payload = self._read(length)
        return None if payload is None else (operation, payload)

    def send(self, operation, *parts):
        views = [memoryview(part).cast("B") for part in parts]
        length = sum(map(len, views))
        head = HEADER.pack(MAGIC, operation, length)
        if length <= SMALL:
            views = [memoryview(b"".join((head, *views)))]
        else:
            views.insert(0, memoryview(head))
        for view in views:
            self._write(view)

    def send_json(self, operation, value):
        self.send(operation, json.dumps(value, allow_nan=False).encode())

    def _read(self, length):
        data = bytearray(length)
        view = memoryview(data)
        filled = 0
        while filled < length:
            count = os.readv(self._in, [view[filled:]]) if hasattr(os, "readv") else self._read_into(view[filled:])
            if count == 0:
                return None
            filled += count
        return data

    def _read_into(self, view):
        chunk = os.read(self._in, len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def _write(self, view):
        while len(view) > 0:
            try:
                view = view[os.write(self._out, view) :]
            except BrokenPipeError:
                os._exit(0)


def follow_parent():
    """Ends this process with its parent, even if the parent is killed while an environment is stuck in a step."""
    # Ctrl-C reaches the whole process group; the parent decides when its environments end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        except (OSError, AttributeError):
            pass
    if sys.platform != "win32":
        threading.Thread(target=_exit_when_orphaned, args=(os.getppid(),), daemon=True).start()


def _exit_when_orphaned(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)
