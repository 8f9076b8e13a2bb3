"""Gaussians in a .glb: read by trimesh as points, and by the extension's own attributes."""

import numpy as np
import pytest
import torch
import trimesh

from lca_core.data.srgb import to_srgb8
from lca_core.errors import InputError
from lca_core.splats.formats.gltf import write_splat_glb
from tests.glb import accessor, read_glb
from tests.splats.formats.examples import some_gaussians

NAME = "KHR_gaussian_splatting"


@pytest.fixture
def written(tmp_path):
    gaussians = some_gaussians(50)
    write_splat_glb(tmp_path / "a.glb", gaussians.map(lambda t: t * 1.0))
    return gaussians, tmp_path / "a.glb"


def test_the_extensions_attributes_are_the_gaussians(written):
    gaussians, path = written
    document, data = read_glb(path)
    (points,) = document["meshes"][0]["primitives"]
    assert NAME in document["extensionsUsed"] and points["mode"] == 0
    assert points["extensions"][NAME] == {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}
    found = {name: accessor(document, data, number) for name, number in points["attributes"].items()}
    np.testing.assert_allclose(found["POSITION"], gaussians.means, atol=1e-6)
    np.testing.assert_allclose(found[f"{NAME}:ROTATION"][:, [3, 0, 1, 2]], gaussians.quats, atol=1e-6)
    np.testing.assert_allclose(found[f"{NAME}:SCALE"], gaussians.scales, atol=1e-6)
    np.testing.assert_allclose(found[f"{NAME}:OPACITY"], gaussians.opacities, atol=1e-6)
    np.testing.assert_allclose(0.5 + 0.28209479 * found[f"{NAME}:SH_DEGREE_0_COEF_0"], gaussians.colors, atol=1e-6)


def test_a_reader_that_knows_no_gaussians_sees_coloured_points(written):
    gaussians, path = written
    (points,) = trimesh.load(path).geometry.values()
    assert isinstance(points, trimesh.PointCloud) and len(points.vertices) == len(gaussians)
    bounds = torch.stack([gaussians.means.min(0).values, gaussians.means.max(0).values])
    np.testing.assert_allclose(points.bounds, bounds, atol=1e-6)
    document, data = read_glb(path)
    colors = accessor(document, data, document["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"])
    assert np.abs(to_srgb8(colors[:, :3]) - 255 * gaussians.colors.numpy()).max() < 0.51


def test_unlit_rotations_and_opacities_stay_within_what_the_format_allows(tmp_path):
    gaussians = some_gaussians(4)
    gaussians.quats[0] *= 7
    gaussians.colors[1] = torch.tensor([-0.2, 1.3, 0.5])
    write_splat_glb(tmp_path / "a.glb", gaussians)
    document, data = read_glb(tmp_path / "a.glb")
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    np.testing.assert_allclose(
        np.linalg.norm(accessor(document, data, attributes[f"{NAME}:ROTATION"]), axis=1), 1, atol=1e-6
    )
    colors = accessor(document, data, attributes["COLOR_0"])
    assert colors.min() >= 0 and colors.max() <= 1
    assert "KHR_materials_unlit" in document["materials"][0]["extensions"]


def test_rotations_of_length_zero_are_refused(tmp_path):
    gaussians = some_gaussians(4)
    gaussians.quats[2] = 0
    with pytest.raises(InputError, match="quats of 1 of 4"):
        write_splat_glb(tmp_path / "a.glb", gaussians)
    assert list(tmp_path.iterdir()) == []
