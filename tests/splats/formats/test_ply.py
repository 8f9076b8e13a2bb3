import pytest
import torch

from lca_core.errors import InputError
from lca_core.splats import Gaussians, rasterize, read_ply, turn_over, write_ply


def some_gaussians(count=20):
    generator = torch.Generator().manual_seed(0)
    return Gaussians(
        means=torch.randn(count, 3, generator=generator),
        quats=torch.nn.functional.normalize(torch.randn(count, 4, generator=generator), dim=-1),
        scales=torch.rand(count, 3, generator=generator) * 0.1 + 1e-4,
        opacities=torch.rand(count, generator=generator) * 0.98 + 0.01,
        colors=torch.rand(count, 3, generator=generator),
    )


def test_a_written_ply_reads_back_the_same(tmp_path):
    gaussians = some_gaussians()
    write_ply(tmp_path / "avatar.ply", gaussians)
    again = turn_over(read_ply(tmp_path / "avatar.ply"))
    for name, value in vars(gaussians).items():
        sign = torch.sign((again.quats * value).sum(-1, True)) if name == "quats" else 1  # q and -q turn alike
        assert torch.allclose(sign * getattr(again, name), value, rtol=1e-5, atol=1e-6), name
    assert [p.name for p in tmp_path.iterdir()] == ["avatar.ply"]


def test_the_header_is_what_viewers_look_for(tmp_path):
    write_ply(tmp_path / "a.ply", some_gaussians(3))
    header = (tmp_path / "a.ply").read_bytes().split(b"end_header\n")[0].decode().splitlines()
    assert header[:4] == ["ply", "format binary_little_endian 1.0", "comment SplatRenderMode: mip", "element vertex 3"]
    names = "x y z nx ny nz f_dc_0 f_dc_1 f_dc_2".split() + [f"f_rest_{i}" for i in range(45)]
    names += "opacity scale_0 scale_1 scale_2 rot_0 rot_1 rot_2 rot_3".split()
    assert [line.split()[-1] for line in header[4:]] == names


def test_what_stands_upright_here_stands_upright_where_minus_y_is_up(tmp_path):
    """A file's Gaussians seen by an upright camera of our world, turned half about Z as viewers do, look the same."""
    gaussians = some_gaussians(40)
    write_ply(tmp_path / "a.ply", gaussians)
    read = read_ply(tmp_path / "a.ply")
    assert torch.allclose(read.means[:, 1], -gaussians.means[:, 1], atol=1e-6)
    viewmat = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0]))
    viewmat[2, 3] = 6.0
    turn = torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0]))
    K = torch.tensor([[40.0, 0, 16], [0, 40, 16], [0, 0, 1]])

    def drawn(g: Gaussians, view: torch.Tensor) -> torch.Tensor:
        return rasterize(g.means, g.quats, g.scales, g.opacities, g.colors, view[None], K[None], 32, 32)[0]

    ours = drawn(gaussians, viewmat)
    assert ours.max() > 0.2 and torch.allclose(drawn(read, viewmat @ turn), ours, atol=1e-4)


def test_a_header_with_the_line_ends_of_windows_is_read(tmp_path):
    write_ply(tmp_path / "a.ply", some_gaussians())
    header, body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n", 1)
    (tmp_path / "b.ply").write_bytes((header + b"end_header\n").replace(b"\n", b"\r\n") + body)
    assert torch.equal(read_ply(tmp_path / "b.ply").means, read_ply(tmp_path / "a.ply").means)


@pytest.mark.parametrize("name", ["means", "quats", "scales", "opacities", "colors"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e35])
def test_what_is_not_finite_is_never_written(tmp_path, name, value):
    gaussians = some_gaussians()
    getattr(gaussians, name)[3] = value
    with pytest.raises(InputError, match=rf"a\.ply: {name} holds \d+ numbers"):
        write_ply(tmp_path / "a.ply", gaussians)
    assert not list(tmp_path.iterdir())


def test_rotations_of_length_zero_are_neither_written_nor_read(tmp_path):
    gaussians = some_gaussians()
    write_ply(tmp_path / "a.ply", gaussians)
    data = (tmp_path / "a.ply").read_bytes()
    (tmp_path / "a.ply").write_bytes(data[:-16] + bytes(16))
    with pytest.raises(InputError, match="length zero"):
        read_ply(tmp_path / "a.ply")
    gaussians.quats[2] = 0
    with pytest.raises(InputError, match="quats of 1 of 20"):
        write_ply(tmp_path / "b.ply", gaussians)


def test_opaque_and_invisible_and_flat_gaussians_stay_finite(tmp_path):
    gaussians = some_gaussians(3)
    gaussians.opacities[:2] = torch.tensor([0.0, 1.0])
    gaussians.scales[2] = 0
    write_ply(tmp_path / "a.ply", gaussians)
    assert torch.allclose(read_ply(tmp_path / "a.ply").opacities[:2], torch.tensor([0.0, 1.0]), atol=1e-5)


def test_a_ply_from_elsewhere_with_more_properties_is_read(tmp_path):
    write_ply(tmp_path / "a.ply", some_gaussians(1))
    header, body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n", 1)
    header = header.replace(b"ply\n", b"ply\ncomment made elsewhere\n", 1) + b"property uchar label\n"
    header = header.replace(b"comment made elsewhere\n", b"").replace(b"format", b"comment x\nformat", 1)
    (tmp_path / "b.ply").write_bytes(header + b"end_header\n" + body + b"\x07")
    assert torch.equal(read_ply(tmp_path / "b.ply").means, read_ply(tmp_path / "a.ply").means)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda data: b"not a ply", "is not a PLY"),
        (lambda data: data[:-1], "cut short"),
        (lambda data: data.replace(b"binary_little_endian", b"ascii"), "not binary little-endian"),
        (lambda data: data.replace(b"f_dc_0", b"red"), "holds no Gaussians"),
        (lambda data: data.replace(b"float x", b"list uchar int x"), "property we cannot read"),
        (lambda data: data.replace(b"vertex 20", b"vertex -1"), "does not begin with its vertices"),
        (lambda data: data[:-4] + b"\xff\xff\xff\xff", "NaN"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, spoil, message):
    write_ply(tmp_path / "a.ply", some_gaussians())
    bad = tmp_path / "bad.ply"
    bad.write_bytes(spoil((tmp_path / "a.ply").read_bytes()))
    with pytest.raises(InputError, match=f"bad.ply.*{message}"):
        read_ply(bad)


def test_a_missing_file_and_batched_gaussians_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_ply(tmp_path / "none.ply")
    with pytest.raises(ValueError, match="means"):
        write_ply(tmp_path / "a.ply", some_gaussians().map(lambda t: t[None]))
    assert not list(tmp_path.iterdir())
