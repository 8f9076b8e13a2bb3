"""Who is who: clips grouped by the face, and people dealt to the splits.

The recogniser is dlib's network (`judges.face_network`) on faces aligned by the face mesh; clips are grouped by
average linkage of their mean embeddings.
"""

import hashlib
import heapq
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist, pdist

from lca_core.judges.face_network import CHIP_PX, EYES_APART, EYES_AT, face_embedding

# Mean distance of two groups of clips up to which they are of one person. dlib's own is 0.6, for two pictures of real
# people; means of several pictures lie nearer. Digital humans are more alike than real people are: see the benchmark.
SAME_PERSON = 0.5
SPLITS = {"train": 0.9, "validation": 0.05, "test": 0.05}
_EYES = ((33, 133), (362, 263))  # corners of the right and the left eye in the face mesh
_BLOCK = 4096  # faces, of which all distances to another block are in memory at once
_DENSE = 4096  # faces of a part, of which all distances are


def face_of(images: Sequence[np.ndarray], meshes: Sequence[np.ndarray | None]) -> Float[np.ndarray, "128"] | None:
    """The mean embedding of the faces in pictures uint8 [H, W, 3] with face meshes [478, 3]; None without one."""
    chips = [chip(image, mesh) for image, mesh in zip(images, meshes) if mesh is not None]
    if not chips:
        return None
    faces = torch.from_numpy(np.stack(chips)).movedim(-1, 1).float() / 255
    return face_embedding(faces).mean(0).numpy()


def chip(image: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """uint8 [150, 150, 3]: the face as dlib's network wants it, eyes level, in their place, at their distance."""
    right, left = (mesh[list(corners), :2].mean(0) for corners in _EYES)
    across = left - right
    # seen from the side, eyes are nearer to each other: depth tells how far apart they are
    apart = float(np.linalg.norm(np.append(across, np.diff([mesh[list(c), 2].mean() for c in _EYES]))))
    scale = apart / EYES_APART
    x = scale * across / max(float(np.linalg.norm(across)), 1e-6)
    y = np.array([-x[1], x[0]])
    origin = (left + right) / 2 - EYES_AT[0] * x - EYES_AT[1] * y
    affine = (x[0], y[0], origin[0], x[1], y[1], origin[1])
    size = (CHIP_PX, CHIP_PX)
    return np.asarray(Image.fromarray(image).transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC))


def group(faces: Float[np.ndarray, "N 128"], same: float = SAME_PERSON) -> Int[np.ndarray, " N"]:
    """Number of the person of each clip, counted from 0 in the order of their first clips.

    Average linkage cut at `same`. Groups that it joins are linked by pairs nearer than that, so it is done inside
    the parts that such pairs connect (`near_pairs`); memory grows with these pairs, not with N^2.
    """
    pairs = near_pairs(faces, same)
    graph = coo_array((np.ones(len(pairs), bool), pairs.T), shape=(len(faces), len(faces)))
    parts = connected_components(graph, directed=False)[1]
    of_part = np.split(np.argsort(parts, kind="stable"), np.cumsum(np.bincount(parts))[:-1]) if len(parts) else []
    edges = np.split(pairs[np.argsort(parts[pairs[:, 0]], kind="stable")],
                     np.cumsum(np.bincount(parts[pairs[:, 0]], minlength=len(of_part)))[:-1])  # fmt: skip
    groups: list[np.ndarray] = []
    for members, near in zip(of_part, edges):
        if len(members) == 1:
            groups.append(members)
        elif len(members) <= _DENSE:
            numbers = fcluster(linkage(pdist(faces[members]), "average"), same, "distance")
            groups += [members[numbers == k] for k in range(1, numbers.max() + 1)]
        else:
            groups += _linked(faces, near, same)
    names = np.empty(len(faces), int)
    for number, members in enumerate(sorted(groups, key=min)):
        names[members] = number
    return names


