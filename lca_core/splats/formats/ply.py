"""Gaussians to and from the PLY files that 3D Gaussian splatting viewers open.

The layout is that of the original 3DGS code (Kerbl et al., 2023): one float32 vertex a Gaussian, colour as spherical
harmonics of degree 3, opacity as a logit, scales as logarithms, rotation wxyz. Ours have the constant harmonic alone;
the other 45 numbers are zeros, for readers that want them. The format says nothing of axes: viewers take -Y for up, as
cameras do that COLMAP finds, and turn what they open by half a turn about Z. So does `write_ply`, the other way.

What opens elsewhere looks a little softer there. Viewers add 0.3 px^2 to the variance of every Gaussian they draw, as
the code of 3DGS does; avatars are trained and drawn with a pixel's own, 1/12 px^2 (`splats.draw`), and no format can
say so. The tag `SplatRenderMode: mip`, which Brush writes and splat-transform reads, has viewers that know it make
Gaussians fainter by as much as they widen them (Mip-Splatting, Yu et al. 2024): nearer to ours wherever Gaussians are
not much smaller than pixels (tests/splats/formats/test_softness.py), so files carry it.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from lca_core.errors import InputError
from lca_core.paths import atomic_path
from lca_core.splats.gaussians import Gaussians

SH_DC = 0.28209479177387814  # the constant spherical harmonic
MEANS, NORMALS, COLORS = ("x", "y", "z"), ("nx", "ny", "nz"), ("f_dc_0", "f_dc_1", "f_dc_2")
SCALES, QUATS = ("scale_0", "scale_1", "scale_2"), ("rot_0", "rot_1", "rot_2", "rot_3")
HARMONICS = tuple(f"f_rest_{i}" for i in range(45))  # view-dependent colour: 15 harmonics of each channel
FIELDS = (*MEANS, *NORMALS, *COLORS, *HARMONICS, "opacity", *SCALES, *QUATS)
MIP = "comment SplatRenderMode: mip\n"
_OPACITY_MARGIN, _SCALE_MIN = 1e-6, 1e-9  # their logit and logarithm are finite
_QUAT_MIN, _LARGEST = 1e-9, 1e30  # beyond it float32, in which the file is, ends
_HEADER_MAX = 1 << 16
_HEADER_END = re.compile(rb"[\r\n]end_header[ \t]*\r?\n")
_TYPES = {
    **dict.fromkeys(("char", "int8"), "<i1"),
    **dict.fromkeys(("uchar", "uint8"), "<u1"),
    **dict.fromkeys(("short", "int16"), "<i2"),
    **dict.fromkeys(("ushort", "uint16"), "<u2"),
    **dict.fromkeys(("int", "int32"), "<i4"),
    **dict.fromkeys(("uint", "uint32"), "<u4"),
    **dict.fromkeys(("float", "float32"), "<f4"),
    **dict.fromkeys(("double", "float64"), "<f8"),
}


def turn_over(gaussians: Gaussians) -> Gaussians:
    """Gaussians half a turn about Z: from our axes (+Y up) to those of 3DGS files (-Y up), and back."""
    turn = gaussians.means.new_tensor([-1.0, -1.0, 1.0])
    w, x, y, z = gaussians.quats.unbind(-1)
    return replace(gaussians, means=gaussians.means * turn, quats=torch.stack([-z, -y, x, w], -1))


def write_ply(path: Path | str, gaussians: Gaussians) -> None:
    """Write N Gaussians (no batch dimensions, colours RGB in [0, 1], +Y up) to `path`, whole or not at all.

    They are turned (`turn_over`), so that they stand upright in viewers. Errors as `checked`.
    """
    data = ply_bytes(turn_over(checked(path, gaussians)))
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def checked(path: Path | str, gaussians: Gaussians) -> Gaussians:
    """Gaussians that a file can hold, in float64 on the CPU, of unit quaternions.

    ValueError for other shapes than one set of RGB Gaussians; InputError, which names the file that was to be written,
    for numbers that are not finite, or rotations of length zero: no viewer opens them.
    """
    if gaussians.means.ndim != 2 or gaussians.colors.shape[-1] != 3:
        raise ValueError(
            f"a file holds one set of RGB Gaussians: means [N, 3] and colors [N, 3], "
            f"not {list(gaussians.means.shape)} and {list(gaussians.colors.shape)}"
        )
    for name, values in vars(gaussians).items():
        wrong = int((~(values.abs() <= _LARGEST)).sum())  # NaN too
        if wrong:
            raise InputError(f"{path}: {name} holds {wrong} numbers that are not finite; nothing was written")
    flat = int((gaussians.quats.double().norm(dim=-1) < _QUAT_MIN).sum())
    if flat:
        raise InputError(f"{path}: quats of {flat} of {len(gaussians)} Gaussians have no length; nothing was written")
    plain = gaussians.map(lambda t: t.detach().cpu().double())
    return replace(plain, quats=torch.nn.functional.normalize(plain.quats, dim=-1))


def ply_bytes(gaussians: Gaussians, harmonics: bool = True) -> bytes:
    """A PLY of `checked` Gaussians, in the axes they have; harmonics: with the 45 zeros of view-dependent colour."""
    opacities = gaussians.opacities.clamp(_OPACITY_MARGIN, 1 - _OPACITY_MARGIN)
    columns = [
        gaussians.means,
        torch.zeros_like(gaussians.means),
        (gaussians.colors - 0.5) / SH_DC,
        gaussians.means.new_zeros(len(gaussians), len(HARMONICS) if harmonics else 0),
        torch.logit(opacities)[:, None],
        gaussians.scales.abs().clamp(min=_SCALE_MIN).log(),
        gaussians.quats,
    ]
    names = [name for name in FIELDS if harmonics or name not in HARMONICS]
    properties = "".join(f"property float {name}\n" for name in names)
    header = f"ply\nformat binary_little_endian 1.0\n{MIP}element vertex {len(gaussians)}\n{properties}end_header\n"
    return header.encode("ascii") + torch.cat(columns, 1).numpy().astype("<f4").tobytes()


def read_ply(path: Path | str) -> Gaussians:
    """The Gaussians of a 3DGS PLY (float32), in the file's own axes; view-dependent colour (f_rest_*) is left out.

    `turn_over` brings what `write_ply` wrote back to our axes. Raises InputError if the file is missing, is not a
    binary little-endian 3DGS PLY, is cut short, or holds what is not finite or rotations of length zero.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give the path of a 3DGS .ply file") from error
    layout, count, start = _parse_header(path, data)
    if len(data) < start + count * layout.itemsize:
        raise InputError(f"{path}: is cut short: {count} Gaussians were promised; copy or export the file again")
    vertices = np.frombuffer(data, layout, count, start)

    def column(*names: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([vertices[name] for name in names], axis=-1).astype(np.float32))

    gaussians = Gaussians(
        means=column(*MEANS),
        quats=column(*QUATS),
        scales=column(*SCALES).exp(),
        opacities=column("opacity")[:, 0].sigmoid(),
        colors=column(*COLORS) * SH_DC + 0.5,
    )
    if not all(t.isfinite().all() for t in vars(gaussians).values()):
        raise InputError(f"{path}: holds NaN or infinite numbers; export the file again")
    if (gaussians.quats.norm(dim=-1) < _QUAT_MIN).any():
        raise InputError(f"{path}: holds rotations of length zero; export the file again")
    return gaussians


