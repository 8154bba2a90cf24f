"""A2C on CartPole, compiled as a whole by JAX: environments, sampling, returns, gradient and RMSProp in nested scans.

Optimised for a CPU: the random numbers of a whole rollout are drawn at once, both heads are one matrix, and the
parameters are one vector, so that clipping and RMSProp become a few fused loops.
"""

from functools import partial

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jax.flatten_util import ravel_pytree

UPDATES_PER_CALL = 200
LIMIT = 500


def dynamics(state, action):
    """One step of Gymnasium's CartPole-v1 for states [S, 4] and actions [S]."""
    x, v, angle, spin = state[:, 0], state[:, 1], state[:, 2], state[:, 3]
    push = jnp.where(action == 1, 10.0, -10.0)
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    pull = (push + 0.05 * spin * spin * sine) / 1.1
    angular = (9.8 * sine - cosine * pull) / (0.5 * (4 / 3 - 0.1 * cosine * cosine / 1.1))
    linear = pull - 0.05 * angular * cosine / 1.1
    state = jnp.stack([x + 0.02 * v, v + 0.02 * linear, angle + 0.02 * spin, spin + 0.02 * angular], axis=1)
    fallen = (jnp.abs(state[:, 0]) > 2.4) | (jnp.abs(state[:, 2]) > 12 * 2 * jnp.pi / 360)
    return state, fallen


class Work:
    def __init__(self, spec):
        self.spec = spec
        size = spec["environments"]
        sizes = [4, *spec["hiddenSizes"], 3]
        key = jax.random.key(spec["seed"], impl=spec.get("generator"))
        key, *keys = jax.random.split(key, len(sizes))
        gains = [2**0.5] * len(spec["hiddenSizes"]) + [0.01]
        parameters = [
            (jax.nn.initializers.orthogonal(gain)(k, (i, o)), jnp.zeros(o))
            for k, gain, i, o in zip(keys, gains, sizes, sizes[1:])
        ]
        theta, self.unravel = ravel_pytree(parameters)
        self.optimiser = optax.chain(
            optax.clip_by_global_norm(spec["maxGradientNorm"]),
            optax.rmsprop(spec["learningRate"], decay=spec["decay"], eps=spec["epsilon"], eps_in_sqrt=True),
        )
        key, start = jax.random.split(key)
        state = jax.random.uniform(start, (size, 4), minval=-0.05, maxval=0.05)
        self.carry = (theta, self.optimiser.init(theta), state, jnp.zeros(size, jnp.int32), key)
        self.advance = jax.jit(partial(lax.scan, self.update, length=UPDATES_PER_CALL), donate_argnums=0)

    def network(self, theta, observations):
        *body, (weight, bias) = self.unravel(theta)
        x = observations
        for w, b in body:
            x = jnp.tanh(x @ w + b)
        out = x @ weight + bias
        return jax.nn.log_softmax(out[..., :2]), out[..., 2]

    def update(self, carry, _):
        theta, optimiser_state, state, steps, key = carry
        spec = self.spec
        horizon, gamma, tau = spec["horizon"], spec["gamma"], spec["tau"]
        size = state.shape[0]
        key, draw = jax.random.split(key)
        numbers = jax.random.uniform(draw, (horizon, size, 5))

        def step(carry, numbers):
            state, steps = carry
            log_pi, v = self.network(theta, state)
            action = (numbers[:, 0] >= jnp.exp(log_pi[:, 0])).astype(jnp.int32)
            final, fallen = dynamics(state, action)
            steps = steps + 1
            truncated = (steps >= LIMIT) & ~fallen
            ended = truncated | fallen
            kl = (jnp.exp(log_pi) * log_pi).sum(-1)
            next_state = jnp.where(ended[:, None], 0.1 * numbers[:, 1:] - 0.05, final)
            return (next_state, jnp.where(ended, 0, steps)), (state, action, v, kl, final, fallen, truncated)

        (state, steps), rollout = lax.scan(step, (state, steps), numbers, unroll=True)
        observations, actions, values, kl, final, fallen, truncated = rollout
        _, last = self.network(theta, state)
        following = jnp.concatenate([values[1:], last[None]])
        # A truncated episode bootstraps from V of its last observation.
        cut = lax.cond(
            truncated.any(), lambda: self.network(theta, final)[1], lambda: jnp.zeros_like(values)
        )
        following = jnp.where(truncated, cut, jnp.where(fallen, 0.0, following))
        delta = 1 - tau * kl + gamma * following - values
        continues = 1.0 - (fallen | truncated)
        advantages = [delta[-1]]
        for t in reversed(range(horizon - 1)):
            advantages.append(delta[t] + gamma * continues[t] * advantages[-1])
        advantages = jnp.stack(advantages[::-1])
        targets = values + advantages

        def loss(theta):
            log_pi, v = self.network(theta, observations.reshape(-1, 4))
            taken = jnp.where(actions.reshape(-1) == 0, log_pi[:, 0], log_pi[:, 1])
            kl = (jnp.exp(log_pi) * log_pi).sum(-1)
            error = v - targets.reshape(-1)
            fit = 0.5 * spec["valueCoefficient"] * error * error
            return (fit + tau * kl - taken * advantages.reshape(-1)).mean()

        updates, optimiser_state = self.optimiser.update(jax.grad(loss)(theta), optimiser_state)
        carry = (optax.apply_updates(theta, updates), optimiser_state, state, steps, key)
        return carry, (fallen | truncated).sum()

    def run(self, iterations):
        """Runs whole calls of UPDATES_PER_CALL updates, as close as possible to the requested number, at least one."""
        calls = max(1, round(iterations / UPDATES_PER_CALL))
        for _ in range(calls):
            self.carry, episodes = self.advance(self.carry)
        episodes = int(episodes.sum())
        steps = UPDATES_PER_CALL * self.spec["environments"] * self.spec["horizon"]
        return calls * UPDATES_PER_CALL, {"episodeLength": steps / max(1, episodes)}


def load(spec):
    return Work(spec)
