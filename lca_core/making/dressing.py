"""How far what an avatar wears stands off its skin: pictures' depths, smoothed over the body's mesh.

The body's mesh pushed out by so much has trousers for legs and hair for a skull. What must move freely keeps to the
skin: the face, by as much as its actions move it, hands, and what lies within the head.
"""

from collections.abc import Iterable

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float, Int

from lca_core.body import JOINT_NAMES, BodyModel
from lca_core.body.layout import HAND_JOINTS
from lca_core.data import Camera
from lca_core.making.sights import sights
from lca_core.splats import Gaussians

REACH = 0.06  # metres: what is drawn farther off is another limb's
_UNDER = 0.03  # metres that the skin may lie before what is drawn
_HANDS = [JOINT_NAMES.index(name) for name in (*HAND_JOINTS, "left_wrist", "right_wrist")]
_MOVED = 0.003  # metres by which an action moves what keeps to the skin
_SMOOTHINGS, _UNSEEN = 10, 0.01  # rounds; what keeps a vertex to the skin beside one picture that looks squarely


def standing_off(
    gaussians: Gaussians,
    body: BodyModel,
    vertices: Float[np.ndarray, "V 3"],
    normals: Float[np.ndarray, "V 3"],
    faces: Int[np.ndarray, "F 3"],
    cameras: Iterable[Camera],
) -> Float[np.ndarray, " V"]:
    """Metres, 0 to REACH, from each vertex of a body in the T-pose, along its normal, to what is drawn over it.

    faces: the triangles that are looked at, those of the "body" group among them being its skin.
    """
    total, weight = torch.zeros(len(vertices)), torch.full((len(vertices),), _UNSEEN)
    for sight in sights(gaussians, torch.from_numpy(vertices), torch.from_numpy(normals), cameras):
        off = sight.behind * sight.cosine
        share = torch.where((off < REACH) & (off > -_UNDER), sight.cosine**2, 0)
        total[sight.which] += share * off
        weight[sight.which] += share
    free = _free(body)
    off = (total / weight).numpy().clip(0, REACH) * free
    around = _neighbours(faces, len(vertices))
    for _ in range(_SMOOTHINGS):
        off = np.where(free > 0, (off + around @ off) / 2, 0)
    return (off * free).astype(np.float32)


def _free(body: BodyModel) -> Float[np.ndarray, " V"]:
    """From 0, what keeps to the skin, to 1, what cloth and hair may cover."""
    moved = body.exprdirs.norm(dim=1).numpy().max(1, initial=0)
    on_hands = body.weights.numpy()[:, _HANDS].sum(1)
    free = (1 - moved / _MOVED).clip(0, 1) * (1 - 1.5 * on_hands).clip(0, 1)
    group = body.extra.get("f_group")
    if group is not None:
        free[np.unique(body.faces.numpy()[group != "body"])] = 0
    return free


def _neighbours(faces: Int[np.ndarray, "F 3"], count: int) -> sp.csr_matrix:
    """[V, V]: the mean over the vertices that share an edge with each."""
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    joined = sp.coo_matrix((np.ones(len(ends)), ends.T), shape=(count, count)).tocsr()
    joined = ((joined + joined.T) > 0).astype(float)
    return sp.diags(1 / np.maximum(np.asarray(joined.sum(1)).ravel(), 1)) @ joined
