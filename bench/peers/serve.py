"""Runs the benchmark of one library: a long-lived process that measures on request.

Each line on standard input is a request and each line on standard output its answer, both in JSON. A request is
{"do": "versions" | "load" | "run" | "check", "key": name of the loaded work, ...}. If it fails, the answer has an
"error". All output of the library goes to standard error.
"""

import base64
import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import time
import traceback

PACKAGES = ("torch", "jax", "optax", "gymnasium", "numpy", "scipy", "stable_baselines3", "ale_py")


def versions():
    """The versions of the packages that can be imported, without importing the large ones."""
    found = {}
    for name in PACKAGES:
        if importlib.util.find_spec(name) is None:
            continue
        try:
            found[name] = importlib.metadata.version(name.replace("_", "-"))
        except importlib.metadata.PackageNotFoundError:
            found[name] = importlib.import_module(name).__version__
    return {"python": sys.version.split()[0], "packages": found}


def encode(array):
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def answer(request, loaded):
    match request["do"]:
        case "versions":
            return versions()
        case "load":
            work = importlib.import_module(request["work"])
            loaded[request["key"]] = work.load(request["spec"])
            return {}
        case "run":
            work = loaded[request["key"]]
            began = time.perf_counter()
            iterations, figures = work.run(request["iterations"])
            return {"seconds": time.perf_counter() - began, "iterations": iterations, "figures": figures}
        case "check":
            arrays = loaded[request["key"]].check(request["samples"])
            return {name: encode(array) for name, array in arrays.items()}
    raise ValueError(f"unknown request {request['do']!r}")


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    loaded = {}
    for line in sys.stdin:
        try:
            result = answer(json.loads(line), loaded)
        except Exception as error:
            traceback.print_exc()
            result = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(result) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
