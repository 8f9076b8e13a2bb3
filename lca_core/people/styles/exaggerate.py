"""Exaggerated proportions: the same person as a cartoonist would build them, big-headed or long-limbed.

Geometry, not pixels: every joint's transform gets a stretch of its own, so whatever is skinned by them (body, hair,
clothes, glasses) follows as one smooth deformation, and the posed joints stay exact.
"""

from dataclasses import dataclass

import numpy as np

from lca_core.body.layout import JOINT_NAMES, PARENTS

_SIDES = ("left", "right")
_EYE_REACH = 0.035  # metres from an eye's centre within which the face grows with it; the other eye is beyond


@dataclass(frozen=True)
class Proportions:
    """Factors on an ordinary body: sizes of head, eyes, hands and feet; lengths of legs, arms and trunk; girth, the
    thickness of limbs and trunk."""

    head: float = 1.0
    eyes: float = 1.0
    hands: float = 1.0
    feet: float = 1.0
    legs: float = 1.0
    arms: float = 1.0
    trunk: float = 1.0
    girth: float = 1.0


def sample_proportions(generator: np.random.Generator) -> Proportions:
    """A toy (big head and eyes, short legs), a fashion drawing (long thin limbs) or a giant (broad, small head)."""
    u = generator.uniform
    kind = generator.choice(3, p=(0.6, 0.25, 0.15))
    if kind == 0:
        return Proportions(
            u(1.3, 1.7), u(1.25, 1.6), u(1.05, 1.3), u(1.1, 1.3), u(0.7, 0.88), u(0.82, 1), u(0.82, 0.95), u(0.95, 1.1)
        )
    if kind == 1:
        return Proportions(
            u(0.92, 1.15), u(1.2, 1.5), u(0.95, 1.15), u(0.9, 1.1), u(1.2, 1.4), u(1.1, 1.3), u(0.95, 1.1), u(0.78, 0.9)
        )
    return Proportions(
        u(0.75, 0.9), u(0.95, 1.1), u(1.2, 1.5), u(1.1, 1.3), u(0.75, 0.9), u(1.1, 1.25), u(1.05, 1.2), u(1.15, 1.35)
    )


def exaggerated(transforms: np.ndarray, joints: np.ndarray, proportions: Proportions, floor: float = 0.0) -> np.ndarray:
    """Joint transforms float32 [55, 3, 4] from the T-pose to the world, with other proportions.

    transforms: [55, 3, 4] of the ordinary body; joints: [55, 3] in the T-pose; floor: height of the soles in the
    T-pose. The lower sole stays as high above the ground as it was.
    """
    R, t = transforms[:, :, :3].astype(float), transforms[:, :, 3].astype(float)
    joints = joints.astype(float)
    posed = np.einsum("nij,nj->ni", R, joints) + t
    stretched = R * _stretch(proportions)[:, None]  # a stretch along the T-pose's axes, then the rotation
    placed = posed.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:  # a parent stands before its children
            placed[joint] = placed[parent] + stretched[parent] @ (joints[joint] - joints[parent])
    soles = [JOINT_NAMES.index(f"{side}_{name}") for side in _SIDES for name in ("ankle", "foot")]
    below = joints[soles] * [0, -1, 0] + [0, floor, 0]
    drop = [
        (p[soles] + np.einsum("nij,nj->ni", M[soles], below))[:, 1].min() for p, M in ((posed, R), (placed, stretched))
    ]
    placed[:, 1] += drop[0] - drop[1]
    shift = placed - np.einsum("nij,nj->ni", stretched, joints)
    return np.concatenate([stretched, shift[..., None]], -1).astype(np.float32)


def wide_eyed(points: np.ndarray, joints: np.ndarray, proportions: Proportions) -> np.ndarray:
    """Points [..., 3] of the T-pose with the eyes, and the lids and brows about them, enlarged in place."""
    moved = np.array(points, np.float32)
    for side in _SIDES:
        centre = joints[JOINT_NAMES.index(f"{side}_eye_smplhf")]
        offset = points - centre
        far = np.linalg.norm(offset, axis=-1, keepdims=True) / _EYE_REACH
        moved += ((proportions.eyes - 1) * np.exp(-(far**4)) * offset).astype(np.float32)
    return moved


def _stretch(p: Proportions) -> np.ndarray:
    """Factors [55, 3] along the T-pose's axes: arms lie along x, legs and trunk along y."""
    scale = np.ones((len(JOINT_NAMES), 3))
    root = p.girth**0.5
    for name, factors in {
        "pelvis": (root, p.trunk, root),
        "spine1": (root, p.trunk, root),
        "spine2": (p.girth, p.trunk, p.girth),
        "spine3": (p.girth, p.trunk, p.girth),
        "neck": (p.head**0.4 * p.girth**0.4, 0.5 + 0.5 * p.trunk, p.head**0.4 * p.girth**0.4),
    }.items():
        scale[JOINT_NAMES.index(name)] = factors
    for number, name in enumerate(JOINT_NAMES):
        bone = name.split("_")[-1]
        if bone in ("head", "jaw", "smplhf"):
            scale[number] = p.head
        elif bone in ("hip", "knee"):
            scale[number] = p.girth, p.legs, p.girth
        elif bone in ("ankle", "foot"):
            scale[number] = p.feet
        elif bone == "collar":
            scale[number] = p.girth
        elif bone in ("shoulder", "elbow"):
            scale[number] = p.arms, p.girth, p.girth
        elif bone == "wrist" or bone[:-1] in ("index", "middle", "ring", "pinky", "thumb"):
            scale[number] = p.hands
    return scale
