"""The kernels that look at photographs see what the tensors see."""

import pytest
import torch

from lca_core.model import alignment
from lca_core.model.alignment import SHELL, View
from tests.model.models import tiny_model
from tests.model.test_alignment import placed_inputs

ALIKE = dict(rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def scene():
    """(photographs some of which have no pose or no face, the points of two people, raw numbers)."""
    inputs = placed_inputs(2, 3)
    mattes = inputs.body[..., -196:]
    mattes[:] = 4 * (torch.rand(mattes.shape, generator=torch.Generator().manual_seed(3)) > 0.02)
    inputs.placement.known[0, 1], inputs.seen[1, 2, 1] = False, False
    model = tiny_model()
    raw = model.template.raw.detach() + 0.2 * torch.randn(2, *model.template.raw.shape)
    return model, inputs, raw


def looked(scene) -> dict[str, torch.Tensor]:
    """All that a view tells, by name."""
    model, inputs, raw = scene
    with torch.no_grad():
        gaussians, normals = model.rig(inputs.betas).canonical(raw), model.anchor_normals.flatten(0, 1)
        view: View = model.view(inputs)
        solid = torch.arange(gaussians.means.shape[1]).expand(len(raw), -1) % 3 > 0
        samples = view.samples(gaussians.means, normals, solid)
        missing = view.missing(gaussians)
        told = view.look_up(missing, gaussians.means, normals, samples)
        mean, well = samples.mean()
        found = {"places": samples.places, "facing": samples.facing, "mean": mean, "well": well, "missing": told}
        found |= {name: getattr(samples, name)[samples.facing > 0] for name in ("colors", "resolution")}
        return found | {
            "hull": view.hull(gaussians.means, normals),
            "shell": view.hull(gaussians.means, normals, SHELL),
        }


def test_kernels_and_tensors_see_the_same(scene, monkeypatch):
    quick = looked(scene)
    monkeypatch.setattr(alignment, "_on_cpu", lambda *tensors: False)
    slow = looked(scene)
    assert (quick["facing"] > 0).sum() > 20 and (quick["hull"] < 0.5).any() and quick["missing"].abs().max() > 0.1
    for name, values in slow.items():
        torch.testing.assert_close(quick[name], values, **ALIKE, msg=lambda text, name=name: f"{name}: {text}")
