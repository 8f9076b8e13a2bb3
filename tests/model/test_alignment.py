"""Pixel alignment: points find their own pixels, and only where they can be seen."""

from dataclasses import replace

import pytest
import torch

from lca_core.model import LCA, Inputs, Placement
from lca_core.model.alignment import HULL, View
from lca_core.model.rows import pixels_of
from lca_core.training.batches import stack_inputs
from tests.body.bodies import free_body
from tests.model.models import FEATURES, TINY, random_inputs, tiny_model

SIDE = 140


def rows_of(picture: torch.Tensor) -> torch.Tensor:
    """Patch rows [1, 1, P, 784] of one picture [4, H, W], sRGB and matte in [0, 1], as `patch_rows` makes them."""
    over_grey = torch.cat([(picture[:3] - 0.5) * picture[3:], picture[3:]])
    return torch.nn.functional.unfold(4 * over_grey[None], 14, stride=14).transpose(1, 2)[None]


def front_camera(side: int = SIDE, distance: float = 3.0) -> tuple[torch.Tensor, torch.Tensor]:
    """(viewmat, K) of a camera on the z axis, two metres of the plane z = 0 across the picture, y = 0 in the middle."""
    viewmat = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0]))
    viewmat[2, 3] = distance
    focal = side * distance / 2
    return viewmat, torch.tensor([[focal, 0, side / 2], [0, focal, side / 2], [0, 0, 1]])


def placed(people: int = 1, photos: int = 1, side: int = SIDE) -> Placement:
    """Everybody at rest before the front camera."""
    viewmat, K = front_camera(side)
    unknown = Placement.unknown(people, photos)
    Ks = K.expand(people, photos, 3, 3)
    return replace(
        unknown,
        viewmats=viewmat.expand(people, photos, 4, 4),
        body_Ks=Ks,
        face_Ks=Ks,
        known=torch.ones_like(unknown.known),
    )


def ramps() -> torch.Tensor:
    """Red grows to the right, green downwards, in steps a bilinear look-up reads exactly; blue is 0.25."""
    centres = (torch.arange(SIDE) + 0.5) / SIDE
    red, green = centres.expand(SIDE, SIDE), centres[:, None].expand(SIDE, SIDE)
    return torch.stack([red, green, torch.full_like(red, 0.25), torch.ones_like(red)])


def view_of(
    picture: torch.Tensor,
    points: torch.Tensor,
    placement: Placement | None = None,
    behind: torch.Tensor | None = None,
) -> View:
    """Points fixed to the pelvis, which does not move, before one body picture; the face crop is not there."""
    rows = rows_of(picture)
    weights = torch.zeros(points.shape[1], 55)
    weights[:, 0] = 1
    seen = torch.tensor([[[True, False]]])
    return View(rows, torch.zeros_like(rows), seen, placement or placed(), torch.zeros(1, 55, 3), weights, behind)


def test_pictures_come_back_from_their_rows():
    picture = torch.rand(4, 42, 42, generator=torch.Generator().manual_seed(0))
    back = pixels_of(rows_of(picture))[0, 0]
    torch.testing.assert_close(back[:3], (picture[:3] - 0.5) * picture[3:])
    torch.testing.assert_close(back[3], picture[3])


def test_points_find_their_own_pixels():
    """A point at (x, y, z) falls where the pinhole equation says: the ramps' colours are the place itself."""
    points = torch.tensor([[[0.4, 0.3, 0.0], [-0.6, -0.5, 0.2], [0.0, 0.8, -0.4]]])
    samples = view_of(ramps(), points).samples(points, torch.tensor([[0.0, 0.0, 1.0]]).expand(3, 3))
    depth = 3 - points[0, :, 2]
    right, down = 0.5 + 1.5 * points[0, :, 0] / depth, 0.5 - 1.5 * points[0, :, 1] / depth
    torch.testing.assert_close(
        samples.colors[0, 0], torch.stack([right, down, torch.full_like(right, 0.25)], -1), atol=1e-5, rtol=0
    )
    assert (samples.facing[0, 0] > 0.8).all()
    assert (samples.facing[0, 1] == 0).all()  # no face crop
    assert samples.resolution[0, 0, 0].exp().item() == pytest.approx(0.7)  # 210 px focal length, 3 m: 0.7 px a cm


