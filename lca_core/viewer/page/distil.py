"""The driven branch, a network that runs for every token, distilled to a few directions.

Most of what it does to Gaussians lies in very few directions, and how far to go along each is nearly quadratic in what
its condition network makes of the signal: some two hundred numbers for a whole frame, which a page can afford to
compute as they are. So steps are linear in those numbers and their squares, by reduced-rank ridge regression (Izenman
1975, https://doi.org/10.1016/0047-259X(75)90042-1) over random poses, faces and gazes. All is counted from rest, so
that a person at rest is the avatar but for rounding. `likeness.py` measures what is lost elsewhere.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from lca_core.body.driving import EPSILON, GAZE, THETA
from lca_core.model import Avatar
from lca_core.model.posing import drive
from lca_core.model.raw import COLOR, DRIVEN, OPACITY, POSITION, ROTATION, SCALE
from lca_core.motion.faces import look_actions, random_face, random_gaze, settled
from lca_core.motion.motions import MOTIONS, Motion, motion
from lca_core.motion.poses import STANCES, standing
from lca_core.viewer.signals import driving_of_signal, rest

RANK, DIRECTION_BYTES = 16, 4_000_000  # directions: at most so many, and no more than fit at a byte a number
_SAMPLES, _AT_ONCE, _SEED = 240, 20, 0
_RIDGE = 0.003
# How much a unit of change shows, beside a whole unit of colour: raw position (5 cm), rotation, scale.
_SHOWS = ((POSITION, 1.25), (ROTATION, 0.1), (SCALE, 0.1))


@dataclass(frozen=True)
class Condition:
    """The driven branch's condition network, from theta, facial actions and gaze [194]: first [H, 194] and its bias,
    GELU, second [C, H] and its bias."""

    first: Float[Tensor, "H I"]
    first_bias: Float[Tensor, " H"]
    second: Float[Tensor, "C H"]
    second_bias: Float[Tensor, " C"]

    @classmethod
    @torch.no_grad()
    def of(cls, avatar: Avatar) -> "Condition":
        """An avatar's, with its map from actions to expression codes inside."""
        first, second = avatar.driven.condition[0], avatar.driven.condition[2]
        theta, code, gaze = first.weight.split([THETA, EPSILON, GAZE], 1)
        weight = torch.cat([theta, code @ avatar.action_map.weight, gaze], 1)
        bias = first.bias + code @ avatar.action_map.bias
        return cls(weight, bias, second.weight.detach(), second.bias.detach())

    def features(self, signal: Motion) -> Float[Tensor, "T features"]:
        """What steps are linear in: its numbers, and their squares."""
        told = torch.from_numpy(np.concatenate([signal.theta, signal.actions, signal.gaze], 1)).float()
        numbers = F.gelu(told @ self.first.T + self.first_bias) @ self.second.T + self.second_bias
        return torch.cat([numbers, numbers**2], 1)


@dataclass(frozen=True)
class Distilled:
    """directions [R, N, 13]: raw numbers for one step along each. Steps are map [R, 2C] times the condition's features,
    plus offset [R] (none at rest), held between low [R] and high [R], where they were seen."""

    directions: Float[Tensor, "R N 13"]
    condition: Condition
    map: Float[Tensor, "R features"]
    offset: Float[Tensor, " R"]
    low: Float[Tensor, " R"]
    high: Float[Tensor, " R"]

    @torch.no_grad()
    def steps(self, signal: Motion) -> Float[Tensor, "T R"]:
        """How far to go along each direction."""
        return (self.condition.features(signal) @ self.map.T + self.offset).clamp(self.low, self.high)


def random_signals(count: int, seed: int) -> Motion:
    """`count` unrelated frames: stances and moments of motions, under faces and gazes of all kinds; nobody turns."""
    generator, names, frames = np.random.default_rng(seed), list(MOTIONS), []
    for number in range(count):
        if number % 3:
            theta = standing(generator, STANCES[generator.integers(len(STANCES))])
        else:
            theta = motion(names[generator.integers(len(names))], generator, 1).theta[0]
        gaze = random_gaze(generator)
        actions = settled(np.maximum(random_face(generator), look_actions(gaze)))
        frames.append((theta, np.zeros(6, np.float32), gaze, actions))
    return Motion(*(np.stack(part).astype(np.float32) for part in zip(*frames)))


@torch.no_grad()
def changes(avatar: Avatar, signal: Motion) -> Float[Tensor, "T N 13"]:
    """What all of the avatar's drivers but the face's blendshapes add to its raw numbers."""
    drivers = [driver for driver in avatar.drivers if driver is not avatar.face]
    raw, _ = drive(drivers, avatar.raw, avatar.weights, avatar.tokens, driving_of_signal(avatar, signal))
    return (raw - avatar.raw)[..., :DRIVEN].flatten(-3, -2)


@torch.no_grad()
def distil(avatar: Avatar, samples: int = _SAMPLES) -> Distilled:
    """The directions of an avatar: at most RANK, and fewer where DIRECTION_BYTES would be passed."""
    still, signals = rest(), random_signals(samples, _SEED)
    at_rest = changes(avatar, still)[0]
    batches = [Motion(*(part[i : i + _AT_ONCE] for part in signals)) for i in range(0, samples, _AT_ONCE)]
    changed = torch.cat([changes(avatar, batch) - at_rest for batch in batches]).flatten(1)  # [S, N 13]
    condition = Condition.of(avatar)
    at_ease = condition.features(still)[0]
    x = condition.features(signals) - at_ease
    spread = x.std(0).clamp(min=1e-3)
    z = (x / spread).double()
    inverse = torch.linalg.inv(z @ z.T + _RIDGE * samples * torch.eye(samples, dtype=torch.float64))
    smoothed = z @ z.T @ inverse  # what the regression says of the samples is `smoothed @ changed`
    shown = changed * _importance(avatar)
    gram = (shown @ shown.T).double()
    values, vectors = torch.linalg.eigh(smoothed @ gram @ smoothed.T)
    rank = min(RANK, DIRECTION_BYTES // changed.shape[1], samples)
    values, vectors = values.flip(0)[:rank].clamp(min=1e-12), vectors.flip(1)[:, :rank]
    mix = (vectors / values.sqrt()).T @ smoothed  # directions in terms of the samples' changes, [R, S]
    directions = (mix.float() @ changed).unflatten(1, (-1, DRIVEN))
    project = ((z / spread).T @ inverse @ gram @ mix.T).T.float()  # [R, 2C]
    steps = x @ project.T
    return Distilled(
        directions, condition, project, -project @ at_ease, steps.amin(0).clamp(max=0), steps.amax(0).clamp(min=0)
    )


def _importance(avatar: Avatar) -> Float[Tensor, " N13"]:
    """How much a change of each raw number would show: opaque Gaussians, and colours that are not yet at an end."""
    raw = avatar.raw.flatten(0, 1)
    weight = torch.empty(len(raw), DRIVEN)
    colors = raw[:, COLOR].sigmoid()
    weight[:, COLOR] = colors * (1 - colors)
    for numbers, share in _SHOWS:
        weight[:, numbers] = share
    return (weight * raw[:, OPACITY].sigmoid()).flatten()
