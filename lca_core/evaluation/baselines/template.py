"""The mean template: what one gets without looking at any picture, the least that every method has to pass."""

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body.driving import EPSILON, GAZE, THETA
from lca_core.data import Person
from lca_core.model import LCA, Avatar
from lca_core.model.decoders import DrivenDecoder
from lca_core.model.face import FaceShapes


def template_avatar(model: LCA, template: Float[Tensor, "G k 14"], person: Person) -> Avatar:
    """The trained mean template in a person's shape, moved by skinning alone."""
    device = model.template.raw.device
    rig = model.rig(torch.from_numpy(person.betas)[None].to(device)).person(0)
    silent = DrivenDecoder(model.width, template.shape[1], THETA + EPSILON + GAZE).to(device)  # and stays at zero
    tokens = torch.zeros(len(template), model.width, device=device)
    return Avatar(
        template.to(device), rig.surface, rig.frames, tokens, rig.skinning, rig.rest_joints, silent, model.action_map,
        FaceShapes.none().to(device), {},
    )  # fmt: skip
