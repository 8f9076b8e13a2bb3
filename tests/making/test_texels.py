"""Texels lie in the triangles they say, every one of a chart is found, and gutters have their neighbours' colour."""

import numpy as np

from lca_core.making.texels import texels

SQUARE = np.array([[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75]], [[0.25, 0.25], [0.75, 0.75], [0.25, 0.75]]])


def test_a_square_of_two_triangles_covers_its_quarter_without_a_gap():
    found = texels(SQUARE, 64)
    assert len(found.place) == len(set(found.place.tolist())) == 32 * 32
    rows, columns = np.divmod(found.place, 64)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (16, 47, 16, 47)


def test_barycentric_coordinates_give_the_middles_of_the_texels_back():
    found = texels(SQUARE, 64)
    rows, columns = np.divmod(found.place, 64)
    middle = np.stack([(columns + 0.5) / 64, 1 - (rows + 0.5) / 64], -1)
    np.testing.assert_allclose(found.on(SQUARE), middle, atol=1e-6)
    np.testing.assert_allclose(found.barycentric.sum(1), 1, atol=1e-6)


def test_what_no_triangle_covers_has_the_nearest_colour():
    found = texels(SQUARE, 64)
    rows = found.place // 64
    picture = found.picture(np.where(rows[:, None] < 32, [200, 0, 0], [0, 0, 200]).astype(np.uint8))
    assert (picture[:32] == [200, 0, 0]).all() and (picture[32:] == [0, 0, 200]).all()


def test_triangles_without_area_and_outside_the_texture_cover_nothing():
    flat = np.array([[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], [[1.5, 1.5], [1.7, 1.5], [1.6, 1.7]]])
    assert len(texels(np.concatenate([flat, SQUARE]), 32).place) == len(texels(SQUARE, 32).place)
