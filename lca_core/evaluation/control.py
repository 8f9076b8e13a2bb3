"""Control: does an avatar do what it is told, and what do expression codes hold?

Faces are judged on `expressions` (everybody makes faces, pairs of people the same ones), hands on the hand crops of
studio records. Gains are differences of psnr_fg, dB, to the same avatar left as it is: the canonical branch alone, or
fingers at rest.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body.driving import theta_slice
from lca_core.body.layout import ACTIONS, HAND_JOINTS
from lca_core.data import Person
from lca_core.evaluation.evaluate import draw, pixels, target_driving
from lca_core.evaluation.metrics import psnr_fg
from lca_core.evaluation.protocols import Target
from lca_core.model import LCA, Avatar
from lca_core.splats import Gaussians, skin

READABLE = 0.7  # R2 from which on an action counts as read
FOLDS = 4
_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_FINGERS = [i for joint in HAND_JOINTS for i in range(*theta_slice(joint).indices(138)[:2])]


def codes_of(model: LCA, person: Person) -> Float[Tensor, "F 128"]:
    """epsilon of every frame of a record of faces."""
    return torch.cat([target_driving(model, frame, person.betas).epsilon for frame in person.frames])


def probe(model: LCA, people: Sequence[Person]) -> dict[str, float]:
    """Action -> R2 with which a linear map reads it from epsilon, on people whom it was not fitted on.

    Ridge regression in `FOLDS` folds of pairs of people (both of a pair make the same faces), the ridge chosen by a
    fold within those fitted on. Actions that never vary are left out.
    """
    codes = np.stack([codes_of(model, person).numpy() for person in people]).astype(float)
    actions = np.stack([np.stack([frame.actions for frame in person.frames]) for person in people]).astype(float)
    pairs = np.unique([person.seed // 2 for person in people], return_inverse=True)[1]
    read = np.empty_like(actions)
    for fold in range(FOLDS):
        held = pairs % FOLDS == fold
        inner = ~held & (pairs % FOLDS == (fold + 1) % FOLDS)
        outer = ~held & ~inner
        errors = [
            np.square(_apply(_fit(codes[outer], actions[outer], ridge), codes[inner]) - actions[inner]).mean()
            for ridge in _RIDGES
        ]
        best = _RIDGES[int(np.argmin(errors))]
        read[held] = _apply(_fit(codes[~held], actions[~held], best), codes[held])
    flat, guessed = actions.reshape(-1, len(ACTIONS)), read.reshape(-1, len(ACTIONS))
    spread = np.square(flat - flat.mean(0)).sum(0)
    score = 1 - np.square(flat - guessed).sum(0) / np.maximum(spread, 1e-12)
    return {name: float(r2) for name, r2, s in zip(ACTIONS, score, spread) if s > 1e-6}


def _fit(codes: np.ndarray, actions: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = codes.reshape(-1, codes.shape[-1]), actions.reshape(-1, actions.shape[-1])
    mean, scale = x.mean(0), x.std(0) + 1e-9
    z = (x - mean) / scale
    weight = np.linalg.solve(z.T @ z + ridge * len(z) * np.eye(z.shape[1]), z.T @ (y - y.mean(0)))
    return weight / scale[:, None], mean, y.mean(0)


def _apply(fit: tuple[np.ndarray, np.ndarray, np.ndarray], codes: np.ndarray) -> np.ndarray:
    weight, mean, offset = fit
    return (codes - mean) @ weight + offset


def face_gains(model: LCA, avatar: Avatar, own: Person, other: Person | None = None) -> list[float]:
    """dB that a driven face is nearer to the truth than the canonical one, for every face but the neutral one.

    own: the avatar's person making faces; other: who makes the same ones and lends the codes (default: the person).
    """
    gains = []
    for frame, source in list(zip(own.frames, (other or own).frames))[1:]:
        driving = target_driving(model, frame, own.betas)
        if other is not None:
            driving = replace(driving, epsilon=target_driving(model, source, other.betas).epsilon)
        still = skin(avatar.canonical(), avatar.weights, avatar.transforms(driving)[0])
        gains.append(_nearer(avatar.drive(driving).map(lambda t: t[0]), still, frame.face))
    return gains


def hand_gains(model: LCA, avatar: Avatar, person: Person, targets: Sequence[Target]) -> list[float]:
    """dB that driven fingers are nearer to the truth than fingers at rest, for every hand crop of the targets."""
    gains = []
    for frame in (target.frame for target in targets):
        driving = target_driving(model, frame, person.betas)
        theta = driving.theta.clone()
        theta[:, _FINGERS] = 0
        moved, still = (avatar.drive(d).map(lambda t: t[0]) for d in (driving, replace(driving, theta=theta)))
        gains += [_nearer(moved, still, hand) for hand in frame.hands if hand is not None]
    return gains


def _nearer(one: Gaussians, other: Gaussians, picture) -> float:
    truth = pixels(picture)
    first, second = (float(psnr_fg(draw(gaussians, picture)[0], *truth)) for gaussians in (one, other))
    return first - second
