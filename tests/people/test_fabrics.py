"""Cloth as painted: patterns in the garment's colours, fabrics that look different, seams where garments end."""

from dataclasses import replace

import numpy as np
import pytest

from lca_core.people.clothes.charts import CHARTS, EXTENT, FRONT_U, SLEEVE_V, TORSO_V, WAIST_V, Edges
from lca_core.people.clothes.fabrics import paint
from lca_core.people.clothes.prints import cover, logo_ink, stripes
from lca_core.people.who.spec import FABRICS, PATTERNS, Garment

PX = 256
RED, GREEN, BLUE = (0.8, 0.1, 0.1), (0.1, 0.7, 0.1), (0.1, 0.1, 0.8)
TOP = Garment("tshirt", "cotton", "plain", (RED, GREEN, BLUE), 0.08, 0.5, 0.5, 0.5)


def near(picture: np.ndarray, color: tuple) -> np.ndarray:
    """Texels whose largest channel is this pure colour's, clearly."""
    values = picture.astype(float) / 255
    channel = int(np.argmax(color))
    others = np.delete(values, channel, -1).max(-1)
    return values[..., channel] > others + 0.2


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("fabric", FABRICS)
def test_every_fabric_is_painted_for_every_chart(chart, fabric):
    made = paint(replace(TOP, fabric=fabric), chart, 128, 9000, Edges(hem=0.3, cuff=0.6, front=0.05))
    assert made.albedo.shape == (128, 128, 3) and made.albedo.dtype == np.uint8
    assert 0 < made.roughness <= 1 and 0 <= made.specular <= 1
    assert made.albedo.std() > 0.5  # no fabric is a flat colour


def test_the_same_seed_paints_the_same_bits_and_others_differ():
    garment = replace(TOP, pattern="print")
    first, again, other = (paint(garment, "top", PX, seed).albedo for seed in (9000, 9000, 9001))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_design_is_the_same_at_every_resolution():
    for seed in range(9000, 9010):
        hoodie = replace(TOP, kind="hoodie")
        small, large = (paint(hoodie, "top", px, seed, Edges(hem=0.1)).albedo.astype(float) for px in (128, 512))
        shrunk = large.reshape(128, 4, 128, 4, 3).mean((1, 3))
        assert np.abs(shrunk - small)[60:120].mean(-1).max() < 75  # a zip would stand out by more than 100


@pytest.mark.parametrize("pattern", [name for name in PATTERNS if name != "plain"])
def test_patterns_use_the_garments_colours(pattern):
    seen = [paint(replace(TOP, pattern=pattern), "top", PX, seed).albedo for seed in range(9000, 9012)]
    assert all(near(picture, RED).mean() > 0.02 for picture in seen)
    assert np.mean([near(picture, GREEN).mean() > 0.0003 for picture in seen]) > 0.7
    assert any(near(picture, BLUE).mean() > 0.0003 for picture in seen)


def test_plain_cloth_keeps_its_colour_on_average():
    mean = paint(TOP, "skirt", PX, 9000).albedo.reshape(-1, 3).mean(0) / 255
    assert np.abs(mean - RED).max() < 0.05


def test_horizontal_stripes_run_around_body_and_sleeves():
    garment = replace(TOP, pattern="stripes_h", scale=0.1)
    picture = near(paint(garment, "top", PX, 9000).albedo, GREEN)
    split = int(PX * (1 - SLEEVE_V / EXTENT))
    body, sleeve = picture[split + 4 :], picture[: split - 4]
    assert body.mean(1).std() > 3 * body.mean(0).std()
    assert sleeve.mean(0).std() > 3 * sleeve.mean(1).std()


def test_fine_stripes_fade_to_their_mean_instead_of_aliasing():
    x, texel = np.linspace(0, 1, 4000), 0.004
    assert np.abs(cover(np.abs(x - 0.5), 0.0005, texel)).max() <= 0.0005 * 2 / texel + 1e-9
    assert abs(stripes(x, 0.1, 0.4, 1e-4).mean() - 0.4) < 0.01


