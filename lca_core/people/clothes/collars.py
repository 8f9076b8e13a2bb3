"""What is sewn to the neck and the fronts of a garment: bands, shirt collars, hoods, coat collars and lapels."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from lca_core.body.basemesh import vertex_normals
from lca_core.people.body.cut import Piece
from lca_core.people.clothes.figure import Figure
from lca_core.people.clothes.garments import Cut, neckline, opening
from lca_core.people.clothes.tailoring import Shell, along_loop, edge_loop, fold_hems, lattice, like, patch, smoothstep

_AROUND = 72  # points around a neck
# Half of the gap in front between the ends of a collar, radians about the neck; None goes all round.
_GAPS = {"band": None, "shirt": 0.10, "hood": 0.05}
# Cross-sections of a hood that lies on the back: metres (outwards, upwards) from the neckline, behind and in front.
_HOOD_BACK = [(0, 0), (0.002, 0.022), (0.008, 0.045), (0.024, 0.060), (0.046, 0.058), (0.064, 0.038), (0.072, 0.0),
              (0.072, -0.05), (0.066, -0.10), (0.052, -0.14), (0.030, -0.165), (0.004, -0.175)]  # fmt: skip
_HOOD_FRONT = [(0, 0), (0.000, 0.012), (0.002, 0.024), (0.008, 0.034), (0.016, 0.036), (0.023, 0.030), (0.027, 0.018),
               (0.028, 0.004), (0.027, -0.010), (0.024, -0.022), (0.018, -0.032), (0.008, -0.038)]  # fmt: skip


class _Neck:
    """The edge of a garment's neckline as a curve about the neck."""

    def __init__(self, piece: Piece, cut: Cut, figure: Figure, skin: Shell):
        self.shell = Shell.of(piece.vertices, piece.faces)
        self.skin, self.size = skin, figure.size
        p = piece.vertices
        angle = np.arctan2(p[:, 0], p[:, 2] - figure.collar_middle[2])
        near = (neckline(cut, figure)(p) < 0.004) & (p[:, 1] > figure.waist_y)
        if cut.open:
            near &= (np.abs(p[:, 0]) > opening(cut, figure)(p[:, 1]) + 0.002) | (p[:, 2] < figure.collar_middle[2])
        loop = edge_loop(piece, near, angle)
        normals = vertex_normals(piece.vertices, piece.faces)
        gap = 1.02 * np.abs(angle[loop]).min() if cut.open else _GAPS[cut.collar]
        self.closed = gap is None
        self.gap = gap or 0.0
        if self.closed:
            self.angle = np.arange(_AROUND) * (2 * np.pi / _AROUND) - np.pi
        else:  # through the back, from the left front to the right
            self.angle = np.linspace(self.gap, 2 * np.pi - self.gap, _AROUND)
        mode = "wrap" if self.closed else "nearest"
        base = along_loop(p[loop], angle[loop], self.angle)
        self.base = gaussian_filter1d(base, 1.0, axis=0, mode=mode)
        normal = gaussian_filter1d(along_loop(normals[loop], angle[loop], self.angle), 2.0, axis=0, mode=mode)
        tangent = np.gradient(np.concatenate([self.base[-1:], self.base, self.base[:1]]), axis=0)[1:-1]
        if not self.closed:
            tangent = np.gradient(self.base, axis=0)
        self.normal = _unit(normal)
        self.inwards = _unit(np.cross(self.normal, tangent))  # along the cloth, over the neckline towards the neck
        self.behind = smoothstep(0.9, 2.4, np.abs(np.arctan2(np.sin(self.angle), np.cos(self.angle))))

    def outwards(self, angle: np.ndarray) -> np.ndarray:
        return np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], -1)

    def piece(self, rows: list[np.ndarray], garment: Piece) -> Piece:
        """Rows of points from the neckline on, as cloth with thickness."""
        points = np.concatenate(rows)
        faces = lattice(len(rows), len(self.angle), self.closed)[:, ::-1]
        return fold_hems(Piece(points, like(garment, points), faces), 0.004)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def collar(piece: Piece, cut: Cut, figure: Figure, skin: Shell) -> list[Piece]:
    """What the neck of a garment (its cut piece, before hems) carries."""
    neck = _Neck(piece, cut, figure, skin)
    if cut.collar == "band":
        return [_band(neck, piece)]
    if cut.collar == "hood":
        return [_hood(neck, piece)]
    if cut.collar == "shirt":
        return [_turned(neck, piece, 0.026, 0.040, 0.060, 0.30)]
    return [_turned(neck, piece, 0.022, 0.062, 0.062, 0.0), *_lapels(piece, cut, figure)]


