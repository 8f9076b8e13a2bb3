"""What muscles and the jaw do to one head: pulls on lips, lids, brows, cheeks and jaw, in metres of that head.

A pull is a displacement [V, 3] at the action's full strength. Amounts are in millimetres of a head whose eyes are
`EYES_APART` from each other, and are scaled to the head at hand; lids and the jaw work on the head's own lid margins,
eyeballs and hinge, so that every eye closes.
"""

import numpy as np

from lca_core.body.face_regions import (
    EYEBALLS,
    LASHES,
    LEFT_CORNER,
    LIP_COLUMNS,
    MARGIN,
    RIGHT_CORNER,
    SEAM,
    FaceRegions,
    ramp,
)

EYES_APART = 60.75  # millimetres between the eyeballs of the template
_LOWER_MIDDLE = LIP_COLUMNS // 2
_ROLLED = slice(2, 9)  # rings of the lips from the rim of the red to where they meet
# Of the way of a lid's margin that each ring goes, from inside the socket to the brow.
_UNROLLED = (0.40, 0.75, 0.90, 1.0, 0.99, 0.94, 0.87, 0.77, 0.62, 0.36, 0.14, 0.04)
_MEETING = 0.16  # of the opening: how far the lower lid comes up to meet the upper one
_CORNERS = (0.0, 0.24)  # of an eye's length
_OVERLAP = 0.9  # millimetres by which the upper lid's margin passes the lower one's
_CORNEA = 1.058  # radius of the eyeball's bulge, in radii
_CLEAR = 1.3  # millimetres between the eyeball and a closed lid
COLUMNS = np.arange(LIP_COLUMNS)
UPPER = np.abs((COLUMNS + _LOWER_MIDDLE) % LIP_COLUMNS - _LOWER_MIDDLE) <= LEFT_CORNER
_FROM_CORNER = np.minimum(np.abs(COLUMNS - LEFT_CORNER), np.abs(COLUMNS - RIGHT_CORNER))
CORNER = np.exp(-((_FROM_CORNER / 3.0) ** 2))  # [38]: 1 at the corners
BODY_OF_LIP = ramp(_FROM_CORNER, 0.5, 7.5)  # [38]: 0 at the corners, 1 on the lips