def _parse_header(path: Path | str, data: bytes) -> tuple[np.dtype, int, int]:
    """The vertex layout, the number of vertices and where they begin."""
    advice = "give a binary little-endian PLY as 3D Gaussian splatting programs write it"
    end = _HEADER_END.search(data, 0, _HEADER_MAX)  # lines may end as Windows has them
    if not data.startswith(b"ply") or end is None:
        raise InputError(f"{path}: is not a PLY file; {advice}")
    lines = [line.split() for line in data[: end.start()].decode("ascii", "replace").splitlines()[1:]]
    lines = [words for words in lines if words and words[0] not in ("comment", "obj_info")]
    if lines[:1] != [["format", "binary_little_endian", "1.0"]]:
        raise InputError(f"{path}: is not binary little-endian PLY 1.0; {advice}")
    if len(lines) < 2 or not re.fullmatch("element vertex [0-9]{1,15}", " ".join(lines[1])):
        raise InputError(f"{path}: does not begin with its vertices; {advice}")
    fields = {}
    for words in lines[2:]:
        if words[0] == "element":  # what follows the vertices is not ours
            break
        if words[0] != "property" or len(words) != 3 or words[1] not in _TYPES or words[2] in fields:
            raise InputError(f"{path}: has a vertex property we cannot read, '{' '.join(words)}'; {advice}")
        fields[words[2]] = _TYPES[words[1]]
    missing = [name for name in FIELDS if name not in fields and name not in (*NORMALS, *HARMONICS)]
    if missing:
        raise InputError(f"{path}: holds no Gaussians (no {', '.join(missing)}); {advice}")
    return np.dtype(list(fields.items())), int(lines[1][2]), end.end()
