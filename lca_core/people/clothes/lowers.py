"""Trousers of all lengths, and skirts, those of dresses too."""

from dataclasses import replace

import numpy as np

from lca_core.people.body.cut import Piece, clip
from lca_core.people.clothes.figure import GOWNS, Figure, Fitting, Sewn, arm_share, hanging_weights
from lca_core.people.clothes.garments import Folds, LegCut, leg_cut, lower_end
from lca_core.people.clothes.tailoring import HEM, LEAST, UNDER, edge_loop, fold_hems, lattice, smoothstep
from lca_core.people.who.spec import Garment

_RING = 0.022  # metres between the rings of a skirt
_COLUMNS, _PLEATS = 120, 26  # points around a skirt; pleats of a pleated one, six points each
_BAND = 0.03  # metres from the waist down that a skirt is sewn to a waistband


def trousers(garment: Garment, fit: Fitting, rng: np.random.Generator) -> Sewn:
    """Trousers, jeans, shorts, leggings or joggers."""
    f, cut, suit = fit.figure, leg_cut(garment, fit.figure), fit.tights
    hem, boot = lower_end(garment, f), f.ankle[1] + 0.055 * f.size
    seat, knee, low = cut.room
    height = suit.vertices[:, 1]
    room = np.interp(-height, [-f.hip_y, -f.knee_y, -f.ankle[1]], [seat, knee, low])
    points = fit.skin.clear(suit.vertices, np.maximum(0.75 * room, 0.0035), room + 0.002)
    hang = fit.hull.falling(1.5, f.waist_y)
    trunk = smoothstep(f.crotch_y + 0.03 * f.size, f.crotch_y + 0.11 * f.size, height)
    trunk = trunk * (1 - smoothstep(0.2, 0.6, arm_share(suit.weights)))
    points = points + trunk[:, None] * (hang.at(hang.angle(points), points[:, 1], seat) - points)
    points = _straightened(points, cut, f, hem, Folds(rng))
    piece = Piece(points, suit.weights, suit.faces)
    over_shoe = hem < f.ankle[1]
    end = boot if over_shoe else hem
    for line in (
        lambda p: f.waist_y + 0.01 - p[:, 1],
        lambda p: p[:, 1] - end,
        lambda p: f.shoulder[0] * 1.9 - np.abs(p[:, 0]),
    ):
        piece = clip(piece, line(piece.vertices))
    piece = replace(piece, vertices=fit.skin.clear(piece.vertices, UNDER))
    if over_shoe:
        for side in (1, -1):
            piece = _lengthened(piece, side, boot, hem, f)
    margin = 0.02 + cut.room[2] if hem < f.knee_y - 0.05 else 0.12 * f.size  # short legs are seen into
    y = fit.rest[:, 1]
    covers = (y > max(hem, f.ankle[1]) + margin) & (y < f.waist_y - 0.03) & (arm_share(fit.weights) < 0.1)
    piece = fold_hems(piece, HEM)
    piece = replace(piece, vertices=fit.skin.clear(piece.vertices, LEAST))
    return Sewn(piece, covers, np.zeros(len(piece.vertices)))


def briefs(fit: Fitting) -> Sewn:
    """What is worn under a skirt."""
    f, suit = fit.figure, fit.tights
    low, high = f.crotch_y - 0.04 * f.size, f.waist_y - 0.05 * f.size
    piece = Piece(fit.skin.clear(suit.vertices, 0.005, 0.006), suit.weights, suit.faces)
    for line in (lambda p: high - p[:, 1], lambda p: p[:, 1] - low, lambda p: f.shoulder[0] * 1.9 - np.abs(p[:, 0])):
        piece = clip(piece, line(piece.vertices))
    piece = replace(piece, vertices=fit.skin.clear(piece.vertices, 0.005))
    y = fit.rest[:, 1]
    covers = (y > low + 0.03 * f.size) & (y < high - 0.02 * f.size) & (arm_share(fit.weights) < 0.1)
    return Sewn(piece, covers, np.zeros(len(piece.vertices)))