class Face:
    """One head at rest, rest [V, 3] metres in the T-pose, with the pulls that suit it."""

    def __init__(self, rest: np.ndarray, regions: FaceRegions):
        self.rest, self.regions = rest.astype(np.float64), regions
        self.centres, self.radii = zip(*(_sphere(self.rest[ball]) for ball in EYEBALLS))
        self.eyes_apart = float(np.linalg.norm(self.centres[0] - self.centres[1]))
        self.unit = self.eyes_apart / EYES_APART  # metres a millimetre of the template's head
        self.hinge = self.rest[regions.hinge].mean(0)
        seam = self.rest[regions.lips[SEAM]]
        self.seam = (seam - [self.rest[regions.lips[SEAM, 0], 0], 0, 0]) / self.unit
        self.width = float(self.seam[LEFT_CORNER, 0] - self.seam[RIGHT_CORNER, 0]) / 2  # half the mouth, millimetres
        self.across = np.abs(self.seam[:, 0]) / self.width  # [38]: 0 in the middle, 1 at the corners

    @property
    def zero(self) -> np.ndarray:
        """No pull at all."""
        return np.zeros_like(self.rest)

    def side(self, left: bool) -> np.ndarray:
        """[38]: 1 on the columns of one half of the mouth, half in the middle."""
        x = self.seam[:, 0] / self.width * (1 if left else -1)
        return np.clip(0.5 + x / 0.7, 0, 1)

    def lips(self, x=0.0, y=0.0, z=0.0, only: np.ndarray | float = 1.0) -> np.ndarray:
        """Lips moved by x, y, z [38] millimetres (or one for all); sideways they slide along the teeth."""
        x, y, z = (np.broadcast_to(np.asarray(value, float) * only, LIP_COLUMNS) for value in (x, y, z))
        slide = self._arch(self.seam[:, 0] + x) - self._arch(self.seam[:, 0])
        return self.regions.lip_reach @ (np.stack([x, y, z + slide], -1) * self.unit)

    def _arch(self, x: np.ndarray) -> np.ndarray:
        """How far forward the lips lie over the teeth at places beside the middle, millimetres."""
        t = np.abs(x) / self.width
        depth = self.seam[[LEFT_CORNER, RIGHT_CORNER], 2].mean() - self.seam[[0, _LOWER_MIDDLE], 2].mean()
        return depth * np.where(t < 1, t**2, 2 * t - 1)

    def roll(self, upper: bool, turn: float, forward: float = 0.0) -> np.ndarray:
        """A lip's red turned by `turn` radians about its meeting line: positive rolls it in over the teeth."""
        lips, moved = self.regions.lips, self.zero
        columns = COLUMNS[(UPPER if upper else ~UPPER) & (_FROM_CORNER >= 1)]
        share = BODY_OF_LIP[columns][:, None]
        angle = turn * (-1 if upper else 1)
        pivot = self.rest[lips[SEAM, columns]]
        falloff = {0: 0.15, 1: 0.5} | dict.fromkeys(range(*_ROLLED.indices(99)), 1.0) | {9: 0.6}
        for ring, amount in falloff.items():
            arm = self.rest[lips[ring, columns]] - pivot
            c, s = np.cos(angle), np.sin(angle)
            turned = np.stack([arm[:, 0], c * arm[:, 1] - s * arm[:, 2], s * arm[:, 1] + c * arm[:, 2]], -1)
            moved[lips[ring, columns]] += amount * share * (turned - arm + [0, 0, forward * self.unit])
        return moved

    def thinner(self, upper: bool, amount: float, only: np.ndarray | float = 1.0) -> np.ndarray:
        """A lip's red flattened by `amount` of its height towards the meeting line, the skin after it."""
        lips, moved = self.regions.lips, self.zero
        columns = COLUMNS[UPPER if upper else ~UPPER]
        share = (BODY_OF_LIP * only)[columns]
        for ring, falloff in {0: 0.6, 1: 0.9, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}.items():
            away = self.rest[lips[ring, columns], 1] - self.rest[lips[SEAM, columns], 1]
            moved[lips[ring, columns], 1] -= amount * falloff * share * away
        return moved

    def bump(self, place, spread, x=0.0, y=0.0, z=0.0, both: bool = False, left: bool = True) -> np.ndarray:
        """Outer skin about (x, y) of the template moved by x, y, z millimetres; x points away from the middle."""
        near = self.regions.bump((place[0] * (1 if left or both else -1), place[1]), spread, both)
        sign = np.sign(self.regions.offset[:, 0]) if both else (1 if left else -1)
        return near[:, None] * np.stack(np.broadcast_arrays(x * sign, y, z), -1).reshape(-1, 3) * self.unit

    def jaw(self, open=0.0, left=0.0, forward=0.0) -> np.ndarray:
        """The lower jaw turned about its hinge until the lips are `open` eye distances apart, or moved sideways and
        forward by millimetres."""
        return self.regions.jaw[:, None] * self.on_jaw(self.rest, open, left, forward)

    def on_jaw(self, points: np.ndarray, open=0.0, left=0.0, forward=0.0) -> np.ndarray:
        """What `jaw` does to points [n, 3] that are fixed to it."""
        lip = self.rest[self.regions.lips[SEAM, _LOWER_MIDDLE]] - self.hinge
        angle = open * self.eyes_apart / np.hypot(lip[1], lip[2])
        arm = points - self.hinge
        c, s = np.cos(angle), np.sin(angle)
        turned = np.stack([arm[:, 0], c * arm[:, 1] - s * arm[:, 2], s * arm[:, 1] + c * arm[:, 2]], -1)
        return turned - arm + np.array([left, 0, forward]) * self.unit

    def brow(self, up: float, inward: float = 0.0, part: str = "all", left: bool = True) -> np.ndarray:
        """A brow, and the forehead above it, moved up by millimetres; part: "inner", "outer" or "all"."""
        x, y, z = self.regions.offset.T
        x = x if left else -x
        rise = ramp(y, 6, 17) * (1 - 0.93 * ramp(y, 24, 88)) * (y < 100)
        along = {"all": ramp(x, -6, 8), "inner": ramp(x, -6, 6) * (1 - ramp(x, 14, 36)), "outer": ramp(x, 14, 36)}
        near = rise * along[part] * (1 - ramp(x, 58, 74)) * self.regions.outside * ramp(z, -30, 0)
        sink = 0.12 * abs(up) * ramp(y, 17, 45)  # skin slides over a round skull
        moved = np.stack([np.full_like(near, -inward if left else inward), np.full_like(near, up), -sink], -1)
        return near[:, None] * moved * self.unit

    def lid(self, upper: float = 0.0, lower: float = 0.0, left: bool = True) -> np.ndarray:
        """The margins of an eye's lids moved towards each other: 1 closes the eye, negative opens it further.

        upper, lower: shares of each lid's own way to where they meet. Lids keep clear of the eyeball; lashes turn with
        the margin that they stand on.
        """
        side = 0 if left else 1
        rings, centre, radius = self.regions.lids[side], self.centres[side], self.radii[side]
        margin = self.rest[rings[MARGIN]]
        goal, is_upper, gap = self._meeting(rings)
        way = np.where(is_upper, upper, lower)[:, None] * (goal - margin)
        moved = self.zero
        clear = (radius * _CORNEA + _CLEAR * self.unit) * np.ones(len(margin))
        for number, (ring, share) in enumerate(zip(rings, _UNROLLED)):
            if number < MARGIN:  # near the corners what is inside the lid's edge stays, or it would fold
                share = share * ramp(gap, 0.0, 0.5)
            start = self.rest[ring]
            own = np.linalg.norm(start - centre, axis=1)
            end = start + np.reshape(share, (-1, 1)) * way
            reach = np.linalg.norm(end - centre, axis=1)
            least = np.where(share > 0.5, np.maximum(clear, np.minimum(own, clear * 1.12)), 0)
            out = np.where((ring != rings[0]) & (np.abs(way).sum(1) > 0), np.maximum(least / reach, 1), 1)
            blend = np.clip(np.linalg.norm(way, axis=1) / (1.5 * self.unit), 0, 1) * share
            moved[ring] = (centre + (end - centre) * (1 + (out - 1) * blend)[:, None]) - start
        self._lashes(moved, side, margin, moved[rings[MARGIN]])
        return moved

    def _meeting(self, rings: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(where the margin's columns [28, 3] meet when the eye is closed, whether they are the upper lid's, how far
        the eye is open there, 1 in the middle)."""
        template, margin = self.regions.offset[rings[MARGIN]], self.rest[rings[MARGIN]]
        inner, outer = np.abs(template[:, 0]).argmin(), np.abs(template[:, 0]).argmax()
        first, last = sorted((inner, outer))
        order = np.arange(len(margin))
        is_lower = (order > first) & (order < last)
        is_lower = is_lower if template[is_lower, 1].mean() < template[~is_lower, 1].mean() else ~is_lower
        axis = margin[outer] - margin[inner]
        along = (margin - margin[inner]) @ axis / (axis @ axis)
        at = lambda rows, t: np.stack([np.interp(t, along[rows], margin[rows, k]) for k in range(3)], -1)  # noqa: E731
        ends = [inner, outer]
        low, high = (np.unique(np.r_[np.flatnonzero(rows), ends]) for rows in (is_lower, ~is_lower))
        low, high = low[np.argsort(along[low])], high[np.argsort(along[high])]
        under, over = at(low, along), at(high, along)
        gap = np.linalg.norm(over - under, axis=1, keepdims=True)
        gap = gap / gap.max()
        goal = under + _MEETING * (over - under)
        # Near the corners the lids meet on the line between these: skin that passed it would fold.
        between = margin[inner] + along.clip(0, 1)[:, None] * axis
        middle = ramp(np.minimum(along, 1 - along), *_CORNERS)[:, None]
        goal[:, :2] = (middle * goal + (1 - middle) * between)[:, :2]
        past = _OVERLAP * self.unit * gap**2
        goal = goal + np.where(~is_lower[:, None], [0, -1, 0.6], 0) * past
        return goal, ~is_lower, gap[:, 0]

    def _lashes(self, moved: np.ndarray, side: int, margin: np.ndarray, way: np.ndarray) -> None:
        centre, lashes = self.centres[side], LASHES[side]
        columns = self.regions.lash_columns[side]
        before, after = margin - centre, margin + way - centre
        angle = np.arctan2(after[:, 1], after[:, 2]) - np.arctan2(before[:, 1], before[:, 2])
        c, s = np.cos(angle)[columns], np.sin(angle)[columns]
        arm = self.rest[lashes] - centre - before[columns]
        turned = np.stack([arm[:, 0], c * arm[:, 1] + s * arm[:, 2], -s * arm[:, 1] + c * arm[:, 2]], -1)
        moved[lashes] = way[columns] + turned - arm

    def opening(self, left: bool) -> float:
        """Between the margins of an eye's lids in the middle, in eye distances."""
        ring = self.regions.lids[0 if left else 1, MARGIN]
        y = self.rest[ring, 1]
        return float((y[[27, 0, 1]].mean() - y[[12, 13, 14]].mean()) / self.eyes_apart)


def _sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """(centre [3], radius) of an eyeball's helper, without its cornea."""
    back = points[points[:, 2] < points[:, 2].max() - 0.004]
    solution = np.linalg.lstsq(np.c_[2 * back, np.ones(len(back))], np.square(back).sum(1), rcond=None)[0]
    return solution[:3], float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))
