"""What a digital human is made of: textured pieces of surface and strands of hair, posed by the body."""

from dataclasses import dataclass

import numpy as np

# Numbers stay: what came later is at the end. "bottom" is trousers, shorts and what is worn under a skirt; "skirt" is
# skirts and whole dresses; "accessory" is glasses and what ties hair.
_NAMES = (
    "background", "skin", "eye", "lash", "teeth", "tongue", "hair", "top", "bottom", "shoe", "accessory", "coat", "hat",
    "skirt",
)  # fmt: skip
PART_IDS = {name: number for number, name in enumerate(_NAMES)}


@dataclass(frozen=True)
class Surface:
    """A textured triangle mesh in world space (or at rest).

    part: a key of PART_IDS; vertices: float32 [V, 3] metres; faces: int32 [F, 3]; uv: float32 [F, 3, 2], a
    texture coordinate per corner with v upwards; albedo: uint8 [h, w, 3] sRGB; opacity: uint8 [h, w] or None
    when opaque (lashes); roughness in (0, 1]; specular: strength of the coat, 0 for matt cloth; bump: float32 [h, w]
    metres that the surface stands out, or None where it is smooth.
    """

    part: str
    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    albedo: np.ndarray
    opacity: np.ndarray | None = None
    roughness: float = 0.6
    specular: float = 0.2
    bump: np.ndarray | None = None


@dataclass(frozen=True)
class Strands:
    """Hair (or brows) as curves of K points each.

    points: float32 [S, K, 3] metres; radii: float32 [S, K] metres, tapering to the tip; colors: float32
    [S, 3] linear albedo.
    """

    part: str
    points: np.ndarray
    radii: np.ndarray
    colors: np.ndarray
