"""Cutting a skinned triangle mesh exactly along the zero line of a function."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Piece:
    """vertices [V, 3]; weights [V, J], anything else per vertex that is cut along; faces int [F, 3]."""

    vertices: np.ndarray
    weights: np.ndarray
    faces: np.ndarray


def clip(piece: Piece, value: np.ndarray) -> Piece:
    """Keep the side value >= 0 (value: [V]), cutting triangles along the zero line."""
    faces, inside = piece.faces, value >= 0
    count = inside[faces].sum(1)
    kept = [faces[count == 3]]
    split = faces[(count == 1) | (count == 2)]
    lone_inside = inside[split].sum(1) == 1
    lone = np.where(lone_inside[:, None], inside[split], ~inside[split]).argmax(1)
    a, b, c = (split[np.arange(len(split)), (lone + shift) % 3] for shift in range(3))
    edges, number = np.unique(np.sort(np.stack([a, b, a, c], -1).reshape(-1, 2), 1), axis=0, return_inverse=True)
    number = number.reshape(-1, 2) + len(value)
    t = (value[edges[:, 0]] / (value[edges[:, 0]] - value[edges[:, 1]]))[:, None]
    vertices, weights = (
        np.concatenate([values, values[edges[:, 0]] * (1 - t) + values[edges[:, 1]] * t])
        for values in (piece.vertices, piece.weights)
    )
    ab, ac = number[:, 0], number[:, 1]
    one, two = lone_inside, ~lone_inside
    kept += [np.stack([a, ab, ac], -1)[one], np.stack([ab, b, c], -1)[two], np.stack([ab, c, ac], -1)[two]]
    used, faces = np.unique(np.concatenate(kept), return_inverse=True)
    return Piece(vertices[used], weights[used], faces.reshape(-1, 3))
