"""The main loop: one reply per request, until the parent closes the pipe."""

import json
import mmap
import os
import sys
import traceback
from importlib import metadata

from . import connection
from .connection import BridgeError, Connection, text_of

PROTOCOL = 1


def main():
    pipes = Connection()
    connection.lead_group(pipes)
    vector = None
    try:
        hello(pipes)
        while (request := pipes.receive()) is not None:
            operation, payload = request
            if operation == connection.MAKE:
                vector = make(json.loads(payload))
                environment = vector.environments[0]
                made = {
                    "observationSpace": environment.space,
                    "actionSpace": environment.action_space,
                    "rawGame": environment.raw_game,
                }
                pipes.send_json(operation | connection.REPLY, made)
            elif vector is None:
                raise BridgeError(f"operation {operation} came before make")
            else:
                pipes.send(operation | connection.REPLY, *answer(vector, operation, payload))
    except BridgeError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error)
        pipes.send_json(connection.ERROR, error.parts)
    except Exception as error:
        traceback.print_exc()
        what = f"the bridge raised {type(error).__name__}: {text_of(error)}"
        pipes.send_json(connection.ERROR, BridgeError(what).parts)
    # An environment's own threads or exit handlers must not keep the process alive.
    sys.stderr.flush()
    os._exit(0)


def hello(pipes):
    try:
        import gymnasium
        import numpy
    except Exception as error:
        raise BridgeError(
            f"this Python cannot load Gymnasium: {type(error).__name__}: {text_of(error)}",
            got=sys.executable,
            remedy="run `softrl setup gymnasium`",
            code="no-python",
        ) from error
    pipes.send_json(
        connection.HELLO | connection.REPLY,
        {
            "protocol": PROTOCOL,
            "python": ".".join(map(str, sys.version_info[:3])),
            "gymnasium": gymnasium.__version__,
            "numpy": numpy.__version__,
            "alePy": installed_version("ale-py"),
        },
    )


def installed_version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def make(request):
    # Makes the user's modules importable from the folder in which Node was started: "my_module:MyGame-v0". For other
    # ids nothing is imported from there: the folder may be someone else's.
    if ":" in request["id"]:
        sys.path.append(os.getcwd())

    import gymnasium

    from .vector import Vector

    id, size = request["id"], request["size"]
    try:
        environments = [make_one(request) for _ in range(size)]
        return Vector(id, environments, request["first"])
    except BridgeError:
        raise
    except gymnasium.error.UnregisteredEnv as error:
        raise BridgeError(
            "the environment is unknown",
            "a registered Gymnasium id",
            id,
            text_of(error),
            code="unknown-environment",
        ) from error
    except gymnasium.error.DependencyNotInstalled as error:
        raise BridgeError(
            f"{id} needs a package that is not installed",
            got=text_of(error),
            remedy=f"install it into the Python that softrl uses, with {sys.executable} -m pip in place of pip",
            code="cannot-make",
        ) from error
    except Exception as error:
        raise BridgeError(
            f"{id} cannot be made: {type(error).__name__}: {text_of(error)}", code="cannot-make"
        ) from error


def make_one(request):
    id, options = request["id"], request["options"]
    # The parent decides which ids are preprocessed (environmentFamily in softrl).
    from .plain import PlainEnvironment

    try:
        from . import atari
    except ImportError as error:
        if id.startswith("ALE/") or "NoFrameskip" in id:
            raise BridgeError(
                f"{id} needs ale-py and OpenCV",
                got=text_of(error),
                remedy="run `softrl setup gymnasium`",
                code="no-python",
            ) from error
        return PlainEnvironment(id, options)
    if request["atari"]:
        return atari.AtariEnvironment(id, options, request["training"], request["protocol"])
    return PlainEnvironment(id, options)


def answer(vector, operation, payload):
    import numpy as np

    if operation == connection.RESET:
        vector.reset(np.frombuffer(payload, "<u4"))
        return vector.observed()
    if operation == connection.STEP:
        vector.step(np.frombuffer(payload, "<i4"))
        return vector.reply()
    if operation == connection.SAVE:
        state = vector.save()
        return [b"" if state is None else state]
    if operation == connection.RESTORE:
        vector.restore(payload)
        return vector.observed()
    if operation == connection.SHARE:
        share(vector, json.loads(payload))
        return []
    if operation == connection.SCREEN:
        (i,) = np.frombuffer(payload, "<i4")
        return [] if i < 0 else vector.screen(i)
    raise BridgeError(f"operation {operation} is unknown")


def share(vector, layout):
    """Moves the observations into the file that the parent has mapped as well."""
    try:
        memory = mmap.mmap(connection.SHARED_DESCRIPTOR, layout["bytes"])
        os.close(connection.SHARED_DESCRIPTOR)
    except (OSError, ValueError) as error:
        raise BridgeError(
            "could not map the shared memory", got=text_of(error), remedy='choose the transport "stdio"'
        ) from error
    vector.share(memory, layout["observations"], layout["finals"])
