"""Prints Gymnasium's own tables and their optimal values, by value iteration on env.P with NumPy alone."""

import json
import sys

import gymnasium
import numpy as np

request = json.loads(sys.argv[1])
env = gymnasium.make(request["id"], **request["options"]).unwrapped
P = env.P
states, actions = len(P), len(P[0])


def values(gamma, tau, sweeps=20000):
    """V of each state; after a transition that ends the episode, the value is 0, whatever state it leads to."""
    v = np.zeros(states)
    for _ in range(sweeps):
        q = np.array(
            [
                [sum(p * (r + (0 if ended else gamma * v[s2])) for p, s2, r, ended in P[s][a]) for a in range(actions)]
                for s in range(states)
            ]
        )
        top = q.max(axis=1)
        if tau == 0:
            new = top
        else:
            new = top + tau * np.log(np.exp((q - top[:, None]) / tau).sum(axis=1))
        change = np.abs(new - v).max()
        v = new
        if change < 1e-13:
            break
    return v


start = np.asarray(env.initial_state_distrib, dtype=np.float64)
print(
    json.dumps(
        {
            "version": gymnasium.__version__,
            "P": [[[[float(p), int(s2), float(r), bool(e)] for p, s2, r, e in P[s][a]] for a in P[s]] for s in P],
            "start": start.tolist(),
            "optima": [
                {"gamma": gamma, "tau": tau, "start": float(start @ values(gamma, tau))}
                for gamma, tau, _ in request["problems"]
            ],
        }
    )
)