def _band(neck: _Neck, piece: Piece) -> Piece:
    """A ribbed band on the neckline, a little proud of the cloth."""
    width = 0.016 * neck.size
    rows = [neck.base - 0.004 * neck.inwards - 0.001 * neck.normal]
    for step in (0.0, 0.4, 0.8, 1.0):
        lifted = neck.base + step * width * neck.inwards + 0.0028 * neck.normal
        rows.append(neck.skin.clear(lifted, 0.004, 0.010) if step else lifted)
    return neck.piece(rows, piece)


def _turned(neck: _Neck, piece: Piece, stand: float, behind: float, before: float, spread: float) -> Piece:
    """A collar that stands on the neck by `stand` metres and turns over; its fall is `behind` metres deep at the back
    and `before` at the tips, which spread by `spread` radians."""
    size, up = neck.size, np.array([0.0, 1.0, 0.0])
    rows = [neck.base - 0.003 * neck.inwards]
    for step in (0.35, 0.7, 1.0):
        rows.append(neck.skin.clear(neck.base + step * stand * size * (0.6 * up + 0.5 * neck.inwards), 0.004, 0.011))
    top = rows[-1]
    signed = np.arctan2(np.sin(neck.angle), np.cos(neck.angle))
    tip = np.exp(-np.square((np.abs(signed) - neck.gap) / 0.35))
    depth = size * (behind + (before - behind) * tip)
    rows.append(top + 0.0035 * up + 0.002 * neck.outwards(signed))
    for step in (0.12, 0.35, 0.6, 0.8, 1.0):
        out = neck.outwards(signed + spread * step * tip * np.sign(signed))
        fallen = top + (0.006 + 0.62 * step * depth)[:, None] * out - (0.78 * step * depth)[:, None] * up
        rows.append(neck.shell.clear(fallen, 0.004 + 0.003 * (1 - step)))
    return neck.piece(rows, piece)


def _hood(neck: _Neck, piece: Piece) -> Piece:
    """A hood that lies on the back, opened towards the neck."""
    out = neck.outwards(neck.angle)
    back, front = np.array(_HOOD_BACK), np.array(_HOOD_FRONT)
    signed = np.abs(np.arctan2(np.sin(neck.angle), np.cos(neck.angle)))
    size = neck.size * (0.45 + 0.55 * smoothstep(neck.gap, 0.7, signed))
    rows = []
    for row in range(len(back)):
        across, rise = size * (front[row] + (back[row] - front[row]) * neck.behind[:, None]).T
        points = neck.base + across[:, None] * out + rise[:, None] * np.array([0.0, 1.0, 0.0])
        rows.append(neck.skin.clear(points, 0.006) if row < 3 else neck.shell.clear(points, 0.003))
    return neck.piece(rows, piece)


def _lapels(piece: Piece, cut: Cut, figure: Figure) -> list[Piece]:
    """The fronts of a coat turned back, from the waist to the collar."""
    low, high = figure.waist_y + 0.02 * figure.size, figure.neck[1] - 0.040 * figure.size
    height = np.linspace(high, low, 14)[:, None]
    across = np.linspace(0, 1, 6)[None, :]
    share = (height - low) / (high - low)
    width = figure.size * 0.070 * np.sqrt(np.clip(share, 0, 1)) * (1 - 0.25 * smoothstep(0.93, 1.0, share)) + 0.001
    y = height - figure.size * 0.022 * across * share
    inner = opening(cut, figure)(height) - 0.001
    return [patch(piece, side * (inner + width * across)[:, ::side], y[:, ::side], 0.005, True) for side in (1, -1)]
