"""Writes toy-text.json: the tables of Gymnasium 1.3.0's toy text environments.

Run it with a Python that has gymnasium 1.3.0: python toy-text.py
Then format the file: npx biome format --write toy-text.json
"""

import json
from pathlib import Path

import gymnasium

assert gymnasium.__version__ == "1.3.0", gymnasium.__version__
tables = {}
for name, id, options in [
    ("FrozenLake-v1", "FrozenLake-v1", {}),
    ("FrozenLake-v1 dry", "FrozenLake-v1", {"is_slippery": False}),
    ("FrozenLake8x8-v1", "FrozenLake8x8-v1", {}),
    ("CliffWalking-v1", "CliffWalking-v1", {}),
    ("CliffWalking-v1 slippery", "CliffWalking-v1", {"is_slippery": True}),
    ("Taxi-v4", "Taxi-v4", {}),
]:
    made = gymnasium.make(id, **options)
    env = made.unwrapped
    table = [[env.P[s][a] for a in range(len(env.P[s]))] for s in range(len(env.P))]
    # One list per field over all outcomes, ordered by state, action and Gymnasium's own order of outcomes.
    outcomes = [outcome for actions in table for row in actions for outcome in row]
    tables[name] = {
        "states": len(table),
        "actions": len(table[0]),
        "limit": made.spec.max_episode_steps,
        "counts": [len(row) for actions in table for row in actions],
        "probabilities": sorted({float(p) for p, _, _, _ in outcomes}),
        "probability": [sorted({float(p) for p, _, _, _ in outcomes}).index(float(p)) for p, _, _, _ in outcomes],
        "next": [int(s) for _, s, _, _ in outcomes],
        "rewards": [int(r) for _, _, r, _ in outcomes],
        "ended": [k for k, outcome in enumerate(outcomes) if outcome[3]],
        "starts": [s for s, p in enumerate(env.initial_state_distrib) if p > 0],
    }
here = Path(__file__).parent
here.joinpath("toy-text.json").write_text(
    json.dumps({"gymnasium": gymnasium.__version__, "tables": tables}, separators=(",", ":")) + "\n"
)
