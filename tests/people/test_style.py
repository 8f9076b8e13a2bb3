"""Stylised pictures are of their kind, keep the silhouette, and exaggerated bodies have the proportions asked for."""

import numpy as np
import pytest
import torch

from lca_core.body import JOINT_NAMES, BodyModel
from lca_core.body.model import joint_transforms
from lca_core.data.srgb import to_linear
from lca_core.errors import InputError
from lca_core.people.body.parts import PART_IDS
from lca_core.people.styles.exaggerate import Proportions, exaggerated, sample_proportions, wide_eyed
from lca_core.people.styles.fields import Layers, composite, contours, k_means, tones
from lca_core.people.styles.stylise import EXAGGERATED, STYLES, stylise

DRAWN = [style for style in STYLES if style != EXAGGERATED]


def figure(behind, h=160, w=128):
    """A head with hair, eyes and lips above a striped cloth: spheres lit from the upper left."""
    y, x = np.mgrid[:h, :w].astype(np.float32) + 0.5
    parts, depth = np.zeros((h, w), np.uint8), np.zeros((h, w), np.float32)
    normals, albedo = np.zeros((h, w, 3), np.float32), np.zeros((h, w, 3), np.uint8)
    for cy, cx, ry, rx, part, color in (
        (130, 64, 44, 40, "top", (40, 70, 160)),
        (56, 64, 40, 32, "hair", (60, 36, 20)),
        (62, 64, 30, 24, "skin", (214, 160, 130)),
        (57, 54, 3, 5, "eye", (240, 240, 240)),
        (57, 74, 3, 5, "eye", (240, 240, 240)),
        (57, 54, 2, 2, "eye", (40, 60, 40)),
        (57, 74, 2, 2, "eye", (40, 60, 40)),
        (80, 64, 2, 8, "skin", (180, 60, 70)),
    ):
        u, v = (x - cx) / rx, (y - cy) / ry
        mask = u * u + v * v < 1
        n = np.stack([u, -v, np.sqrt(np.clip(1 - u * u - v * v, 0.05, 1))], -1)
        flat = part == "eye" or ry < 5
        normals[mask] = [0, 0, 1] if flat else n[mask] / np.linalg.norm(n[mask], axis=-1, keepdims=True)
        depth[mask] = 3 - (0 if flat else 0.1) * n[mask][:, 2]
        parts[mask], albedo[mask] = PART_IDS[part], color
    albedo[(parts == PART_IDS["top"]) & (y // 10 % 2 == 0)] = (230, 225, 220)
    alpha = (parts > 0).astype(np.float32)[..., None]
    light = np.clip(normals @ np.array([-0.5, 0.5, 0.7]), 0.08, None)[..., None]
    linear = to_linear(albedo) * alpha
    return Layers((linear * light).astype(np.float32), alpha, linear, normals, depth, parts, behind)


def plain(value, h=160, w=128):
    return np.full((h, w, 3), value, np.uint8)


@pytest.fixture(scope="module")
def layers():
    y, x = np.mgrid[:160, :128]
    return figure(np.stack([90 + y // 2, 140 + 0 * x, 90 + x // 2], -1).astype(np.uint8))


@pytest.fixture(scope="module")
def pictures(layers):
    return {style: stylise(style, layers, np.random.default_rng(2)) for style in STYLES}


def colours(picture, share=0.002):
    """How many colours, of 16 levels a channel, cover at least `share` of the picture each."""
    codes = (picture.astype(int) // 16) @ [256, 16, 1]
    return int((np.unique(codes, return_counts=True)[1] > share * codes.size).sum())


@pytest.mark.parametrize("style", STYLES)
def test_a_stylised_picture_has_the_size_of_the_view(style, pictures, layers):
    assert pictures[style].shape == layers.background.shape and pictures[style].dtype == np.uint8


@pytest.mark.parametrize("style", STYLES)
def test_the_same_generator_gives_the_same_picture(style, pictures, layers):
    np.testing.assert_array_equal(stylise(style, layers, np.random.default_rng(2)), pictures[style])


@pytest.mark.parametrize("style", DRAWN)
def test_another_generator_gives_another_picture(style, pictures, layers):
    other = stylise(style, layers, np.random.default_rng(3)).astype(int)
    assert np.abs(other - pictures[style]).mean() > 2


@pytest.mark.parametrize("style", DRAWN)
def test_styles_change_person_and_background(style, pictures, layers):
    change = np.abs(pictures[style].astype(int) - composite(layers)).max(-1)
    assert change[layers.inside].mean() > 8 and change[~layers.inside].mean() > 8


@pytest.mark.parametrize("style", DRAWN)
def test_the_silhouette_stays_where_the_matte_says(style):
    """Black or white behind the person changes what is outside the matte, and nothing inside."""
    dark, bright = (stylise(style, figure(plain(v)), np.random.default_rng(5)).astype(int).mean(-1) for v in (25, 230))
    change, inside = np.abs(bright - dark), figure(plain(0)).inside
    assert change[inside].mean() < 0.2 * change[~inside].mean()
    assert change[~inside].mean() > 25
    if style != "sketch":  # which leaves paper bare between its lines
        overlap = ((change < 40) & inside).sum() / ((change < 40) | inside).sum()
        assert overlap > 0.88


def test_the_person_keeps_the_colours_of_hair_and_clothes(pictures, layers):
    for style in ("toon", "painterly", "clay", "pixel"):
        hair = pictures[style][25:35, 50:78].reshape(-1, 3).mean(0)
        face = pictures[style][66:76, 55:73].reshape(-1, 3).mean(0)
        assert face.mean() > hair.mean() + 40, style
        assert hair[0] > hair[2] and face[0] > face[2] + 20, style
        blue = pictures[style][(layers.parts == PART_IDS["top"]) & (np.mgrid[:160, :128][0] // 10 % 2 == 1)].mean(0)
        assert blue[2] > blue[0] + 15, style


def test_toon_has_few_flat_tones(pictures, layers):
    assert colours(pictures["toon"]) < 0.6 * colours(composite(layers))
    step = np.abs(np.diff(pictures["toon"].astype(int), axis=1)).max(-1)[layers.inside[:, 1:]]
    assert (step <= 2).mean() > 0.6


def test_toon_outlines_the_silhouette(pictures, layers):
    rim = layers.inside & ~(np.roll(layers.inside, 2, 1) & np.roll(layers.inside, -2, 1))
    assert pictures["toon"][rim].mean() < 0.6 * pictures["toon"][layers.inside & ~rim].mean()


def test_a_sketch_is_ink_on_paper(layers):
    for seed in range(2):
        picture = stylise("sketch", layers, np.random.default_rng(seed)).astype(int)
        assert np.ptp(picture, axis=-1).mean() < 30
        assert np.percentile(picture, 2) < 110 < 190 < np.percentile(picture, 98)


def test_a_sketch_hatches_the_dark_more_densely(pictures, layers):
    hair, face = (pictures["sketch"][layers.parts == PART_IDS[part]].mean() for part in ("hair", "skin"))
    assert hair < face - 20


def test_pixel_art_has_big_pixels_and_a_small_palette(pictures):
    picture = pictures["pixel"]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 28
    same = (np.diff(picture.astype(int), axis=1) == 0).all((0, 2))
    edges = np.flatnonzero(~same) + 1
    block = np.gcd.reduce(edges)
    assert block >= 2 and 28 <= 160 / block <= 81


def test_clay_has_relief_where_the_person_was_smooth(pictures, layers):
    rough = lambda image: np.abs(np.diff(image.astype(float).mean(-1), 2, axis=0))[60:70, 56:72].mean()  # noqa: E731
    assert rough(pictures["clay"]) > 1.5 * rough(composite(layers))


@pytest.mark.parametrize("style", STYLES)
def test_an_empty_view_is_only_background(style):
    h, w = 48, 64
    empty = Layers(
        np.zeros((h, w, 3), np.float32), np.zeros((h, w, 1), np.float32), np.zeros((h, w, 3), np.float32),
        np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32), np.zeros((h, w), np.uint8), plain(120, h, w),
    )  # fmt: skip
    assert stylise(style, empty, np.random.default_rng(0)).std() < 40


def test_an_unknown_style_is_refused(layers):
    with pytest.raises(InputError, match="cubist.*toon"):
        stylise("cubist", layers, np.random.default_rng(0))


def test_contours_follow_silhouette_and_parts(layers):
    lines = contours(layers)
    assert lines[62, 38:42].any() and lines[56, 30:34].any()  # face against hair, hair against background
    assert not lines[70, 55:73].any()


def test_tones_are_flat_steps():
    values = np.unique(np.round(tones(np.linspace(0, 1, 402), 3, 1e-4), 3))
    np.testing.assert_allclose(values, [0, 0.5, 1])


def test_k_means_finds_separate_colours():
    points = np.repeat([[0.0, 0, 0], [1, 0, 0], [0, 1, 1]], 30, 0)
    centres = k_means(points, 3, np.random.default_rng(0))
    np.testing.assert_allclose(centres[np.lexsort(centres.T[::-1])], [[0, 0, 0], [0, 1, 1], [1, 0, 0]], atol=1e-6)


@pytest.fixture(scope="module")
def body():
    return BodyModel.load()


def skinned(body, pose, proportions=None):
    """(vertices [V, 3], joint transforms [55, 3, 4]) of the mean body; with `proportions`, exaggerated."""
    betas = torch.zeros(1, 10)
    rest, joints = body.rest(betas)[0].numpy(), body.rest_joints(betas)
    transforms = joint_transforms(joints, torch.from_numpy(pose)[None], None, body.parents)[0][0, :, :3].numpy()
    if proportions:
        transforms = exaggerated(transforms, joints[0].numpy(), proportions, rest[:, 1].min())
    blended = np.einsum("vj,jik->vik", body.weights.numpy(), transforms)
    return np.einsum("vij,vj->vi", blended[..., :3], rest) + blended[..., 3], transforms


def bent():
    """A pose [55, 3] with bent knees, elbows and neck."""
    pose = np.zeros((len(JOINT_NAMES), 3), np.float32)
    for name, angles in {
        "left_hip": (-0.7, 0, 0), "left_knee": (1.0, 0, 0), "right_knee": (0.4, 0, 0), "left_shoulder": (0, 0, -1.0),
        "right_elbow": (0, 1.1, 0), "neck": (0.2, 0.3, 0), "head": (0, 0.4, 0.1),
    }.items():  # fmt: skip
        pose[JOINT_NAMES.index(name)] = angles
    return pose


def test_ordinary_proportions_change_nothing(body):
    before, after = skinned(body, bent()), skinned(body, bent(), Proportions())
    np.testing.assert_allclose(after[0], before[0], atol=1e-4)


@pytest.mark.parametrize("factor", [0.8, 1.4])
def test_the_head_grows_by_the_given_factor(body, factor):
    head = body.weights[:, JOINT_NAMES.index("head")].numpy() > 0.999
    sizes = [
        np.linalg.norm(v[head] - v[head].mean(0), axis=1).mean()
        for v, _ in (skinned(body, bent()), skinned(body, bent(), Proportions(head=factor)))
    ]
    assert sizes[1] / sizes[0] == pytest.approx(factor, rel=1e-3)


def test_legs_shorten_by_the_given_factor_and_the_feet_stay_on_the_floor(body):
    ankle, hip = (JOINT_NAMES.index(f"left_{name}") for name in ("ankle", "hip"))
    joints = body.rest_joints(torch.zeros(1, 10))[0].numpy()

    def leg(transforms):
        place = lambda j: transforms[j, :, :3] @ joints[j] + transforms[j, :, 3]  # noqa: E731
        return place(hip)[1] - place(ankle)[1]

    rest = np.zeros((len(JOINT_NAMES), 3), np.float32)
    (before, plain_body), (after, short) = skinned(body, rest), skinned(body, rest, Proportions(legs=0.8, feet=1.3))
    assert leg(short) / leg(plain_body) == pytest.approx(0.8, abs=0.01)
    assert after[:, 1].min() == pytest.approx(before[:, 1].min(), abs=0.015)


@pytest.mark.parametrize("seed", range(6))
def test_exaggerated_skin_does_not_tear(body, seed):
    proportions = sample_proportions(np.random.default_rng(seed))
    before, after = skinned(body, bent())[0], skinned(body, bent(), proportions)[0]
    edges = np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]]])
    a, b = (np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (before, after))
    long = a > 0.004
    assert 0.3 < np.percentile(b[long] / a[long], 0.1) and (b[long] / a[long]).max() < 3


def test_eyes_grow_in_place(body):
    joints = body.rest_joints(torch.zeros(1, 10))[0].numpy()
    eye = joints[JOINT_NAMES.index("left_eye_smplhf")]
    ring = eye + 0.012 * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1]])
    moved = wide_eyed(ring, joints, Proportions(eyes=1.5))
    np.testing.assert_allclose(np.linalg.norm(moved - eye, axis=1) / 0.012, 1.5, atol=0.07)
    far = eye + [[0, -0.3, 0.0]]
    np.testing.assert_allclose(wide_eyed(far, joints, Proportions(eyes=1.5)), far, atol=2e-3)


def test_proportions_vary_between_people():
    heads = [sample_proportions(np.random.default_rng(seed)).head for seed in range(40)]
    assert min(heads) < 1 and max(heads) > 1.4
