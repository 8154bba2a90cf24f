"""The Python side of @softrl/gymnasium: a child process that steps Gymnasium environments for Node."""

import sys

sys.dont_write_bytecode = True

from softrl_bridge.main import main  # noqa: E402

main()