def _straightened(points: np.ndarray, cut: LegCut, f: Figure, hem: float, folds: Folds) -> np.ndarray:
    """Points [V, 3] of tights moved away from the legs' axes to where the cloth of trousers falls."""
    y, side = points[:, 1], np.sign(points[:, 0])
    axis_x, axis_z = f.leg_axis(y)
    spoke = np.stack([points[:, 0] * side - axis_x, points[:, 2] - axis_z], -1)
    radius = np.linalg.norm(spoke, axis=1)
    edges = np.linspace(f.ankle[1] + 0.05 * f.size, f.crotch_y - 0.04 * f.size, 24)
    place = np.digitize(y, edges)
    mean = (np.bincount(place, radius, minlength=25) / np.maximum(np.bincount(place, minlength=25), 1))[1:24]
    middle = (edges[1:] + edges[:-1]) / 2
    low = cut.room[2]
    straight = np.interp(y, middle, np.maximum(mean, np.interp(f.knee_y, middle, mean) + 0.6 * low))
    at_knee = np.exp(-np.square((y - f.knee_y) / (0.09 * f.size)))
    on_shoe = smoothstep(f.ankle[1] + 0.16 * f.size, f.ankle[1] + 0.03 * f.size, y)
    rings = folds.rings(y, np.arctan2(spoke[:, 0], spoke[:, 1]), 0.06 * f.size)
    wrinkles = low * (0.28 * (at_knee + 1.2 * on_shoe) * rings + 0.15 * folds.cloth(points))
    more = cut.straight * (straight - radius).clip(0) + wrinkles
    if cut.rib:
        more = more * smoothstep(hem + 0.8 * cut.rib, hem + cut.rib + 0.06 * f.size, y)
    leg = smoothstep(f.crotch_y + 0.02 * f.size, f.crotch_y - 0.10 * f.size, y) * (y > f.ankle[1])
    spoke = spoke * (1 + leg * more / np.maximum(radius, 1e-6))[:, None]
    across = spoke[:, 0] + axis_x
    across = across + leg * (np.maximum(across, 0.004) - across)  # legs of cloth do not cross
    return np.stack([side * across, y, spoke[:, 1] + axis_z], -1)


def _lengthened(piece: Piece, side: int, low: float, hem: float, f: Figure) -> Piece:
    """One trouser leg (side 1 left, -1 right) continued down from the height `low` to `hem`, over the shoe."""
    x, z = f.leg_axis(np.array([low]))
    p = piece.vertices
    on_edge = (np.abs(p[:, 1] - low) < 1e-4) & (p[:, 0] * side > 0)
    start = edge_loop(piece, on_edge, np.arctan2(p[:, 0] - side * x, p[:, 2] - z))
    top = p[start]
    wider = 0.12 * (top - top.mean(0)) * [1, 0, 1] + [0, hem - low, 0]
    rings = [top + step * wider for step in (1 / 3, 2 / 3, 1)]
    index = np.concatenate([start, len(p) + np.arange(3 * len(start))])
    return Piece(
        np.concatenate([p, *rings]),
        np.concatenate([piece.weights, *[piece.weights[start]] * 3]),
        np.concatenate([piece.faces, index[lattice(4, len(start), closed=True)]]),
    )


def skirt(garment: Garment, fit: Fitting, rng: np.random.Generator) -> Sewn:
    """A skirt of its own or of a dress: rings about the trunk from the waist to the hem."""
    f, gown, pleated = fit.figure, garment.kind in GOWNS, garment.kind == "pleated_skirt"
    hem, waist = lower_end(garment, f), f.waist_y + (0.004 if gown else 0.01)
    fitted = fit.hull.falling(0.9, f.armpit_y) if gown else fit.hull
    hang = fitted.falling(0.0, waist)
    columns = 6 * _PLEATS if pleated else _COLUMNS
    angle = np.arange(columns) * (2 * np.pi / columns) - np.pi
    rows = int(np.ceil((waist - hem) / _RING))
    band = waist - np.array([0, 0.5, 1, 1.01]) * _BAND
    y = np.concatenate([band, np.linspace(waist - 1.5 * _BAND, hem, rows)])[:, None]
    below_band = np.clip(waist - _BAND - y, 0, None)
    below_hip = np.clip(f.hip_y + 0.03 * f.size - y, 0, None)
    flared = below_band if gown else below_hip  # skirts lie close under a top
    room = 0.007 + (0.06 + 0.22 * garment.loose) * flared / (1 + 0.7 * flared)
    room = room + (0.003 + 0.006 * garment.loose if gown else 0.002 * (y > waist - 1.005 * _BAND))
    if pleated:
        knife = np.interp(np.arange(columns) % 6 / 6, [0, 0.7, 0.85, 1.0], [0.0, 1.0, 0.1, 0.0])
        room = room + (0.002 * (below_band > 0) + 0.07 * np.minimum(below_hip, 0.40)) * knife
    else:
        wave = 0.5 + 0.5 * Folds(rng).hanging(angle, 8)
        room = room + 0.10 * np.minimum(below_hip, 0.45) * (0.4 + garment.loose) * wave
    points = hang.at(angle, y, room).reshape(-1, 3)
    piece = Piece(points, hanging_weights(points, fit), lattice(len(y), columns, closed=True))
    piece = fold_hems(piece, HEM)
    skin = fit.rest[:, 1]
    covers = (skin < waist - 0.03) & (skin > f.hip_y + 0.05 * f.size) & (arm_share(fit.weights) < 0.1)
    return Sewn(piece, covers, smoothstep(f.hip_y + 0.03 * f.size, f.hip_y - 0.09 * f.size, piece.vertices[:, 1]))
