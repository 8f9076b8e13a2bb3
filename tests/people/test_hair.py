"""Hair: every style on every head, off the face, under hats, the same every time."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from lca_core.body import basemesh
from lca_core.people.body.parts import Strands, Surface
from lca_core.people.body.skin import Landmarks, scalp_depth
from lca_core.people.hair import hair
from lca_core.people.stage.human import full_body
from lca_core.people.who.spec import HAIR_STYLES, Accessory, sample_person

STYLES = [style for style in HAIR_STYLES if style != "bald"]
PAST_EARS = ("bob", "long_straight", "long_wavy", "ponytail", "bun", "braids")
NO_CLOTH = np.zeros((0, 3))


def bodies() -> dict[str, np.ndarray]:
    """Shapes [300]: a small body as a child's, a heavy one and a thin one."""
    shapes = {name: np.zeros(300, np.float32) for name in ("child", "heavy", "thin")}
    shapes["child"][0] = -2
    shapes["heavy"][[1, 4, 6]] = 2
    shapes["thin"][[1, 4, 6]] = -2
    return shapes


@pytest.fixture(scope="module")
def people():
    body = full_body()
    made = {}
    for name, betas in bodies().items():
        shape = body.template.new_tensor(betas)[None]
        made[name] = body.rest(shape)[0].numpy(), body.rest_joints(shape)[0].numpy()
    return made


def person(style: str, part: float = 0.4, beard: str = "none", hat: str | None = None, seed: int = 9000):
    spec = sample_person(seed)
    return replace(
        spec,
        hair=replace(spec.hair, style=style, part=part),
        skin=replace(spec.skin, beard=beard, beard_density=0.8),
        hat=Accessory(hat, (0.2, 0.2, 0.3), 0.5) if hat else None,
    )


def grown(spec, body, cloth=NO_CLOTH):
    rest, joints = body
    return hair.grow(spec, rest, full_body().template.numpy(), joints, cloth)


def strands(parts) -> list[Strands]:
    return [look for _, look in parts if isinstance(look, Strands)]


@cache
def surface_of(rest_bytes: bytes, with_ears: bool) -> tuple[cKDTree, np.ndarray, np.ndarray]:
    """Samples of the triangles of head, neck and chest, and the triangles' normals there."""
    rest = np.frombuffer(rest_bytes, np.float32).reshape(-1, 3)
    mesh = basemesh.load()
    faces, _ = mesh.triangles(mesh.select("body"))
    marks = Landmarks.of(rest)
    corner = rest[faces[(rest[faces, 1] > marks.chin - 0.4).all(1) & (np.abs(rest[faces, 0]) < 0.25).all(1)]]
    if not with_ears:
        aside = corner.mean(1) * np.sign(corner.mean(1)[:, :1]) ** [1, 0, 0]
        corner = corner[np.linalg.norm(aside - marks.ear, axis=1) > 0.05]
    flat = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    shares = np.array([[4, 1, 1], [1, 4, 1], [1, 1, 4], [2, 2, 2]]) / 6
    samples = np.einsum("sk,fkd->fsd", shares, corner).reshape(-1, 3)
    return cKDTree(samples), samples, flat.repeat(4, 0)


def height_over(rest, points, with_ears: bool) -> np.ndarray:
    """Height of points [n, 3] over the body's triangles, metres, negative inside: the highest of their nearest
    samples' planes."""
    tree, samples, normals = surface_of(rest.tobytes(), with_ears)
    _, nearest = tree.query(points, k=3)
    return ((points[:, None] - samples[nearest]) * normals[nearest]).sum(-1).max(1)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_grows_outside_every_head_and_off_its_face(style, people):
    for number, (name, body) in enumerate(people.items()):
        parts = grown(person(style, part=(0.4, -0.5, 0.9)[number]), body)
        marks = Landmarks.of(body[0])
        looks = strands(parts)
        assert 2500 < sum(len(look.points) for look in looks) <= 5200
        for weights, look in parts:
            points = look.vertices if isinstance(look, Surface) else look.points.reshape(-1, 3)
            assert len(weights) == len(points) and np.isfinite(points).all()
            assert np.allclose(weights.sum(1), 1, atol=1e-5) and (weights >= 0).all()
        for look in looks:
            root = np.abs(height_over(body[0], look.points[::5, 0], True))
            assert np.quantile(root, 0.99) < 0.006 and (look.points[:, 0, 1] > marks.chin - 0.04).all(), name
            points = look.points[::5, 1:].reshape(-1, 3)[::11]
            inside = height_over(body[0], points, style not in PAST_EARS) < -0.002
            assert inside.mean() < 0.002, f"{name}: {inside.sum()} of {len(points)} points inside"
            assert (look.radii > 0).all() and look.radii.max() < 0.001
            x, y, z = np.moveaxis(look.points, -1, 0)
            before = (np.abs(x) < 0.035) & (z > marks.eye[2] - 0.01) & (y < marks.eye[1] + 0.015) & (y > marks.chin)
            assert not before.any(), name