def test_denim_is_blue_with_worn_thighs_and_orange_stitches():
    grey = (0.3, 0.3, 0.3)
    jeans = Garment("jeans", "denim", "plain", (grey, RED, BLUE), 0.08, 0.5, 0.5, 0.5)
    denim = paint(jeans, "bottom", 512, 9000).albedo.astype(float)
    cotton = paint(replace(jeans, fabric="cotton"), "bottom", 512, 9000).albedo.astype(float)
    assert (denim[..., 2] - denim[..., 0]).mean() > 40 > (cotton[..., 2] - cotton[..., 0]).mean()
    row, column = int((1 - 0.93 / EXTENT) * 512), int(FRONT_U / EXTENT * 512)
    thigh = denim[row - 10 : row + 10, column - 6 : column + 6].mean()
    below = denim[row + 140 : row + 160, column - 6 : column + 6].mean()
    assert thigh > below * 1.1
    band = denim[int((1 - WAIST_V / EXTENT) * 512) : int((1 - (WAIST_V - 0.06) / EXTENT) * 512)]
    assert (band[..., 0] > band[..., 2]).sum() > 200


def test_fabrics_shine_as_they_should():
    sheen = {fabric: paint(replace(TOP, fabric=fabric), "top", 64, 9000) for fabric in FABRICS}
    assert (
        max(sheen[f].roughness for f in ("leather", "satin"))
        < 0.5
        < min(sheen[f].roughness for f in ("cotton", "denim", "knit"))
    )
    assert min(sheen[f].specular for f in ("leather", "satin")) > 5 * max(
        sheen[f].specular for f in ("cotton", "denim", "knit")
    )


def test_hems_and_cuffs_are_ribbed_or_stitched_where_the_garment_ends():
    plain = paint(TOP, "top", 512, 9000).albedo.astype(int)
    hemmed = paint(TOP, "top", 512, 9000, Edges(hem=0.10)).albedo.astype(int)
    rows = np.flatnonzero(np.abs(plain - hemmed).max((1, 2)) > 8)
    heights = (1 - (rows + 0.5) / 512) * EXTENT
    assert len(rows) and (np.abs(heights - 0.12) < 0.02).all()
    sweater = replace(TOP, kind="sweater", fabric="knit")
    ribbed = paint(sweater, "top", 512, 9000, Edges(cuff=0.7)).albedo.astype(int)
    changed = np.abs(ribbed - paint(sweater, "top", 512, 9000).albedo.astype(int)).max(2) > 4
    columns = np.flatnonzero(changed.any(0)) / 512 * EXTENT
    assert changed[int(512 * (1 - SLEEVE_V / EXTENT)) + 2 :].sum() == 0
    assert 0.63 < columns.min() < columns.max() < 0.73


def test_shirts_have_buttons_down_the_front():
    shirt = replace(TOP, kind="shirt")
    difference = np.abs(paint(shirt, "top", 512, 9000).albedo.astype(int) - paint(TOP, "top", 512, 9000).albedo)
    column = int(FRONT_U / EXTENT * 512)
    spots = difference[int(512 * (1 - 0.6 / EXTENT)) : int(512 * (1 - TORSO_V / EXTENT)), column].max(-1) > 60
    assert np.diff(spots.astype(int)).clip(0).sum() >= 5


def test_logos_are_of_several_kinds():
    axis = np.linspace(-1, 1, 64)
    shapes = {
        (logo_ink(axis[None], axis[::-1, None], 2 / 64, np.random.default_rng(seed))[0] > 0.5).tobytes()
        for seed in range(20)
    }
    assert len(shapes) > 8


def test_an_unknown_chart_is_refused():
    with pytest.raises(ValueError, match="top"):
        paint(TOP, "hat", 64, 9000)
