"""Frames on the process's stdin and stdout, protected from all other output."""

import json
import os
import re
import select
import signal
import struct
import sys
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
# The most characters of an exception's text.
MOST_TEXT = 500
# Commands to a terminal: colours, cursor movements, window titles.
COMMAND = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
# How long the processes of an environment have to end on their own.
GRACE_SECONDS = 0.5


class BridgeError(Exception):
    """An error with its parts: what, and optionally expected, got, remedy and softrl's code for programs."""

    def __init__(self, what, expected=None, got=None, remedy=None, code=None):
        super().__init__(what)
        self.parts = {"what": what, "expected": expected, "got": got, "remedy": remedy, "code": code}


def text_of(error):
    """The text of an exception on one line, without commands to a terminal, and cut where it is long."""
    try:
        text = str(error)
    except Exception as fault:
        text = f"its text cannot be read: {type(fault).__name__}"
    line = " ".join(COMMAND.sub("", text[: 8 * MOST_TEXT]).split())
    whole = len(text) <= 8 * MOST_TEXT and len(line) <= MOST_TEXT
    return line if whole else f"{line[:MOST_TEXT]}… ({len(text)} characters)"


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

    def keep_input_only(self):
        """Closes all files but the input pipe, which becomes stdin."""
        os.dup2(self._in, 0)
        os.closerange(1, 1024)

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


def lead_group(pipes):
    """
    Makes this process the leader of a process group, which holds all processes that the environments start, and lets a
    watcher end the group with the parent's pipe: when the parent closes it, or is killed, or after this process ended.
    """
    # Ctrl-C in a terminal is for the parent, which decides when its environments end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        return
    group = os.getpid()
    if os.getpgrp() != group:
        os.setpgid(0, 0)
    # Forked twice, so that the watcher is no child of this process: an environment may wait for all its children.
    between = os.fork()
    if between == 0:
        if os.fork() == 0:
            pipes.keep_input_only()
            _end_with_pipe(group)
        os._exit(0)
    os.waitpid(between, 0)


def _end_with_pipe(group):
    """
    Waits until the other end of stdin is closed, then ends the group. It is a process of its own, since an environment
    that is stuck in native code stops all threads of its process.
    """
    for ignored in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    pipe = select.poll()
    # A hang-up is always reported.
    pipe.register(0, 0)
    pipe.poll()
    os.killpg(group, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(group, signal.SIGKILL)