def near_pairs(faces: Float[np.ndarray, "N 128"], same: float) -> Int[np.ndarray, "K 2"]:
    """Pairs (i < j) of faces at most `same` apart, every one.

    Faces are put in order along the direction in which they differ most: two that are further apart along it than
    `same` are further apart altogether, and are passed over. Of the rest, matrix products in float32 tell which may
    be near enough, with a margin over their rounding, and float64 which are. In 128 dimensions no search tree does
    better than that: where people are alike, each is almost as far from all others.
    """
    if len(faces) < 2:
        return np.empty((0, 2), int)
    centred = np.asarray(faces, np.float64) - np.mean(faces, 0)
    along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.argsort(along, kind="stable")
    along, ranged = along[order], centred[order].astype(np.float32)
    squares = (ranged**2).sum(1)
    margin = 1e-5 * float(squares.max())  # 128 products and sums, each right to 6e-8 of the largest
    found = [np.empty((0, 2), int)]
    for start in range(0, len(ranged), _BLOCK):
        rows = slice(start, start + _BLOCK)
        stop = int(np.searchsorted(along, along[rows][-1] + same, "right"))
        for first in range(start, stop, _BLOCK):
            columns = slice(first, min(first + _BLOCK, stop))
            apart = ranged[rows] @ ranged[columns].T
            apart *= -2
            apart += squares[rows, None]
            apart += squares[None, columns]
            i, j = np.divmod(np.flatnonzero(apart <= same**2 + margin), apart.shape[1])
            i, j = order[(i + start)[(late := j + first > i + start)]], order[(j + first)[late]]
            near = np.linalg.norm(centred[i] - centred[j], axis=1) <= same
            found.append(np.sort(np.stack([i, j], -1)[near], -1))
    return np.concatenate(found)


def _linked(faces: np.ndarray, near: np.ndarray, same: float) -> list[np.ndarray]:
    """Average linkage cut at `same` of a part too large for all its distances at once, given its near pairs.

    Groups are joined in the order of their mean distance. Two with no near pair between them have a larger one than
    `same` and are never joined, so only neighbours are kept; what a joined group's other half had no number for is
    computed from the faces.
    """
    members = {int(i): [int(i)] for i in np.unique(near)}
    totals: dict[int, dict[int, float]] = {i: {} for i in members}  # group -> neighbour -> sum of distances
    for (i, j), apart in zip(near.tolist(), np.linalg.norm(faces[near[:, 0]] - faces[near[:, 1]], axis=1).tolist()):
        totals[i][j] = totals[j][i] = apart
    waiting = [(apart, i, j) for i, others in totals.items() for j, apart in others.items() if i < j]
    heapq.heapify(waiting)
    number = len(faces)
    while waiting:
        mean, i, j = heapq.heappop(waiting)
        if mean > same:
            break
        if i not in members or j not in members:
            continue  # joined with another before
        joined, both = members[i] + members[j], set(totals[i]) | set(totals[j])
        sums = {k: sum(_total(faces, members, totals, side, k) for side in (i, j)) for k in both - {i, j}}
        for side in (i, j):
            for k in totals.pop(side):
                totals.get(k, {}).pop(side, None)
            del members[side]
        members[number], totals[number] = joined, sums
        for k, total in sums.items():
            totals[k][number] = total
            heapq.heappush(waiting, (total / (len(joined) * len(members[k])), k, number))
        number += 1
    return [np.array(sorted(group)) for group in members.values()]


def _total(faces: np.ndarray, members: dict, totals: dict, i: int, k: int) -> float:
    """Sum of the distances of two groups, looked up or computed."""
    known = totals[i].get(k)
    return float(cdist(faces[members[i]], faces[members[k]]).sum()) if known is None else known


def split_of_person(key: str) -> str:
    """ "train", "validation" or "test", by a hash of what a person is known by: clips of others move nobody."""
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64
    for name, share in SPLITS.items():
        if place < share:
            return name
        place -= share
    return "test"


def pairwise_f1(found: Sequence[int], true: Sequence[int]) -> tuple[float, float, float]:
    """(F1, precision, recall) of the pairs of clips that a grouping puts together."""
    a, b = np.triu_indices(len(found), 1)
    together, same = (np.asarray(x)[a] == np.asarray(x)[b] for x in (found, true))
    hits = float((together & same).sum())
    precision, recall = hits / max(together.sum(), 1), hits / max(same.sum(), 1)
    return 2 * precision * recall / max(precision + recall, 1e-12), float(precision), float(recall)
