"""What no photograph shows is looked for where the body says, and worn where the model trusts it."""

from dataclasses import replace

import pytest
import torch

from lca_core.model import LCA, Inputs
from lca_core.model.alignment import ColorCopy, Samples
from lca_core.model.counterparts import COUNT, counterparts
from lca_core.model.raw import COLOR
from tests.body.bodies import free_body
from tests.model.models import FEATURES, TINY
from tests.model.test_alignment import placed, rows_of

MIRROR, THROUGH, BOTH = range(COUNT)


def egg(count: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    """Points all over a flat ellipsoid, wider than deep, and their normals."""
    turned = torch.nn.functional.normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(0)), dim=-1)
    axes = torch.tensor([0.3, 0.6, 0.15])
    return turned * axes, torch.nn.functional.normalize(turned / axes, dim=-1)


@pytest.mark.parametrize(("turn", "sides"), [(MIRROR, (-1, 1, 1)), (THROUGH, (1, 1, -1)), (BOTH, (-1, 1, -1))])
def test_points_of_a_symmetric_body_have_counterparts_on_its_other_sides(turn, sides):
    points, normals = egg()
    found = counterparts(points, normals, torch.zeros(len(points)))[:, turn]
    away = (points[found] - points * torch.tensor(sides)).norm(dim=-1)
    assert away.median() < 0.02 and away.quantile(0.95) < 0.06
    assert ((normals[found] * normals * torch.tensor(sides)).sum(-1) > 0.8).float().mean() > 0.95


def test_through_the_body_depth_does_not_count():
    """A belly far before the spine still stands for the back over it."""
    points = torch.tensor([[0.1, 0.0, 0.5], [0.1, 0.0, -0.1], [0.1, 0.2, -0.1]])
    normals = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.0, 0.0, -1.0]])
    assert counterparts(points, normals, torch.zeros(3))[0, THROUGH] == 1


def test_only_their_own_kind_stands_for_points():
    points, normals = egg()
    kinds = (torch.arange(len(points)) % 2).float()
    assert (kinds[counterparts(points, normals, kinds)] == kinds[:, None]).all()


def samples_of(colors: list[list[float]], facing: list[float]) -> Samples:
    """What points [M] see in one body picture; the face crop shows nobody."""
    colors, facing = torch.tensor([colors]), torch.tensor([facing])
    nothing = torch.zeros_like(facing)
    return Samples(
        torch.stack([colors, torch.zeros_like(colors)], 1), torch.stack([facing, nothing], 1),
        torch.zeros(1, 2, facing.shape[1]), torch.zeros(1, 2, facing.shape[1], 2),
    )  # fmt: skip


RED, BLUE = [0.9, 0.1, 0.1], [0.1, 0.1, 0.9]


def copied(facing: list[float], others: list[int] | None, trust: float = 0.0) -> torch.Tensor:
    """Colours, sRGB [2, 3], of two Gaussians: what they see is red and blue; the decoder says grey. others: who stands
    for each in every way; trust: added to how much a counterpart is trusted."""
    copy = ColorCopy(6, 2, counterparts=others is not None)
    if others is not None:
        with torch.no_grad():
            copy.stand_in.bias.view(2, COUNT, -1)[..., -1] += trust
    table = None if others is None else torch.tensor(others)[:, None].expand(-1, COUNT)
    raw = copy(torch.zeros(1, 1, 2, 14), torch.zeros(1, 1, 6), samples_of([RED, BLUE], facing), table)
    return raw[0, 0, :, COLOR].sigmoid()


def test_what_is_not_seen_wears_the_colour_of_what_stands_for_it():
    assert torch.allclose(copied([1.0, 0.0], None)[1], torch.full((3,), 0.5))
    assert torch.allclose(copied([1.0, 0.0], [1, 0], trust=20)[1], torch.tensor(RED), atol=0.02)
    assert (copied([1.0, 0.0], [1, 0])[1] - 0.5)[0] > 0.1, "an untrained model already does, in part"


def test_what_is_seen_squarely_keeps_its_own_colour():
    """To a hundredth, however many counterparts see another colour."""
    alone, with_others = copied([1.0, 1.0], None), copied([1.0, 1.0], [1, 0])
    assert torch.allclose(with_others, alone, atol=0.01)


def test_counterparts_that_are_not_seen_change_nothing():
    assert torch.equal(copied([0.0, 0.0], [1, 0], trust=20), copied([0.0, 0.0], None))


def test_whether_a_counterpart_is_trusted_is_learned():
    copy = ColorCopy(6, 2, counterparts=True)
    table = torch.tensor([[1] * COUNT, [0] * COUNT])
    raw = copy(torch.zeros(1, 1, 2, 14), torch.ones(1, 1, 6), samples_of([RED, BLUE], [1.0, 0.0]), table)
    raw[0, 0, 1, COLOR].sum().backward()
    assert copy.stand_in.weight.grad.abs().sum() > 0


def test_a_model_with_counterparts_colours_backs_from_the_front_and_brings_them_along():
    """People in red seen from the front: an untrained model's backs are redder than without, and nothing else is."""
    sizes = replace(TINY, counterparts=True)
    torch.manual_seed(0)
    model, plain, loaded = (LCA(s, FEATURES, free_body()) for s in (sizes, TINY, sizes))
    plain.load_state_dict(model.state_dict(), strict=False)
    loaded.load_state_dict(model.state_dict())
    picture = torch.cat([torch.tensor(RED)[:, None, None].expand(3, 42, 42), torch.ones(1, 42, 42)])
    body = torch.cat([torch.zeros(1, 1, 9, FEATURES - 784), rows_of(picture)], -1)
    seen = torch.tensor([[[True, False]]])
    inputs = Inputs(body, torch.zeros(1, 1, 4, FEATURES), seen, torch.zeros(1, 10), placed(1, 1, 42))
    with torch.no_grad():
        raw, before, again = (each(inputs).raw[0] for each in (model, plain, loaded))
    back, front = (side * model.anchor_normals[..., 2] > 0.9 for side in (-1, 1))
    redder = (raw - before)[..., COLOR.start]
    assert redder[back].mean() > 0.2 and redder[front].abs().mean() < 0.05
    assert torch.equal(raw[..., COLOR.stop :], before[..., COLOR.stop :]), "colours alone are copied"
    assert torch.equal(again, raw) and len(model.counterparts) == sizes.anchors * sizes.gaussians_per_anchor
