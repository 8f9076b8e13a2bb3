"""What drives an avatar into recorded frames."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch

from lca_core.body import Driving, Head
from lca_core.body.driving import EPSILON
from lca_core.data import Frame, signal_tensors
from lca_core.model.expression import expression_chip
from lca_core.model.lca import LCA


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


def recorded_head(model: LCA, frame: Frame, betas: np.ndarray) -> Head:
    """Where the head of a recorded person is."""
    device = model.template.raw.device
    rig = model.rig(torch.from_numpy(betas)[None].to(device)).person(0)
    theta, root, gaze = signal_tensors([frame], device)
    moment = Driving(theta, torch.zeros(1, EPSILON, device=device), gaze, root)[0]
    return rig.heads(rig.transforms(moment))
