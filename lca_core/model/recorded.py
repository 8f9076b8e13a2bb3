"""Recorded frames: the avatar that is made of them, and what drives an avatar into them."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch

from lca_core.body import Driving, Head
from lca_core.body.driving import EPSILON
from lca_core.data import Frame, signal_tensors
from lca_core.model.avatar import Avatar
from lca_core.model.encoders import ImageEncoder
from lca_core.model.expression import expression_chip
from lca_core.model.lca import LCA
from lca_core.model.photographs import Photographs
from lca_core.model.tokens import person_inputs


@torch.no_grad()
def target_driving(model: LCA, frame: Frame, betas: np.ndarray) -> Driving:
    """What drives an avatar into a recorded frame: its theta, root and gaze, and epsilon from its face crop.

    betas: shape of the person in the frame, who need not be the avatar's: it says where the face is.
    """
    device = model.template.raw.device
    theta, root, gaze = signal_tensors([frame], device)
    code = torch.zeros(1, EPSILON, device=device)
    if frame.face is not None:
        head = recorded_head(model, frame, betas)
        code = model.expression(expression_chip(frame.face, head, model.profile.chip_px)[None])
    return Driving(theta, code, gaze, root)


def driving_of(model: LCA, frames: Sequence[Frame], betas: np.ndarray) -> Driving:
    """The same for several frames of one person, one entry each."""
    each = [target_driving(model, frame, betas) for frame in frames]
    return Driving(*(torch.cat([getattr(driving, field.name) for driving in each]) for field in fields(Driving)))


@torch.no_grad()
def avatar_of(
    model: LCA, encoder: ImageEncoder, frames: Sequence[Frame], betas: np.ndarray, meta: dict | None = None
) -> Avatar:
    """The avatar of a person of this shape from recorded frames, by all that the model has learned to do with them."""
    inputs = person_inputs(frames, betas, encoder, model.profile.face_px).to(model.template.raw.device)
    photographs = None
    if model.gradient_steps is not None:
        photographs = Photographs.of(frames, driving_of(model, frames, betas))
    return Avatar.encode(model, inputs, meta, photographs)


def recorded_head(model: LCA, frame: Frame, betas: np.ndarray) -> Head:
    """Where the head of a recorded person is."""
    device = model.template.raw.device
    rig = model.rig(torch.from_numpy(betas)[None].to(device)).person(0)
    theta, root, gaze = signal_tensors([frame], device)
    moment = Driving(theta, torch.zeros(1, EPSILON, device=device), gaze, root)[0]
    return rig.heads(rig.transforms(moment))
