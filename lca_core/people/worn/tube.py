"""Round tubes along curves: laces, rims and temples."""

import numpy as np


def tube(
    path: np.ndarray, radius: float | np.ndarray, sides: int = 6, closed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """A tube along path [n, 3] with radius (one, or [n]) in metres: vertices [n * sides, 3], triangles [F, 3].

    Frames are carried along the curve without twist. An open tube has no caps.
    """
    path = np.asarray(path, np.float64)
    if closed:
        tangent = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    else:
        tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    first = np.empty_like(path)
    direction = np.eye(3)[np.abs(tangent[0]).argmin()]
    for i, along in enumerate(tangent):
        direction = direction - (direction @ along) * along
        direction /= np.linalg.norm(direction)
        first[i] = direction
    second = np.cross(tangent, first)
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = np.cos(angle)[None, :, None] * first[:, None] + np.sin(angle)[None, :, None] * second[:, None]
    vertices = path[:, None] + np.broadcast_to(radius, len(path))[:, None, None] * ring
    return vertices.reshape(-1, 3), grid_faces(len(path), sides, closed)


def grid_faces(rows: int, columns: int, closed_rows: bool = False) -> np.ndarray:
    """Triangles [F, 3] of rows of `columns` points each; a row closes on itself, the last row on the first if asked."""
    i, j = np.meshgrid(np.arange(rows if closed_rows else rows - 1), np.arange(columns), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    c, d = (i + 1) % rows * columns + j, (i + 1) % rows * columns + (j + 1) % columns
    return np.stack([np.stack([a, b, d], -1), np.stack([a, d, c], -1)], 2).reshape(-1, 3)
