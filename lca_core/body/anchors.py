"""Anchors: points on the template's surface that carry the geometry tokens and their Gaussians."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lca_core.body.layout import JOINT_NAMES
from lca_core.body.model import BodyModel
from lca_core.paths import atomic_path, cache_dir

# Surface is sampled more finely where people look: spacing is divided by these factors.
_FINER = {"head": 1.8, "jaw": 1.8, "left_eye_smplhf": 3.0, "right_eye_smplhf": 3.0}
_FINER |= {name: 1.8 for name in JOINT_NAMES if any(f in name for f in ("index", "middle", "pinky", "ring", "thumb"))}
_FINER |= {"left_wrist": 1.4, "right_wrist": 1.4}


@dataclass(frozen=True)
class Anchors:
    """G anchors with k surface points each; everything is linear in the betas.

    face [G, k], barycentric [G, k, 3]: the triangles the points lie in, and where in them; points [G, k, 3] metres on
    the template's T-pose; shapedirs [G, k, 3, S]; exprdirs [G, k, 3, E]; normals [G, k, 3]; weights [G, k, 55];
    spacing [G, k]: metres to the neighbouring points; centers [G, 3]: mean of an anchor's points.
    """

    face: Int[Tensor, "G k"]
    barycentric: Float[Tensor, "G k 3"]
    points: Float[Tensor, "G k 3"]
    shapedirs: Float[Tensor, "G k 3 S"]
    exprdirs: Float[Tensor, "G k 3 E"]
    normals: Float[Tensor, "G k 3"]
    weights: Float[Tensor, "G k 55"]
    spacing: Float[Tensor, "G k"]

    @classmethod
    def on(
        cls,
        body: BodyModel,
        face: Int[Tensor, "G k"],
        barycentric: Float[Tensor, "G k 3"],
        spacing: Float[Tensor, "G k"],
    ) -> "Anchors":
        """The anchors at these places of a body's surface; ValueError when it has no such triangles."""
        if int(face.min()) < 0 or int(face.max()) >= len(body.faces):
            raise ValueError(f"the anchors lie on triangles up to {int(face.max())}; the body has {len(body.faces)}")
        corners = body.faces[face]

        def on_surface(values: Tensor) -> Tensor:
            return torch.einsum("gkc,gkc...->gk...", barycentric.to(values), values[corners])

        a, b, c = body.template[corners].unbind(2)
        normals = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=-1)
        return cls(
            face, barycentric, on_surface(body.template), on_surface(body.shapedirs), on_surface(body.exprdirs),
            normals, on_surface(body.weights), spacing,
        )  # fmt: skip

    @property
    def centers(self) -> Float[Tensor, "G 3"]:
        """Positions of the geometry tokens on the template."""
        return self.points.mean(1)

    def shaped(self, betas: Float[Tensor, "B S"]) -> Float[Tensor, "B G k 3"]:
        """The surface points of people of these shapes, T-pose, metres."""
        n = min(betas.shape[-1], self.shapedirs.shape[-1])
        return self.points + torch.einsum("gkis,bs->bgki", self.shapedirs[..., :n], betas[:, :n])


def sample_anchors(body: BodyModel, anchors: int, per_anchor: int) -> Anchors:
    """Farthest-point samples of the surface, split into `anchors` compact groups of `per_anchor` (cached).

    Groups come from halving along the principal axis of position and skinning weights, so that they are equal in
    size (the decoder gives every token k Gaussians) and do not mix neighbouring limbs. `anchors` is a power of two.

    A choice between nearly equal points may fall otherwise on another processor, whose last bits differ: what is
    learned of anchors is kept together with their places (`LCA`), never with the hope of sampling them again.
    """
    if anchors & (anchors - 1):
        raise ValueError(f"anchors must be a power of two, not {anchors}")
    key = hashlib.sha256(body.template.numpy().tobytes() + body.weights.numpy().tobytes()).hexdigest()[:16]
    path = cache_dir("anchors") / f"{key}-{anchors}x{per_anchor}-2.npz"
    if not path.exists():
        face, barycentric, spacing = _farthest_points(body, anchors * per_anchor)
        points, weights = (
            np.einsum("nc,nci->ni", barycentric, values.double().numpy()[body.faces.numpy()[face]])
            for values in (body.template, body.weights)
        )
        order = _compact_groups(points, weights, per_anchor).reshape(anchors, per_anchor)
        with atomic_path(path) as partial:
            np.savez(partial, face=face[order], barycentric=barycentric[order], spacing=spacing[order])
    with np.load(path) as file:
        face, barycentric, spacing = (torch.as_tensor(file[name]) for name in ("face", "barycentric", "spacing"))
    return Anchors.on(body, face, barycentric.to(body.template), spacing.to(body.template))


def _farthest_points(body: BodyModel, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(faces [N], barycentric coordinates [N, 3], spacing [N]) of well-spread surface points."""
    rng = np.random.default_rng(0)
    v, faces = body.template.double().numpy(), body.faces.numpy()
    a, b, c = v[faces[:, 0]], v[faces[:, 1]], v[faces[:, 2]]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    finer = np.array([_FINER.get(name, 1.0) for name in JOINT_NAMES])
    fine = (body.weights.numpy() @ finer)[faces].mean(1)
    share = area * fine**2
    face = rng.choice(len(faces), size=6 * count, p=share / share.sum())
    u, w = rng.random((2, len(face)))
    flip = u + w > 1
    u, w = np.where(flip, 1 - u, u), np.where(flip, 1 - w, w)
    bary = np.stack([1 - u - w, u, w], 1)
    points = np.einsum("nc,nci->ni", bary, v[faces[face]]).astype(np.float32)
    scale = fine[face].astype(np.float32)
    nearest = np.full(len(points), np.inf, np.float32)
    chosen = np.empty(count, np.int64)
    chosen[0] = 0
    for i in range(1, count):
        distance = np.square(points - points[chosen[i - 1]]).sum(1) * scale**2
        np.minimum(nearest, distance, out=nearest)
        chosen[i] = nearest.argmax()
    from scipy.spatial import cKDTree

    spacing = cKDTree(points[chosen]).query(points[chosen], k=4)[0][:, 1:].mean(1)
    return face[chosen], bary[chosen], spacing


def _compact_groups(points: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """A permutation of the points in which each run of `size` is a compact group."""
    feature = np.concatenate([points, 0.4 * weights], 1).astype(np.float64)
    towards = 1 / np.arange(1.0, feature.shape[1] + 1)  # uneven: an axis from one limb to its twin has a sign too
    order = np.arange(len(points))
    length = len(points)
    while length > size:
        for start in range(0, len(points), length):
            group = order[start : start + length]
            x = feature[group] - feature[group].mean(0)
            axis = np.linalg.eigh(x.T @ x)[1][:, -1]
            if axis @ towards < 0:  # an eigenvector's sign is the library's whim
                axis = -axis
            order[start : start + length] = group[np.argsort(x @ axis, kind="stable")]
        length //= 2
    return order
