"""A model small enough to run in milliseconds, and inputs for it."""

from dataclasses import replace

import torch

from lca_core.model import LCA, Inputs
from lca_core.profiles import profile
from tests.body.bodies import free_body

FEATURES = 6 + 4 * 14 * 14  # six numbers in place of an encoder's, then the patch's red, green, blue and matte
MATTE = 14 * 14  # the last numbers of a row
TINY = replace(
    profile("smoke"), name="tiny", body_px=42, face_px=28, dim=24, depth=2, heads=3, anchors=32, gaussians_per_anchor=2
)


def tiny_model(stirred: bool = True, seed: int = 0) -> LCA:
    """Random weights; stirred: the last layers too, which otherwise start at or near zero."""
    torch.manual_seed(seed)
    model = LCA(TINY, FEATURES, free_body())
    if stirred:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
            model.action_map.weight.normal_()
    return model.eval()


def random_inputs(people: int = 2, photos: int = 3, seed: int = 0) -> Inputs:
    """Noise in place of patch rows; every photograph seen, and the person on every patch but the first two."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    patches = [(px // 14) ** 2 for px in (TINY.body_px, TINY.face_px)]
    body, face = (normal(people, photos, n, FEATURES) for n in patches)
    for x in (body, face):
        x[..., -MATTE:] = 4 * (x[..., -MATTE:] > 0)
        x[..., :2, -MATTE:] = 0
    return Inputs(body, face, torch.ones(people, photos, 2, dtype=torch.bool), 0.5 * normal(people, 300))
