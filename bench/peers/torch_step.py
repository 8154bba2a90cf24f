"""A training step and a forward pass in PyTorch: eager, float32, on the CPU.

"cleanrl" is written in the style of CleanRL's agents. "tuned" computes the same with less overhead: channels_last,
log_softmax instead of a distribution object, one matrix for both heads, the optimiser over lists of tensors. The
process's environment variables set the threads and the allocator.
"""

import base64

import numpy as np
import torch
from torch import nn
from torch.distributions.categorical import Categorical

MAX_NORM = 0.5


def decode(text, dtype, shape):
    array = np.frombuffer(base64.b64decode(text), dtype=dtype).reshape(shape)
    return torch.from_numpy(array.copy())


class Agent(nn.Module):
    """A network with body, actor and critic."""

    def __init__(self, spec):
        super().__init__()
        self.scale = spec["scale"]
        height_width_channels = spec["observationShape"]
        layers = []
        shape = tuple(height_width_channels)
        for kind, units, *window in spec["layers"]:
            if kind == "convolution":
                size, stride = window
                layers += [nn.Conv2d(shape[2], units, size, stride=stride)]
                shape = ((shape[0] - size) // stride + 1, (shape[1] - size) // stride + 1, units)
            else:
                if len(shape) == 3:
                    layers += [nn.Flatten()]
                    shape = (shape[0] * shape[1] * shape[2],)
                layers += [nn.Linear(shape[0], units)]
                shape = (units,)
            layers += [nn.ReLU() if spec["activation"] == "relu" else nn.Tanh()]
        self.network = nn.Sequential(*layers)
        self.actor = nn.Linear(shape[0], spec["actions"])
        self.critic = nn.Linear(shape[0], 1)

    def act(self, x, action):
        hidden = self.network(x / self.scale if self.scale != 1 else x)
        probs = Categorical(logits=self.actor(hidden))
        return probs.log_prob(action), probs.entropy(), self.critic(hidden)


class LeanAgent(nn.Module):
    """The same function with both heads in one matrix; the flattened image keeps its memory order."""

    def __init__(self, spec):
        super().__init__()
        agent = Agent(spec)
        self.scale = agent.scale
        self.body = nn.ModuleList(m for m in agent.network if isinstance(m, (nn.Conv2d, nn.Linear)))
        self.activation = torch.relu if spec["activation"] == "relu" else torch.tanh
        self.heads = nn.Linear(agent.actor.in_features, spec["actions"] + 1)

    def forward(self, x):
        if self.scale != 1:
            x = x * (1 / self.scale)
        for layer in self.body:
            if isinstance(layer, nn.Linear) and x.ndim == 4:
                x = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)
            x = self.activation(layer(x))
        return self.heads(x)


