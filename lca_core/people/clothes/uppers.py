"""Tops, bodices of dresses, and coats."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from lca_core.people.body.cut import Piece, clip
from lca_core.people.clothes.collars import collar
from lca_core.people.clothes.figure import JOINT, Figure, Fitting, Sewn, arm_share, hanging_weights
from lca_core.people.clothes.garments import Cut, Folds, front_edge, neckline, opening, sleeve_end, upper_cut
from lca_core.people.clothes.tailoring import HEM, LEAST, UNDER, Hang, edge_loop, fold_hems, lattice, sew, smoothstep
from lca_core.people.who.spec import Garment

_HEAD = [JOINT[name] for name in ("head", "jaw", "left_eye_smplhf", "right_eye_smplhf")]
_RING = 0.022  # metres between the rings of tails
_OVER = 0.006  # metres that a coat keeps from sleeves and shoulders of the top
_BESIDE = 0.05  # metres within which the top matters to a coat's sleeve


def upper(garment: Garment, fit: Fitting, inner: Sequence, rng: np.random.Generator) -> Sewn:
    """A top, the bodice of a dress, or a coat, over the clothes `inner` (with vertices, weights, faces)."""
    f, cut, folds = fit.figure, upper_cut(garment, fit.figure), Folds(rng)
    hang = fit.hull
    for cloth in inner:
        about_trunk = (arm_share(cloth.weights) < 0.3) & (cloth.vertices[:, 1] < f.armpit_y)
        hang = hang.outside(cloth.vertices[about_trunk])
    hang = hang.falling(cut.slope, f.armpit_y)
    hem = _lower_edge(garment, cut)
    draped = _draped(cut, fit, hang, folds, hem, inner)

    join = f.hip_y + 0.25 * (f.waist_y - f.hip_y)  # above it the suit, below rings
    tailed = cut.hem < join
    lines = [
        neckline(cut, f),
        sleeve_end(cut, f),
        lambda p: p[:, 1] - (join if tailed else hem(hang.angle(p))),
        *([front_edge(cut, f)] if cut.open else []),
    ]
    piece = draped
    for line in lines:
        piece = clip(piece, line(piece.vertices))
    piece = replace(piece, vertices=fit.skin.clear(piece.vertices, UNDER))
    sewn_on = collar(piece, cut, f, fit.skin)
    if tailed:
        piece = _tailed(piece, join, cut, fit, hang, folds, hem)
    piece = sew(fold_hems(piece, HEM), *sewn_on)
    piece = replace(piece, vertices=fit.skin.clear(piece.vertices, LEAST))

    covers = np.min([line(fit.rest) for line in lines], 0) > 0.05
    if cut.open:
        covers &= arm_share(fit.weights) > 0.9
    # The cuts are open upwards (a neckline is a ring): without this, noses and chins count as under the collar.
    covers &= fit.weights[:, _HEAD].sum(1) < 0.02
    y = piece.vertices[:, 1]
    return Sewn(piece, covers, smoothstep(f.waist_y, f.hip_y, y) if cut.open else np.zeros(len(y)))


def covered(garment: Garment, f: Figure, p: np.ndarray) -> np.ndarray:
    """Points [n, 3] of other clothes that this garment covers for certain, bool [n]."""
    cut = upper_cut(garment, f)
    inside = [neckline(cut, f)(p) - 0.04, sleeve_end(cut, f)(p) - 0.07, p[:, 1] - cut.hem - 0.09 * f.size]
    if cut.open:
        inside.append(front_edge(cut, f)(p) - 0.11 * f.size)
        inside.append(np.maximum(p[:, 1] - f.waist_y, np.abs(p[:, 0]) - f.shoulder[0] - 0.05))
    return np.min(inside, 0) > 0


def _lower_edge(garment: Garment, cut: Cut) -> Callable[[np.ndarray], np.ndarray]:
    """Height of the lower edge by direction about the trunk: shirts are cut higher at the sides."""
    tail = 0.035 if garment.kind == "shirt" else 0.0
    return lambda angle: cut.hem + tail * np.sin(angle) ** 2


def _draped(cut: Cut, fit: Fitting, hang: Hang, folds: Folds, hem: Callable, under: Sequence) -> Piece:
    """The whole suit at its distance from the skin, hanging about the trunk, and outside sleeves `under` it."""
    f, suit = fit.figure, fit.tights
    snug = smoothstep(-0.01, 0.05, neckline(cut, f)(suit.vertices))
    room = 0.006 * (1 - snug) + _sleeve_room(cut, f, folds, suit.vertices) * snug
    points = fit.skin.clear(suit.vertices, room, room + 0.003)
    y = points[:, 1]
    trunk = smoothstep(f.armpit_y + 0.03 * f.size, f.armpit_y - 0.06 * f.size, y)
    trunk = (trunk * (1 - smoothstep(0.2, 0.6, arm_share(suit.weights))))[:, None]
    angle = hang.angle(points)
    hanging = hang.at(angle, y, _trunk_room(cut, f, folds, angle, y, hem(angle)))
    points = points + trunk * (hanging - points)
    for cloth in under if cut.open else ():
        thickness = fit.skin.above(cloth.vertices)[0]
        distance, nearest = cKDTree(cloth.vertices).query(points, k=8)
        least = np.where(distance[:, 0] < _BESIDE, thickness[nearest].max(1) + _OVER, -np.inf)
        points = points + (1 - trunk) * (fit.skin.clear(points, np.minimum(least, _BESIDE)) - points)
    return Piece(points, suit.weights, suit.faces)


def _sleeve_room(cut: Cut, f: Figure, folds: Folds, p: np.ndarray) -> np.ndarray:
    """How far shoulders and sleeves keep from the skin at points [V, 3], metres [V]."""
    shoulder, _, cuff = cut.room
    lumps = 0.002 * folds.cloth(p)
    if cut.reach is None:
        return shoulder + lumps
    out, end = np.abs(p[:, 0]) - f.shoulder[0], cut.reach * f.arm
    room = shoulder + (cuff - shoulder) * smoothstep(0, 0.7 * end, out)
    elbow = f.joints[JOINT["left_elbow"], 0] - f.shoulder[0]
    if end > 1.2 * elbow:
        around = np.arctan2(p[:, 1] - f.shoulder[1], p[:, 2] - f.shoulder[2])
        crumple = np.exp(-np.square((out - elbow) / (0.35 * elbow))) + smoothstep(0.75 * end, 0.95 * end, out)
        room = room + (0.003 * f.size + 0.25 * cuff) * crumple * folds.rings(out, around, 0.055 * f.size)
    if cut.rib:
        gathered = smoothstep(0.8 * cut.rib, cut.rib + 0.05 * f.size, end - out)
        puff = 0.25 * cuff * smoothstep(0.4 * end, 0.7 * end, out)
        room = 0.006 + (room + puff - 0.006) * gathered
    return room + lumps


def _trunk_room(cut: Cut, f: Figure, folds: Folds, angle: np.ndarray, y: np.ndarray, hem: np.ndarray) -> np.ndarray:
    """How far cloth about the trunk keeps from the hanging hull, metres."""
    shoulder, low, _ = cut.room
    drop = np.clip((f.armpit_y - y) / (f.armpit_y - f.hip_y), 0, None)
    wave = 0.5 + 0.5 * folds.hanging(angle, 7)
    room = shoulder + (low - shoulder) * smoothstep(0, 0.9, drop)
    room = room + (0.004 * f.size + 0.25 * low) * wave * drop.clip(0, 1.6)
    if cut.open:
        room = room + 0.12 * low * (drop - 0.8).clip(0)
    if cut.rib:
        room = 0.010 + (1.15 * room - 0.010) * smoothstep(0.8 * cut.rib, cut.rib + 0.05 * f.size, y - hem)
    return room


def _tailed(piece: Piece, join: float, cut: Cut, fit: Fitting, hang: Hang, folds: Folds, hem: Callable) -> Piece:
    """A piece that ends at the height `join`, continued by rings of its own vertices' directions to the hem."""
    f = fit.figure
    around = hang.angle(piece.vertices)
    order = np.mod(around, 2 * np.pi) if cut.open else around
    start = edge_loop(piece, np.abs(piece.vertices[:, 1] - join) < 1e-4, order)
    angle, count = around[start], max(2, int(np.ceil((join - cut.hem) / _RING)))
    y = join + (hem(angle) - join) * np.linspace(0, 1, count + 1)[1:, None]
    turn = np.broadcast_to(angle, y.shape)
    if cut.open:  # the fronts part further down
        heights = np.concatenate([[join], y.mean(1)])
        front = np.arcsin(opening(cut, f)(heights) / (hang.radius(np.zeros_like(heights), heights) + cut.room[1]))
        share = (np.pi - front[1:]) / (np.pi - front[0])
        turn = np.sign(angle) * (np.pi - (np.pi - np.abs(angle)) * share[:, None])
    rings = hang.at(turn, y, _trunk_room(cut, f, folds, turn, y, hem(turn))).reshape(-1, 3)
    held = smoothstep(0.0, 0.12 * f.size, join - rings[:, 1])[:, None]
    weights = np.tile(piece.weights[start], (count, 1)) * (1 - held) + hanging_weights(rings, fit) * held
    index = np.concatenate([start, len(piece.vertices) + np.arange(len(rings))])
    return Piece(
        np.concatenate([piece.vertices, rings]),
        np.concatenate([piece.weights, weights]),
        np.concatenate([piece.faces, index[lattice(count + 1, len(start), closed=not cut.open)]]),
    )
