"""Packed files, unpacked by gaussforge: the same Gaussians, upright by each format's own axes, and the tag."""

import gzip
import json
from zipfile import ZipFile

import pytest
import torch

from lca_core.errors import InputError
from lca_core.splats import turn_over
from lca_core.splats.formats.files import WRITERS, write_gaussians
from lca_core.splats.formats.packed import PACKED, write_packed
from tests.splats.formats.examples import matched, read_by_gaussforge, some_gaussians

# The most that a number may be off: metres, parts of a unit quaternion, e-folds of a scale, opacity, colour.
ROUNDED = {
    "compressed.ply": {"means": 0.002, "quats": 0.003, "scales": 0.01, "opacities": 0.003, "colors": 0.003},
    "spz": {"means": 0.0003, "quats": 0.003, "scales": 0.035, "opacities": 0.003, "colors": 0.004},
    "sog": {"means": 0.0003, "quats": 0.01, "scales": 0.02, "opacities": 0.003, "colors": 0.004},
}


@pytest.mark.parametrize("kind", PACKED)
def test_packed_gaussians_are_the_same_but_for_rounding(kind, tmp_path):
    gaussians = some_gaussians(300)
    write_gaussians(tmp_path / f"a.{kind}", gaussians)
    assert [path.name for path in tmp_path.iterdir()] == [f"a.{kind}"]
    read = read_by_gaussforge(tmp_path / f"a.{kind}", kind, tmp_path)
    found = matched(read if kind == "spz" else turn_over(read), gaussians)
    for name, most in ROUNDED[kind].items():
        ours, theirs = (getattr(g, name).log() if name == "scales" else getattr(g, name) for g in (gaussians, found))
        assert (ours - theirs).abs().max() < most, name


def test_an_spz_is_smaller_than_a_ply_by_ten(tmp_path):
    gaussians = some_gaussians(300)
    for kind in ("ply", *PACKED):
        write_gaussians(tmp_path / f"a.{kind}", gaussians)
    size = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert 10 * size["a.spz"] < size["a.ply"] and 3 * size["a.compressed.ply"] < size["a.ply"]


def test_files_say_how_they_are_to_be_antialiased_each_in_its_own_way(tmp_path):
    for kind in ("ply", *PACKED):
        write_gaussians(tmp_path / f"a.{kind}", some_gaussians())
    for kind in ("ply", "compressed.ply"):
        header = (tmp_path / f"a.{kind}").read_bytes().split(b"end_header")[0].decode()
        assert "\ncomment SplatRenderMode: mip\n" in header
    plain = gzip.decompress((tmp_path / "a.spz").read_bytes())
    assert plain[:4] == b"NGSP" and plain[12] == 0 and plain[14] & 1, "no harmonics, antialiased"
    with ZipFile(tmp_path / "a.sog") as file:
        meta = json.loads(file.read("meta.json"))
        assert meta["antialias"] is True and meta["model"] == "antialiased" and file.testzip() is None


@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_not_finite_is_written_in_no_format(kind, tmp_path):
    gaussians = some_gaussians()
    gaussians.means[3, 1] = float("nan")
    with pytest.raises(InputError, match=rf"a\.{kind}: means holds 1 numbers"):
        write_gaussians(tmp_path / f"a.{kind}", gaussians)
    assert list(tmp_path.iterdir()) == []


def test_another_ending_or_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.obj.*\.spz"):
        write_gaussians(tmp_path / "a.obj", some_gaussians())
    with pytest.raises(ValueError, match="packed format"):
        write_packed(tmp_path / "a.zip", some_gaussians(), "zip")
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_packed_or_told(tmp_path):
    nobody = some_gaussians().map(lambda t: t[:0])
    with pytest.raises(InputError, match="packed"):
        write_packed(tmp_path / "a.spz", nobody, "spz")
    assert torch.equal(nobody.means, torch.zeros(0, 3)) and list(tmp_path.iterdir()) == []
