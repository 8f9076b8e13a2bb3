"""Who is who: clips grouped by the face, and people dealt to the splits.

The recogniser is dlib's network (`curation.face_network`) on faces aligned by the face mesh; clips are grouped by
average linkage of their mean embeddings.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist, squareform

from lca_core.curation.face_network import CHIP_PX, EYES_APART, EYES_AT, face_embedding

# Mean distance of two groups of clips up to which they are of one person. dlib's own is 0.6, for two pictures of real
# people; means of several pictures lie nearer. Digital humans are more alike than real people are: see the benchmark.
SAME_PERSON = 0.5
SPLITS = {"train": 0.9, "validation": 0.05, "test": 0.05}
_EYES = ((33, 133), (362, 263))  # corners of the right and the left eye in the face mesh
_BLOCK = 4096


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
    the parts that such pairs connect; memory grows with those, not with N^2.
    """
    parts = _connected(faces, same)
    names = np.empty(len(faces), object)
    for part in np.unique(parts):
        members = np.flatnonzero(parts == part)
        inside = np.zeros(len(members), int)
        if len(members) > 1:
            apart = squareform(cdist(faces[members], faces[members]), checks=False)
            inside = fcluster(linkage(apart, "average"), same, "distance")
        for i, k in zip(members, inside):
            names[i] = (part, k)
    numbers: dict[tuple, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], int)


def _connected(faces: np.ndarray, same: float) -> np.ndarray:
    rows, columns = [], []
    for start in range(0, len(faces), _BLOCK):
        a, b = np.nonzero(cdist(faces[start : start + _BLOCK], faces) <= same)
        rows.append(a + start)
        columns.append(b)
    ends = (np.concatenate(rows), np.concatenate(columns)) if rows else (np.empty(0, int), np.empty(0, int))
    graph = coo_array((np.ones(len(ends[0]), bool), ends), shape=(len(faces), len(faces)))
    return connected_components(graph, directed=False)[1]


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
