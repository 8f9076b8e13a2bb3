"""A foot and the frame that shoes are built in."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lca_core.body import basemesh
from lca_core.body.layout import JOINT_NAMES
from lca_core.people.body.cut import Piece

FOOT = 0.24  # metres, the length of foot that all other lengths are meant for
INSTEP = (0.50, 0.56, 0.62, 0.68, 0.74)  # places from heel 0 to toe 1


@dataclass(frozen=True)
class Foot:
    """One foot and its frame.

    side: 1 left, -1 right; forward, outward: unit [3]; origin: [3] of the heel on the ground; length: metres; ankle:
    its height; ridge: metres outwards of the top of the instep, slope and value at t = 0; sock: the tights helper
    around it; skin: body vertices there and their weights.
    """

    side: int
    forward: np.ndarray
    outward: np.ndarray
    origin: np.ndarray
    length: float
    ankle: float
    ridge: tuple[float, float]
    sock: Piece
    skin: np.ndarray
    skin_weights: np.ndarray
    bones: list[int]

    @classmethod
    def of(cls, side: str, rest: np.ndarray, joints: np.ndarray, weights: np.ndarray, ground: float) -> "Foot":
        mesh = basemesh.load()
        sign = 1 if side == "left" else -1
        bones = [JOINT_NAMES.index(f"{side}_{bone}") for bone in ("ankle", "foot")]
        ankle, knee = joints[bones[0]], joints[JOINT_NAMES.index(f"{side}_knee")]
        top = 0.5 * (ankle[1] + knee[1])
        body = np.unique(mesh.quads[mesh.select("body")])
        body = body[(rest[body, 1] < top) & (rest[body, 0] * sign > 0)]
        low = rest[body][rest[body, 1] < ground + 0.03]
        flat = low[:, [0, 2]] - low[:, [0, 2]].mean(0)
        direction = np.linalg.eigh(flat.T @ flat)[1][:, 1]
        direction *= np.sign(direction[1])
        forward = np.array([direction[0], 0.0, direction[1]])
        outward = sign * np.array([forward[2], 0.0, -forward[0]])
        along = low @ forward
        middle = low.mean(0)
        origin = middle + forward * (along.min() - middle @ forward)
        origin[1] = ground
        quads = mesh.quads[mesh.select("helper-tights")]
        quads = quads[((rest[quads, 1] < top) & (rest[quads, 0] * sign > 0)).all(1)]
        used, local = np.unique(quads, return_inverse=True)
        matrix, fine = basemesh.catmull_clark(local.reshape(-1, 4).astype(np.int32), len(used))
        sock = Piece(matrix @ rest[used], matrix @ weights[used], np.concatenate([fine[:, :3], fine[:, [0, 2, 3]]]))
        length = float(along.max() - along.min())
        offset = rest[body] - origin
        t, across = offset @ forward / length, offset @ outward
        tops = [np.flatnonzero(np.abs(t - at) < 0.03) for at in INSTEP]
        tops = [rows[np.argsort(offset[rows, 1])[-6:]] for rows in tops]
        ridge = np.polyfit(INSTEP, [across[rows].mean() for rows in tops], 1)
        return cls(
            sign, forward, outward, origin, length, float(ankle[1] - ground), tuple(ridge), sock, rest[body],
            weights[body], bones,
        )  # fmt: skip

    @property
    def scale(self) -> float:
        """How much larger than FOOT this foot is; the largest feet get no thicker soles."""
        return min(self.length / FOOT, 1.1)

    def place(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(t from heel 0 to toe 1, metres outwards, metres above the bare foot's lowest point) of points [n, 3]."""
        offset = points - self.origin
        return offset @ self.forward / self.length, offset @ self.outward, offset[:, 1]

    def point(self, t: np.ndarray, across: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Points [n, 3] of these places."""
        flat = self.origin + np.multiply.outer(t * self.length, self.forward) + np.multiply.outer(across, self.outward)
        flat[:, 1] += height
        return flat

    def shared_weights(self, points: np.ndarray) -> np.ndarray:
        """Weights [n, 55] of the skin nearby."""
        _, nearest = cKDTree(self.skin).query(points, k=8)
        return self.skin_weights[nearest].mean(1)

    def off_the_skin(self, points: np.ndarray, normals: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """Points [n, 3] moved along their own smooth normals until they clear the skin by `gap` [n] metres."""
        _, nearest = cKDTree(self.skin).query(points, k=8)
        height = ((points[:, None] - self.skin[nearest]) * normals[:, None]).sum(-1).min(1)
        return points + normals * (gap - height)[:, None].clip(-0.002)
