"""
Checks exported policies with onnx and runs them with ONNX Runtime. The argument is a JSON file: for each policy the paths
of its model, of its observations and of what softrl gives for them. Prints what it finds as JSON.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime

BATCH = 500


def difference(got, expected, sizes=None):
    """The largest |a - b| / max(1, size), where the size is |b| unless given."""
    sizes = np.abs(expected) if sizes is None else sizes
    with np.errstate(invalid="ignore"):
        relative = np.abs(got - expected) / np.maximum(1, sizes)
    return float(np.max(np.where(got == expected, 0, relative)))


def checked(case):
    model = onnx.load(case["model"])
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(case["model"], providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    observations = np.fromfile(case["observations"], case["type"]).reshape(-1, *case["shape"])
    names = [output.name for output in session.get_outputs()]
    parts = [
        session.run(names, {entry.name: observations[first : first + BATCH]})
        for first in range(0, len(observations), BATCH)
    ]
    found = {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(names)}
    rows = (len(observations), -1)
    log_pi_sizes = np.fromfile(case["logPiSizes"], np.float64).reshape(rows)
    differences = {}
    for name in names:
        got = found[name].reshape(rows)
        expected = np.fromfile(case["expected"][name], np.float64).reshape(rows)
        differences[name] = difference(got, expected, log_pi_sizes if name == "logPi" else None)
        if name == "logPi":
            # A difference of logits rounds twice, and moves a probability by at most 1/4 of itself.
            changes = np.abs(np.exp(got) - np.exp(expected)) / np.maximum(1, log_pi_sizes / 2)
            probability = float(np.max(changes))
    small = {
        size: {
            name: list(value.shape)
            for name, value in zip(names, session.run(names, {entry.name: observations[:size]}))
        }
        for size in (1, 7)
    }
    one = session.run(names, {entry.name: observations[:1]})
    return {
        "input": [entry.name, entry.type, entry.shape],
        "rows": len(observations),
        "differences": differences,
        "probability": probability,
        "shapes": small,
        "single": max(
            difference(value, found[name][:1], log_pi_sizes[:1] if name == "logPi" else None)
            for name, value in zip(names, one)
        ),
        "opset": {entry.domain: entry.version for entry in model.opset_import},
        "producer": [model.producer_name, model.producer_version],
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
        "parameters": sorted(tensor.name for tensor in model.graph.initializer),
    }


with open(sys.argv[1]) as file:
    cases = json.load(file)
print(json.dumps({name: checked(case) for name, case in cases.items()}))
