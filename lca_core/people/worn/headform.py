"""A head as hats and glasses are fitted to it: skull, ears and eyes of one person at rest."""

from functools import lru_cache

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from lca_core.body import basemesh
from lca_core.people.body import eyes
from lca_core.people.body.parts import Surface
from lca_core.people.body.skin import Landmarks
from lca_core.people.hair.hair import hat_line


@lru_cache(maxsize=1)
def _ears() -> np.ndarray:
    """Vertices of base.obj that MakeHuman's mask counts as ears."""
    mesh = basemesh.load()
    rows = mesh.select("body")
    mask = np.asarray(Image.open(basemesh.mesh_data() / "textures" / "mpfb_ears.jpg").convert("L"))
    uv = mesh.source_uv[rows]
    column = (uv[..., 0] * mask.shape[1]).astype(int).clip(0, mask.shape[1] - 1)
    row = ((1 - uv[..., 1]) * mask.shape[0]).astype(int).clip(0, mask.shape[0] - 1)
    return np.unique(mesh.quads[rows][mask[row, column] > 127])


class Head:
    """A head to fit things on. marks: landmarks; skin: points of head and face without the ears; ear: [n, 3] of
    the left ear; cornea: how far the eyes reach forward; eye: centre [3] of the left one."""

    def __init__(self, rest: np.ndarray):
        mesh = basemesh.load()
        self.marks = Landmarks.of(rest)
        body = np.unique(mesh.quads[mesh.select("body")])
        body = body[rest[body, 1] > self.marks.chin - 0.03]
        self.skin = rest[np.setdiff1d(body, _ears())].astype(np.float64)
        ears = rest[_ears()].astype(np.float64)
        self.ear = ears[ears[:, 0] > 0]
        self.cornea = float(np.mean([eyes.eyeball(rest, side).vertices[:, 2].max() for side in "lr"]))
        self.eye = self.marks.eye.astype(np.float64)

    def band(self, around: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Height of a hat's lower edge at these azimuths (0 in front) and points: over brows and ears."""
        line = hat_line(self.marks, points)
        beside = np.exp(-(((np.abs(around) - self._ear_azimuth) / 0.45) ** 4))
        return line + beside * np.maximum(self.ear[:, 1].max() + 0.004 - line, 0)

    @property
    def _ear_azimuth(self) -> float:
        offset = self.ear[self.ear[:, 1].argmax()] - self.marks.center
        return float(np.arctan2(offset[0], offset[2]))

    def skull(self, around: np.ndarray, up: np.ndarray) -> np.ndarray:
        """Distance of the skull's surface from its middle in the directions of azimuth and elevation, both [n, m]."""
        offset = self.skin - self.marks.center
        radius = np.linalg.norm(offset, axis=1)
        above = offset[:, 1] > -0.02
        tree = cKDTree(offset[above] / radius[above, None])
        _, near = tree.query(direction(around, up), k=4)
        return gaussian_filter(radius[above][near].max(-1), (0, 1.2), mode=("nearest", "wrap"))


def direction(around: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Unit vectors [..., 3] of an azimuth (0 in front, growing to the left) and an elevation, radians."""
    return np.stack([np.sin(around) * np.cos(up), np.sin(up), np.cos(around) * np.cos(up)], -1)


def accessory(mesh, albedo: np.ndarray, roughness: float, specular: float, part: str = "accessory") -> Surface:
    """A surface from (vertices [V, 3], faces [F, 3], uv [F, 3, 2])."""
    vertices, faces, uv = mesh
    return Surface(
        part, vertices.astype(np.float32), faces.astype(np.int32), uv.astype(np.float32), albedo, None,
        roughness, specular,
    )  # fmt: skip
