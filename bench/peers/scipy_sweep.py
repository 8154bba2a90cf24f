"""Soft value iteration with SciPy and NumPy: V <- tau log sum prior exp((r + gamma P V) / tau), on a sparse process.

P is one CSR matrix with S A rows. Variant "logsumexp" uses scipy.special.logsumexp; variant "numpy" is a hand-written
log-sum-exp that works in place and allocates only the product.
"""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import logsumexp


class Work:
    def __init__(self, spec):
        states, actions, folder = spec["states"], spec["actions"], spec["folder"]
        self.tau, self.gamma, self.by_hand = spec["tau"], spec["gamma"], spec["variant"] == "numpy"
        successors = np.fromfile(f"{folder}/successors", dtype="<i4")
        probabilities = np.fromfile(f"{folder}/probabilities", dtype="<f8")
        starts = np.fromfile(f"{folder}/rowStarts", dtype="<i4")
        self.matrix = csr_matrix((probabilities, successors, starts), shape=(states * actions, states))
        self.rewards = np.fromfile(f"{folder}/rewards", dtype="<f8").reshape(states, actions)
        self.terminal = np.flatnonzero(np.fromfile(f"{folder}/terminal", dtype=np.uint8))
        # The prior is uniform, so it is a single number.
        self.shift = -self.tau * np.log(actions)
        if self.by_hand:
            # Ordered by action, so that operations over all states access contiguous memory.
            by_action = np.arange(states * actions).reshape(states, actions).T.ravel()
            self.matrix = self.matrix[by_action]
            self.rewards = np.ascontiguousarray(self.rewards.T)
        self.v = np.zeros(states)

    def sweep(self):
        q = (self.matrix @ self.v).reshape(self.rewards.shape)
        q *= self.gamma
        q += self.rewards
        if self.by_hand:
            high = q.max(axis=0)
            q -= high
            q *= 1 / self.tau
            np.exp(q, out=q)
            value = q.sum(axis=0)
            np.log(value, out=value)
            value *= self.tau
            value += high
        else:
            q /= self.tau
            value = self.tau * logsumexp(q, axis=1)
        value += self.shift
        value[self.terminal] = 0
        change = np.abs(value - self.v).max()
        self.v = value
        return change

    def run(self, iterations):
        for _ in range(iterations):
            self.sweep()
        return iterations, {}

    def check(self, sweeps):
        """V after this number of sweeps from zero. The protocol sends float32, so each float64 takes two of them."""
        kept, self.v = self.v, np.zeros_like(self.v)
        for _ in range(sweeps):
            self.sweep()
        found, self.v = self.v, kept
        return {"v": found.view("<f4")}


def load(spec):
    return Work(spec)