def test_points_follow_the_pose():
    """Half a turn of the pelvis about the y axis: left and right change places, front becomes back."""
    points, normals = torch.tensor([[[0.4, 0.3, 0.0]]]), torch.tensor([[0.0, 0.0, -1.0]])
    turned = placed()
    turned.pose[..., 0, 1] = torch.pi
    samples = view_of(ramps(), points, turned).samples(points, normals)
    assert samples.colors[0, 0, 0, 0].item() == pytest.approx(0.3, abs=1e-4)
    assert samples.facing[0, 0, 0] > 0.9


@pytest.mark.parametrize(
    ("what", "points", "normal"),
    [
        ("faces away", [[0.0, 0.0, 0.0]], [0.0, 0.0, -1.0]),
        ("outside the picture", [[1.5, 0.0, 0.0]], [0.0, 0.0, 1.0]),
        ("behind the camera", [[0.0, 0.0, 3.5]], [0.0, 0.0, 1.0]),
        ("hidden by the second point", [[0.0, 0.0, 0.0], [0.0, 0.0, 0.3]], [0.0, 0.0, 1.0]),
        ("off the person", [[-0.8, 0.0, 0.0]], [0.0, 0.0, 1.0]),
    ],
)
def test_what_cannot_be_seen_is_not(what, points, normal):
    picture = ramps()
    picture[3, :, : SIDE // 4] = 0
    points = torch.tensor([points])
    samples = view_of(picture, points).samples(points, torch.tensor([normal]).expand(points.shape[1], 3))
    assert samples.facing[0, 0, 0] == 0, what
    assert (samples.facing[0, 0, 1:] > 0).all(), what


def test_what_is_not_solid_hides_nothing():
    """A shell off the skin, where nobody wears anything, does not hide the skin under it."""
    points = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.3]]])
    normals, solid = torch.tensor([[0.0, 0.0, 1.0]]).expand(2, 3), torch.tensor([[True, False]])
    assert (view_of(ramps(), points).samples(points, normals, solid).facing[0, 0] > 0).all()


def test_every_point_has_its_own_depth_at_which_it_is_hidden():
    """Two centimetres behind lips lie teeth, and skin under cloth."""
    points = torch.tensor([[[0.0, 0.0, -0.02], [0.0, 0.0, 0.0], [0.0, 0.0, -0.02]]])
    view = view_of(ramps(), points, behind=torch.tensor([0.006, 0.04, 0.04]))
    facing = view.samples(points, torch.tensor([[0.0, 0.0, 1.0]]).expand(3, 3)).facing[0, 0]
    assert (facing > 0).tolist() == [False, True, True]


def test_the_hull_tells_how_far_the_matte_reaches_along_the_normal():
    """The person ends 6 cm above the point: 5 cm away still lies inside, 10 cm no more."""
    picture = ramps()
    picture[3, : round(SIDE / 2 - 0.06 * SIDE / 2)] = 0
    point = torch.tensor([[[0.0, 0.0, 0.0]]])
    hull = view_of(picture, point).hull(point, torch.tensor([[0.0, 1.0, 0.0]]))
    assert HULL == (0.0, 0.02, 0.05, 0.10)
    torch.testing.assert_close(hull[0, 0], torch.tensor([1.0, 1.0, 1.0, 0.0]), atol=0.01, rtol=0)
    nobody_knows = replace(placed(), known=torch.zeros(1, 1, dtype=torch.bool))
    assert (view_of(picture, point, nobody_knows).hull(point, torch.tensor([[0.0, 1.0, 0.0]])) == 1).all()


def placed_inputs(people: int = 2, photos: int = 3, seed: int = 0) -> Inputs:
    """Noise on pictures that the people fill, each seen by a camera of its own."""
    inputs = random_inputs(people, photos, seed)
    inputs.body[..., -196:], inputs.face[..., -196:] = 4, 4
    placement = placed(people, photos, TINY.body_px)
    angle = torch.linspace(0, 4, people * photos).reshape(people, photos)
    pose = placement.pose.clone()
    pose[..., 0, 1] = angle
    return replace(inputs, placement=replace(placement, pose=pose))


