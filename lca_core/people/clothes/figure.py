"""A person as a tailor sees them: measures, the suit that garments are cut from, the hull that cloth hangs about."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from lca_core.body import basemesh
from lca_core.body.layout import JOINT_NAMES
from lca_core.people.body.cut import Piece
from lca_core.people.clothes.tailoring import Hang, Shell, border_edges, like, smoothstep

GOWNS = ("dress", "long_dress")
JOINT = {name: number for number, name in enumerate(JOINT_NAMES)}
_ARM = [n for n, name in enumerate(JOINT_NAMES) if name.split("_", 1)[-1][:5] in
        ("shoul", "elbow", "wrist", "thumb", "index", "middl", "ring1", "ring2", "ring3", "pinky")]  # fmt: skip
_HEIGHT = 1.41  # metres from neck to ankle of the person that widths below are given for


class Sewn(NamedTuple):
    """A garment without its colours. covers: bool [body vertices], skin that it covers for certain; free [V]: 0 where
    it follows the skin, 1 where it hangs freely."""

    piece: Piece
    covers: np.ndarray
    free: np.ndarray


def arm_share(weights: np.ndarray) -> np.ndarray:
    """How far each vertex follows an arm, [V] in 0..1, of skinning weights [V, 55]."""
    return weights[:, _ARM].sum(1)


class Figure:
    """A person's measures in the T-pose, metres."""

    def __init__(self, tights: np.ndarray, weights: np.ndarray, joints: np.ndarray, collar: np.ndarray):
        """tights [V, 3] and weights [V, 55]: a suit from neck to toes; collar [n, 3]: its edge around the neck."""
        self.joints = joints
        self.neck = joints[JOINT["neck"]]
        self.hip_y = joints[[JOINT["left_hip"], JOINT["right_hip"]], 1].mean()
        self.knee_y = joints[JOINT["left_knee"], 1]
        self.ankle = joints[JOINT["left_ankle"]]
        self.shoulder = joints[JOINT["left_shoulder"]]
        self.wrist_x = joints[JOINT["left_wrist"], 0]
        self.arm = self.wrist_x - self.shoulder[0]
        self.waist_y = joints[JOINT["spine1"], 1] * 0.4 + joints[JOINT["spine2"], 1] * 0.6
        self.torso, self.leg = self.neck[1] - self.hip_y, self.hip_y - self.ankle[1]
        self.size = (self.neck[1] - self.ankle[1]) / _HEIGHT
        self.crotch_y = tights[np.abs(tights[:, 0]) < 0.012 * self.size, 1].min()
        arm = (arm_share(weights) > 0.7) & (tights[:, 0] < self.shoulder[0] + 0.4 * self.arm) & (tights[:, 0] > 0)
        self.armpit_y = tights[arm, 1].min()
        self.axis_z = np.mean([joints[JOINT["spine1"], 2], joints[JOINT["left_hip"], 2]]) + 0.02 * self.size
        # The suit ends half-way up the neck; the neck's base is lower and wider.
        self.collar_middle = (collar.min(0) + collar.max(0)) / 2 - [0, 0.040 * self.size, 0]
        self.collar_half = np.ptp(collar[:, 0]) / 2 + 0.010 * self.size
        self._collar_tilt = np.polyfit(collar[:, 2] - self.collar_middle[2], collar[:, 1] - 0.040 * self.size, 1)

    def above_collar(self, p: np.ndarray) -> np.ndarray:
        """Height [n] over the plane of the base of the neck."""
        return p[:, 1] - np.polyval(self._collar_tilt, p[:, 2] - self.collar_middle[2])

    def leg_axis(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x and z of the left leg's axis at heights y."""
        legs = self.joints[[JOINT["left_ankle"], JOINT["left_knee"], JOINT["left_hip"]]]
        return np.interp(y, legs[:, 1], legs[:, 0]), np.interp(y, legs[:, 1], legs[:, 2])


@lru_cache(maxsize=1)
def _tights() -> tuple[np.ndarray, csr_matrix, np.ndarray, np.ndarray]:
    """(vertices of the body used [n], subdivision matrix over them, triangles, edges of the skin)."""
    mesh = basemesh.load()
    quads = mesh.quads[mesh.select("helper-tights")]
    used, local = np.unique(quads, return_inverse=True)
    matrix, fine = basemesh.catmull_clark(local.reshape(-1, 4).astype(np.int32), len(used))
    faces = np.concatenate([fine[:, [0, 1, 2]], fine[:, [0, 2, 3]]])
    skin = mesh.quads[mesh.select("body")]
    edges = np.unique(np.sort(np.stack([skin, np.roll(skin, -1, 1)], -1).reshape(-1, 2), 1), axis=0)
    return used, matrix, faces, edges


class Fitting:
    """One person at the tailor's: skin and its weights, the suit that sleeves and legs are cut from, measures, hull."""

    def __init__(self, rest: np.ndarray, joints: np.ndarray, weights: np.ndarray):
        mesh = basemesh.load()
        used, matrix, faces, edges = _tights()
        self.rest, self.weights = rest, weights
        skin = mesh.triangles(mesh.select("body"))[0]
        below_head = skin[weights[skin, JOINT["head"]].max(1) < 0.5]
        self.skin = Shell.fine(rest, below_head)
        bare = np.unique(below_head)
        self.skin_piece = Piece(rest[bare], weights[bare], skin[:0])
        self.tights = Piece(matrix @ rest[used], matrix @ weights[used], faces)
        ends = self.tights.vertices[np.unique(border_edges(faces))]
        collar = ends[np.abs(ends[:, 0]) < joints[JOINT["left_shoulder"], 0]]
        self.figure = f = Figure(self.tights.vertices, self.tights.weights, joints, collar)
        trunk = edges[(arm_share(weights) < 0.5)[edges].all(1)]
        self.hull = Hang.around(rest, trunk, f.axis_z, f.ankle[1] + 0.05 * f.size, f.armpit_y + 0.06 * f.size)


def hanging_weights(p: np.ndarray, fit: Fitting) -> np.ndarray:
    """Skinning weights [n, 55] of skirts and tails: as the skin at the waist, with the nearer leg below, and between
    both in the middle. Knees bend backwards, so cloth behind follows the shin more."""
    f = fit.figure
    trunk = like(fit.skin_piece, np.maximum(p, [-9, f.hip_y + 0.04 * f.size, -9]), 0.04 * f.size)
    behind = smoothstep(0.05, -0.05, (p[:, 2] - f.axis_z) / f.size)
    leg = (0.97 - 0.12 * behind) * smoothstep(0.06, -0.09 - 0.08 * behind, (p[:, 1] - f.hip_y) / f.size)
    shin = (0.45 + 0.42 * behind) * smoothstep(f.knee_y + 0.08 * f.size, f.knee_y - 0.16 * f.size, p[:, 1])
    half = 1.5 * f.joints[JOINT["left_hip"], 0]
    left = smoothstep(-half, half, p[:, 0])
    weights = trunk * (1 - leg)[:, None]
    for side, share in (("left", left), ("right", 1 - left)):
        weights[:, JOINT[f"{side}_hip"]] += leg * share * (1 - shin)
        weights[:, JOINT[f"{side}_knee"]] += leg * share * shin
    return weights