class Work:
    def __init__(self, spec):
        self.spec = spec
        self.tuned = spec["variant"] == "tuned"
        batch, shape = spec["batch"], spec["observationShape"]
        observations = decode(spec["observations"], "<f4", (batch, *shape))
        if len(shape) == 3:
            observations = observations.permute(0, 3, 1, 2)
            memory = torch.channels_last if self.tuned else torch.contiguous_format
            observations = observations.contiguous(memory_format=memory)
        self.batch = (
            observations,
            decode(spec["actionsTaken"], "<i4", (batch,)).long(),
            decode(spec["advantages"], "<f4", (batch,)),
            decode(spec["targets"], "<f4", (batch,)),
        )
        self.agent = LeanAgent(spec) if self.tuned else Agent(spec)
        if self.tuned and len(shape) == 3:
            self.agent = self.agent.to(memory_format=torch.channels_last)
        self.write_parameters(np.frombuffer(base64.b64decode(spec["theta"]), dtype="<f4"))
        self.optimizer = torch.optim.RMSprop(
            self.agent.parameters(),
            lr=spec["learningRate"],
            alpha=spec["decay"],
            eps=spec["epsilon"],
            foreach=self.tuned or None,
        )

    # θ has softrl's layout: weights [..., inputs, outputs], images [height, width, channels].

    def places(self):
        """Yields (entry, its tensor, its rows in that tensor, the shape of the image that the rows flatten or None)."""
        agent = self.agent
        body = list(agent.body) if self.tuned else [m for m in agent.network if hasattr(m, "weight")]
        if self.tuned:
            heads = [(agent.heads, slice(0, -1)), (agent.heads, slice(-1, None))]
        else:
            heads = [(agent.actor, slice(None)), (agent.critic, slice(None))]
        layers = [(layer, slice(None)) for layer in body] + heads
        image = None
        shape = self.spec["observationShape"]
        images = []
        for layer, _ in layers:
            if isinstance(layer, nn.Conv2d):
                size, stride = layer.kernel_size[0], layer.stride[0]
                image = ((shape[0] - size) // stride + 1, (shape[1] - size) // stride + 1, layer.out_channels)
                shape = image
                images.append(None)
            else:
                images.append(None if self.tuned else image)
                image = None
        for entry, (layer, rows), image in zip(
            self.spec["entries"],
            [place for place in layers for _ in range(2)],
            [image for image in images for _ in range(2)],
            strict=True,
        ):
            yield entry, (layer.bias if len(entry["shape"]) == 1 else layer.weight), rows, image

    def write_parameters(self, theta):
        with torch.no_grad():
            for entry, tensor, rows, image in self.places():
                value = torch.from_numpy(theta[entry["offset"] : entry["offset"] + entry["size"]].copy())
                value = value.reshape(entry["shape"])
                if value.ndim == 4:
                    value = value.permute(3, 2, 0, 1)
                elif value.ndim == 2 and image is not None:
                    value = value.reshape(*image, -1).permute(3, 2, 0, 1).flatten(1)
                elif value.ndim == 2:
                    value = value.t()
                tensor[rows] = value

    def read_gradient(self):
        parts = []
        for entry, tensor, rows, image in self.places():
            value = tensor.grad[rows]
            if value.ndim == 4:
                value = value.permute(2, 3, 1, 0)
            elif value.ndim == 2 and image is not None:
                height, width, channels = image
                value = value.reshape(-1, channels, height, width).permute(2, 3, 1, 0)
            elif value.ndim == 2:
                value = value.t()
            parts.append(value.reshape(-1))
        return torch.cat(parts)

    def loss(self, observations, actions, advantages, targets):
        tau, coefficient = self.spec["tau"], self.spec["valueCoefficient"]
        if self.tuned:
            out = self.agent(observations)
            log_pi = torch.log_softmax(out[:, :-1], dim=-1)
            taken = log_pi.gather(1, actions.unsqueeze(1)).squeeze(1)
            objective = taken * advantages - tau * (log_pi.exp() * log_pi).sum(-1)
            error = out[:, -1] - targets
            return (coefficient * 0.5 * error * error - objective).mean()
        log_prob, entropy, value = self.agent.act(observations, actions)
        policy_loss = -(advantages * log_prob).mean()
        value_loss = 0.5 * ((value.view(-1) - targets) ** 2).mean()
        return policy_loss - tau * entropy.mean() + coefficient * value_loss

    def check(self, samples):
        """The loss and gradient of the first samples."""
        self.optimizer.zero_grad()
        loss = self.loss(*(part[:samples] for part in self.batch))
        loss.backward()
        gradient = self.read_gradient()
        self.optimizer.zero_grad()
        return {"loss": loss.detach().reshape(1).numpy(), "gradient": gradient.numpy()}


class Step(Work):
    """A forward pass, loss, backward pass, clipping and RMSProp."""

    def run(self, iterations):
        foreach = True if self.tuned else None
        for _ in range(iterations):
            loss = self.loss(*self.batch)
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.agent.parameters(), MAX_NORM, foreach=foreach)
            self.optimizer.step()
        return iterations, {}


class Forward(Work):
    """log π and V without gradients, as a rollout needs them at each step."""

    def run(self, iterations):
        agent, observations = self.agent, self.batch[0]
        with torch.inference_mode() if self.tuned else torch.no_grad():
            for _ in range(iterations):
                if self.tuned:
                    out = agent(observations)
                    torch.log_softmax(out[:, :-1], dim=-1)
                else:
                    hidden = agent.network(observations / agent.scale if agent.scale != 1 else observations)
                    Categorical(logits=agent.actor(hidden))
                    agent.critic(hidden)
        return iterations, {}


def load(spec):
    torch.set_num_threads(spec["threads"])
    return (Forward if spec["kind"] == "forward" else Step)(spec)
