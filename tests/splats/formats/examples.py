"""Gaussians to write, and the same read back by libraries of others."""

from pathlib import Path

import torch
from gaussforge import GaussForge

from lca_core.splats import Gaussians, read_ply


def some_gaussians(count: int = 20) -> Gaussians:
    """Random ones, some 2 m across, none invisible."""
    generator = torch.Generator().manual_seed(0)
    return Gaussians(
        means=0.5 * torch.randn(count, 3, generator=generator),
        quats=torch.nn.functional.normalize(torch.randn(count, 4, generator=generator), dim=-1),
        scales=torch.rand(count, 3, generator=generator) * 0.02 + 1e-3,
        opacities=torch.rand(count, generator=generator) * 0.9 + 0.05,
        colors=torch.rand(count, 3, generator=generator),
    )


def read_by_gaussforge(path: Path, kind: str, scratch: Path) -> Gaussians:
    """What gaussforge finds in a file, in the file's axes and order."""
    found = GaussForge().convert(path.read_bytes(), kind, "ply")
    assert "error" not in found, found
    (scratch / "unpacked.ply").write_bytes(found["data"])
    return read_ply(scratch / "unpacked.ply")


def matched(found: Gaussians, wanted: Gaussians) -> Gaussians:
    """`found` in the order of `wanted`, quaternions of the same sign: each the nearest by place."""
    nearest = torch.cdist(wanted.means, found.means).argmin(1)
    assert len(nearest.unique()) == len(wanted) == len(found)
    found = found.map(lambda t: t[nearest])
    found.quats.mul_(torch.sign((found.quats * wanted.quats).sum(-1, True)))
    return found
