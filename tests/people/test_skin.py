"""Skin, brows, beards, wrinkles and eyes as they are painted."""

from dataclasses import replace

import numpy as np
import pytest

from lca_core.people.body import eyes, features, skin
from lca_core.people.stage.human import full_body
from lca_core.people.who.spec import BEARDS, sample_person

PX = 256
SEED = 9000


@pytest.fixture(scope="module")
def atlas() -> skin.Atlas:
    return skin.atlas(full_body().template.numpy().astype(np.float32).tobytes(), PX)


@pytest.fixture(scope="module")
def person():
    """Someone without freckles, wrinkles or beard."""
    spec = sample_person(SEED)
    look = replace(spec.skin, tone=0.3, color=(0.8, 0.6, 0.5), freckles=0.0, moles=0, wrinkles=0.0, beard="none")
    return replace(spec, skin=look, hair=replace(spec.hair, style="short", color=(0.12, 0.09, 0.07)))


def painted(spec, atlas, **changes) -> np.ndarray:
    """sRGB in 0..1 of the texels of the face [n, 3]."""
    picture = skin.paint(replace(spec, skin=replace(spec.skin, **changes)), atlas)
    assert picture.dtype == np.uint8 and picture.shape == (PX, PX, 3)
    return picture.reshape(-1, 3)[atlas.face] / 255


def test_paint_is_deterministic_and_each_seed_its_own(person, atlas):
    assert np.array_equal(painted(person, atlas), painted(person, atlas))
    assert not np.array_equal(painted(person, atlas), painted(replace(person, seed=SEED + 1), atlas))


def test_a_beard_darkens_its_region_and_nothing_else(person, atlas):
    bare = painted(person, atlas)
    for kind in BEARDS[1:]:
        region = features.beard_region(kind, atlas.offset)
        change = (bare - painted(person, atlas, beard=kind, beard_density=1.0)).mean(-1)
        assert change[region > 0.9].mean() > 0.12, kind
        assert np.abs(change[region < 0.001]).max() < 0.01, kind


def test_beards_cover_what_they_are_called_after():
    upper_lip, chin, jaw, cheek, lip = np.array(
        [[0.01, -0.058, 0.03], [0.0, -0.105, 0.02], [0.058, -0.08, -0.02], [0.04, -0.03, 0.01], [0.0, -0.075, 0.03]]
    )
    grows = {
        kind: [float(features.beard_region(kind, p)) for p in (upper_lip, chin, jaw, cheek, lip)] for kind in BEARDS[1:]
    }
    assert [v > 0.3 for v in grows["moustache"]] == [True, False, False, False, False]
    assert [v > 0.3 for v in grows["goatee"]] == [True, True, False, False, False]
    assert [v > 0.3 for v in grows["full"]] == [True, True, True, False, False]
    with pytest.raises(ValueError, match="moustachio"):
        features.beard_region("moustachio", chin)


def test_wrinkles_darken_the_old_and_deepen_the_bump(person, atlas):
    young, old = painted(person, atlas), painted(person, atlas, wrinkles=1.0)
    lines, _ = features.wrinkle_lines(atlas.offset, np.random.default_rng([person.seed, 12]))
    assert (young - old)[lines > 0.6].mean() > 0.04
    assert np.abs(young - old)[atlas.offset[:, 1] < -0.12].max() < 0.01
    flat = skin.bump(person, atlas)
    deep = skin.bump(replace(person, skin=replace(person.skin, wrinkles=1.0)), atlas)
    assert flat.shape == (PX, PX) and flat.dtype == np.float32
    assert 0.0002 < (flat - deep).max() < 0.001 and (flat - deep).min() >= 0


def test_brows_differ_in_shape_and_follow_their_density(atlas):
    above = atlas.offset[(atlas.offset[:, 1] > 0.008) & (atlas.offset[:, 1] < 0.04)]
    covers, widths = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        brow = features.Brow.sample(rng, sex=seed % 2, density=0.7)
        cover = brow.cover(above, rng)
        assert 0 <= cover.min() and cover.max() <= 1 and cover.max() > 0.3
        covers.append(cover)
        widths.append(brow.thickness)
    overlap = [np.minimum(a, b).sum() / np.maximum(a, b).sum() for a, b in zip(covers, covers[1:])]
    assert np.mean(overlap) < 0.6 and max(widths) > 1.8 * min(widths)
    thin = features.Brow.sample(np.random.default_rng(3), 1.0, 0.1).cover(above, np.random.default_rng(1))
    full = features.Brow.sample(np.random.default_rng(3), 1.0, 1.0).cover(above, np.random.default_rng(1))
    assert full.sum() > 1.4 * thin.sum()


def test_lipstick_is_no_brighter_than_dark_skin_allows(person, atlas):
    pink = (0.8, 0.35, 0.36)
    dark = replace(person, skin=replace(person.skin, tone=1.0, color=(0.24, 0.16, 0.12), lips=pink, lip_strength=0.9))
    light = replace(person, skin=replace(person.skin, lips=pink, lip_strength=0.9))
    lips = atlas.masks["lips"].ravel()[atlas.face] > 0.9
    on_dark, on_light = (painted(spec, atlas)[lips].mean(0) for spec in (dark, light))
    assert on_dark.mean() < 0.65 * on_light.mean()
    assert on_dark[0] > 1.4 * on_dark[1]  # still a red


def test_skin_is_even_where_nothing_is_painted(person, atlas):
    forehead = (np.abs(atlas.offset[:, 0]) < 0.03) & (np.abs(atlas.offset[:, 1] - 0.045) < 0.01)
    cheek = (np.abs(np.abs(atlas.offset[:, 0]) - 0.05) < 0.01) & (np.abs(atlas.offset[:, 1] + 0.025) < 0.01)
    colors = painted(replace(person, skin=replace(person.skin, blush=0.0)), atlas)
    for region in (forehead, cheek):
        assert colors[region].std(0).max() < 0.03


def test_the_shaved_scalp_is_skin_and_fades(person, atlas):
    bald = skin.paint(replace(person, hair=replace(person.hair, style="bald")), atlas).reshape(-1, 3) / 255
    hairy = skin.paint(person, atlas).reshape(-1, 3) / 255
    crown = atlas.fields["hair"].ravel() > 0.99
    assert np.abs(bald[crown].mean(0) - person.skin.color).max() < 0.12
    assert hairy[crown].mean() < 0.2


def test_an_eye_has_a_black_pupil_a_dark_limbus_and_an_off_white():
    spec = replace(sample_person(SEED), iris=(0.35, 0.5, 0.62))
    eye = eyes.paint_eye(spec, 256).astype(float) / 255
    axis = (np.arange(256) + 0.5) / 128 - 1
    x, y = np.meshgrid(axis, -axis)
    angle = np.hypot(x, y) * 1.25
    level = np.abs(y) < 0.12
    ring = [eye[level & (np.abs(angle - at) < 0.02)].mean() for at in (0.05, 0.35, 0.50, 0.70)]
    pupil, iris, limbus, white = ring
    assert pupil < 0.06 and pupil < limbus < iris < white < 0.9
    assert eye[(y > 0.45) & (y < 0.55) & (np.abs(x) < 0.2)].mean() < 0.8 * white  # shade of the upper lid
    assert np.array_equal(eyes.paint_eye(spec, 64), eyes.paint_eye(spec, 64))