def raw_of(model: LCA, inputs: Inputs) -> torch.Tensor:
    with torch.no_grad():
        return model(inputs).raw


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def test_photographs_without_a_pose_are_read_as_if_there_were_no_alignment(model):
    inputs = placed_inputs()
    hidden = replace(inputs.placement, known=torch.zeros_like(inputs.placement.known))
    without = raw_of(model, replace(inputs, placement=hidden))
    aligned = model.alignment(*_nothing_seen(inputs), *_embedded(model, inputs))
    assert (raw_of(model, inputs) - without)[..., :3].abs().max() > 0.05
    # All they may add is one constant, the same for every anchor: nothing was seen.
    torch.testing.assert_close(aligned, aligned[:, :1].expand_as(aligned))


def _nothing_seen(inputs: Inputs):
    hidden = replace(inputs.placement, known=torch.zeros_like(inputs.placement.known))
    model = tiny_model()
    view = View(inputs.body, inputs.face, inputs.seen, hidden, model.rest_joints(inputs.betas), model.skinning_weights)
    points = model.surface(inputs.betas).flatten(1, 2)
    normals = model.anchor_normals.flatten(0, 1)
    return view.samples(points, normals), view.hull(points, normals)


def _embedded(model: LCA, inputs: Inputs):
    return [model.image_tokens(x) for x in (inputs.body, inputs.face)]


def test_the_order_of_placed_photographs_does_not_matter(model):
    inputs, order = placed_inputs(), [2, 0, 1]
    shuffled = Inputs(
        inputs.body[:, order], inputs.face[:, order], inputs.seen[:, order], inputs.betas,
        inputs.placement.map(lambda t: t[:, order]),
    )  # fmt: skip
    torch.testing.assert_close(raw_of(model, shuffled), raw_of(model, inputs), rtol=0, atol=1e-4)


def test_people_with_fewer_photographs_are_not_disturbed_by_padding(model):
    two, three = placed_inputs(1, 2, seed=1), placed_inputs(1, 3, seed=2)
    together = raw_of(model, stack_inputs([two, three]))
    torch.testing.assert_close(together[:1], raw_of(model, two), rtol=0, atol=1e-4)
    torch.testing.assert_close(together[1:], raw_of(model, three), rtol=0, atol=1e-4)


def test_an_untrained_model_already_wears_the_colours_it_sees():
    """Gaussians seen squarely copy their pixel; those no photograph shows keep the decoder's colour."""
    fresh = tiny_model(stirred=False)
    picture = torch.cat([torch.tensor([0.9, 0.2, 0.1])[:, None, None].expand(3, 42, 42), torch.ones(1, 42, 42)])
    body = torch.cat([torch.zeros(1, 1, 9, FEATURES - 784), rows_of(picture)], -1)
    seen = torch.tensor([[[True, False]]])
    inputs = Inputs(body, torch.zeros(1, 1, 4, FEATURES), seen, torch.zeros(1, 10), placed(1, 1, 42))
    raw = raw_of(fresh, inputs)[0]
    away = fresh.anchor_normals[..., 2] < -0.2
    without = raw_of(fresh, replace(inputs, placement=None))[0]
    front = fresh.anchor_normals[..., 2] > 0.9
    copied = (raw[..., :3].sigmoid() - picture[:3, 0, 0]).abs().amax(-1) < 0.05
    assert copied[front].float().mean() > 0.8
    assert not copied[away].any()
    torch.testing.assert_close(raw[away][:, :3], without[away][:, :3], rtol=0, atol=0.05)


def test_the_plain_model_does_not_look_at_placements():
    plain = LCA(replace(TINY, pixel_alignment=False, color_reading=False), FEATURES, free_body())
    inputs = placed_inputs()
    assert torch.equal(raw_of(plain, inputs), raw_of(plain, replace(inputs, placement=None)))