def test_a_fringe_ends_above_the_eyes(people):
    rest, joints = people["thin"]
    marks = Landmarks.of(rest)
    points = np.concatenate([look.points for look in strands(grown(person("bob", -0.9), (rest, joints)))])
    before = (np.abs(points[..., 0]) < 0.03) & (points[..., 2] > marks.eye[2])
    low = points[..., 1][before & (points[..., 1] > marks.chin)].min()
    assert marks.eye[1] + 0.005 < low < marks.eye[1] + 0.03


def test_styles_differ_and_the_same_seed_gives_the_same_bits(people):
    body, reach = people["thin"], {}
    for style in STYLES:
        first = grown(person(style), body)
        second = grown(person(style), body) if style in ("curly", "braids") else first
        for (weights, look), (again, copy) in zip(first, second, strict=True):
            assert np.array_equal(weights, again)
            for name, values in look.__dict__.items():
                assert np.array_equal(values, getattr(copy, name)), name
        points = np.concatenate([look.points.reshape(-1, 3) for look in strands(first)])
        reach[style] = np.concatenate([points.min(0), points.max(0), points.std(0)])
    apart = [np.abs(reach[a] - reach[b]).max() for i, a in enumerate(STYLES) for b in STYLES[i + 1 :]]
    assert min(apart) > 0.003
    other = grown(person("bob", seed=9001), body)
    assert not np.array_equal(strands(other)[0].points, strands(grown(person("bob"), body))[0].points)


def test_length_and_parting_are_the_specs(people):
    body = people["thin"]
    spec = person("long_straight")
    low = [
        np.quantile(strands(grown(replace(spec, hair=hair_of_length), body))[0].points[:, -1, 1], 0.2)
        for hair_of_length in (replace(spec.hair, length=0.8), replace(spec.hair, length=1.2))
    ]
    assert low[0] - low[1] > 0.05
    for part in (-0.55, 0.95):
        look = strands(grown(person("bob", part), body))[0]
        front = look.points[:, 0, 2] > Landmarks.of(body[0]).center[2]
        to_left = look.points[front, 4, 0] > look.points[front, 0, 0]
        root = look.points[front, 0, 0]
        between = (root > min(0, 0.022 * part) + 0.003) & (root < max(0, 0.022 * part) - 0.003)
        assert (to_left[between] == (part < 0)).mean() > 0.95


@pytest.mark.parametrize("style", STYLES)
def test_hats_press_hair_flat(style, people):
    for name in ("heavy",):
        rest, joints = people[name]
        marks = Landmarks.of(rest)
        for _, look in grown(person(style, hat="beanie"), (rest, joints)):
            points = look.vertices if isinstance(look, Surface) else look.points[::25].reshape(-1, 3)
            under = points[points[:, 1] > hair.hat_line(marks, points) + 0.002]
            if len(under):
                assert np.quantile(height_over(rest, under, True), 0.995) < 0.006, name


def test_long_hair_lies_on_clothes(people):
    rest, joints = people["thin"]
    mesh = basemesh.load()
    faces, _ = mesh.triangles(mesh.select("body"))
    marks = Landmarks.of(rest)
    used = np.unique(faces)
    below = marks.chin - rest[used, 1]
    used = used[(below > 0.08) & (below < 0.4) & (np.abs(rest[used, 0]) < 0.2)]
    coat = rest[used] + 0.02 * basemesh.vertex_normals(rest, faces)[used]
    look = strands(grown(person("long_straight"), (rest, joints), coat))[0]
    low = look.points[look.points[..., 1] < marks.chin - 0.1]
    low = low[np.abs(low[:, 0]) < 0.13]
    assert len(low) > 1000 and (height_over(rest, low, True) < 0.015).mean() < 0.05


@pytest.mark.parametrize("beard", ["moustache", "goatee", "full"])
def test_beards_grow_on_the_lower_face(beard, people):
    for name, body in people.items():
        marks = Landmarks.of(body[0])
        parts = grown(person("bald", beard=beard), body)
        assert len(parts) == 1
        weights, look = parts[0]
        roots = look.points[:, 0]
        assert 150 < len(roots) <= 2000 and np.allclose(weights.sum(1), 1)
        assert (roots[:, 1] < marks.eye[1] + 0.02).all() and (roots[:, 1] > marks.chin - 0.04).all(), name
        assert (np.abs(height_over(body[0], roots, True)) < 0.004).mean() > 0.98
        assert (height_over(body[0], look.points[:, 1:].reshape(-1, 3), True) < -0.002).mean() < 0.002, name
        reach = np.linalg.norm(look.points[:, -1] - roots, axis=1)
        assert 0.003 < np.quantile(reach, 0.02) and reach.max() < 0.03


def test_beards_are_darker_than_hair_and_leave_strands_for_it(people):
    parts = strands(grown(person("short", beard="full"), people["thin"]))
    assert sum(len(look.points) for look in parts) <= 5200
    assert parts[-1].colors.mean() < parts[0].colors.mean()
    assert not grown(person("bald"), people["thin"])
    assert not grown(person("bald", beard="stubble"), people["thin"])


def test_the_hairline_is_where_the_scalp_begins(people):
    template = full_body().template.numpy()
    marks = Landmarks.of(template)
    rest, joints = people["thin"]
    for look in strands(grown(person("buzz"), (rest, joints))):
        _, nearest = cKDTree(rest).query(look.points[:, 0])
        assert (scalp_depth(template[nearest], marks) > -0.02).mean() > 0.99
