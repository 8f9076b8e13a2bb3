"""Gaussians in glTF: points with the attributes of KHR_gaussian_splatting, in one .glb.

Extension: Khronos, KHR_gaussian_splatting, with the ellipse kernel: linear scales, opacities in [0, 1], rotations xyzw
as everywhere in glTF (drafts of before 2026 had logarithms of scales). Viewers that do not know it see points, unlit,
of the Gaussians' colours. glTF's axes are ours: nothing is turned.
"""

from pathlib import Path

import numpy as np

from lca_core.glb_files import POINTS, VERTICES, Numbers, write_glb
from lca_core.splats.formats.ply import SH_DC, checked
from lca_core.splats.gaussians import Gaussians

SPLATTING, UNLIT = "KHR_gaussian_splatting", "KHR_materials_unlit"


def write_splat_glb(path: Path | str, gaussians: Gaussians) -> None:
    """Write N Gaussians (no batch dimensions, colours RGB in [0, 1], +Y up) to `path`, whole or not at all.

    Errors as `ply.checked`.
    """
    found = {name: values.numpy() for name, values in vars(checked(path, gaussians)).items()}
    opacities, colors = found["opacities"].clip(0, 1), found["colors"]
    columns = {
        "POSITION": found["means"],
        "COLOR_0": np.concatenate([_linear(colors), opacities[:, None]], 1),
        f"{SPLATTING}:ROTATION": np.roll(found["quats"], -1, 1),
        f"{SPLATTING}:SCALE": np.abs(found["scales"]),
        f"{SPLATTING}:OPACITY": opacities,
        f"{SPLATTING}:SH_DEGREE_0_COEF_0": (colors - 0.5) / SH_DC,
    }
    numbers = Numbers()
    points = {
        "mode": POINTS,
        "material": 0,
        "attributes": {
            name: numbers.add(column.astype(np.float32), VERTICES, bounds=name == "POSITION")
            for name, column in columns.items()
        },
        "extensions": {SPLATTING: {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}},
    }
    document = {
        "extensionsUsed": [SPLATTING, UNLIT],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "avatar", "mesh": 0}],
        "meshes": [{"name": "gaussians", "primitives": [points]}],
        "materials": [{"name": "colours", "extensions": {UNLIT: {}}}],
    }
    write_glb(path, document, numbers)


def _linear(srgb: np.ndarray) -> np.ndarray:
    """Linear light of sRGB in [0, 1]: what vertex colours are in glTF."""
    srgb = srgb.clip(0, 1)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
