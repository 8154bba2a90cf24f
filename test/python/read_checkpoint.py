"""
Reads a checkpoint with the safetensors library and prints what it holds as JSON: the metadata, and for each array its
dtype, shape, bytes (hexadecimal) and where its bytes begin in the file. NumPy and PyTorch must read the same.
"""

import json
import struct
import sys

import safetensors
import safetensors.numpy
import safetensors.torch

path = sys.argv[1]
with safetensors.safe_open(path, framework="numpy") as file:
    metadata = file.metadata()
arrays = safetensors.numpy.load_file(path)
tensors = safetensors.torch.load_file(path)

with open(path, "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))

described = {}
for name, array in arrays.items():
    tensor = tensors.pop(name).numpy()
    assert (tensor.dtype, tensor.shape) == (array.dtype, array.shape), name
    assert tensor.tobytes() == array.tobytes(), name
    described[name] = {
        "dtype": array.dtype.name,
        "itemsize": array.dtype.itemsize,
        "shape": array.shape,
        "bytes": array.tobytes().hex(),
        "begin": 8 + length + header[name]["data_offsets"][0],
    }
assert tensors == {}
print(json.dumps({"metadata": metadata, "arrays": described}))
