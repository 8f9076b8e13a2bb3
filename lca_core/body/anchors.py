"""Anchors: points on the template's surface that carry the geometry tokens and their Gaussians."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lca_core.body.coverage import fineness, on_shell, seen_behind
from lca_core.body.model import BodyModel
from lca_core.paths import atomic_path, cache_dir


@dataclass(frozen=True)
class Anchors:
    """G anchors with k surface points each; everything is linear in the betas.

    face [G, k], barycentric [G, k, 3]: the triangles the points lie in, and where in them; points [G, k, 3] metres on
    the template's T-pose; shapedirs [G, k, 3, S]; exprdirs [G, k, 3, E]; normals [G, k, 3]; weights [G, k, 55];
    spacing [G, k]: metres to the neighbouring points; shell [G, k]: points off the skin, of hair or skirts that there
    may be; seen_behind [G, k]: metres, see `coverage.seen_behind`; centers [G, 3]: mean of an anchor's points.
    """

    face: Int[Tensor, "G k"]
    barycentric: Float[Tensor, "G k 3"]
    points: Float[Tensor, "G k 3"]
    shapedirs: Float[Tensor, "G k 3 S"]
    exprdirs: Float[Tensor, "G k 3 E"]
    normals: Float[Tensor, "G k 3"]
    weights: Float[Tensor, "G k 55"]
    spacing: Float[Tensor, "G k"]
    shell: Bool[Tensor, "G k"]
    seen_behind: Float[Tensor, "G k"]

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
            normals, on_surface(body.weights), spacing, on_shell(body)[face], seen_behind(body)[face],
        )  # fmt: skip

    @classmethod
    def nowhere(cls, body: BodyModel, anchors: int, per_anchor: int) -> "Anchors":
        """So many anchors without a place, all numbers zero: to be laid on the body, or only counted."""

        def zeros(*more: int, dtype: torch.dtype | None = None) -> Tensor:
            return torch.zeros(anchors, per_anchor, *more, dtype=dtype)

        shapes, expressions = body.shapedirs.shape[-1], body.exprdirs.shape[-1]
        return cls(
            zeros(dtype=torch.int64), zeros(3), zeros(3), zeros(3, shapes), zeros(3, expressions), zeros(3), zeros(55),
            zeros(), zeros(dtype=torch.bool), zeros(),
        )  # fmt: skip

    @property
    def centers(self) -> Float[Tensor, "G 3"]:
        """Positions of the geometry tokens on the template."""
        return self.points.mean(1)

    def shaped(self, betas: Float[Tensor, "B S"]) -> Float[Tensor, "B G k 3"]:
        """The surface points of people of these shapes, T-pose, metres."""
        n = min(betas.shape[-1], self.shapedirs.shape[-1])
        return self.points + torch.einsum("gkis,bs->bgki", self.shapedirs[..., :n], betas[:, :n])


def sample_anchors(body: BodyModel, anchors: int, per_anchor: int, coverage: str = "skin") -> Anchors:
    """Farthest-point samples of the surface, split into `anchors` compact groups of `per_anchor` (cached).

    coverage: what is covered how finely, one of `coverage.COVERAGES`.

    Groups come from halving along the principal axis of position and skinning weights, so that they are equal in
    size (the decoder gives every token k Gaussians) and do not mix neighbouring limbs. `anchors` is a power of two.

    A choice between nearly equal points may fall otherwise on another processor, whose last bits differ: what is
    learned of anchors is kept together with their places (`LCA`), never with the hope of sampling them again.
    """
    if anchors & (anchors - 1):
        raise ValueError(f"anchors must be a power of two, not {anchors}")
    fine = fineness(body, coverage)
    of = (body.template.numpy(), body.weights.numpy(), fine)
    key = hashlib.sha256(b"".join(values.tobytes() for values in of)).hexdigest()[:16]
    path = cache_dir("anchors") / f"{key}-{anchors}x{per_anchor}-3.npz"
    if not path.exists():
        face, barycentric, spacing = _farthest_points(body, anchors * per_anchor, fine)
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


def _farthest_points(body: BodyModel, count: int, fine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(faces [N], barycentric coordinates [N, 3], spacing [N]) of well-spread surface points; fine: see `fineness`."""
    rng = np.random.default_rng(0)
    v, faces = body.template.double().numpy(), body.faces.numpy()
    a, b, c = v[faces[:, 0]], v[faces[:, 1]], v[faces[:, 2]]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    share = area * fine**2
    face = rng.choice(len(faces), size=6 * count, p=share / share.sum())
    u, w = rng.random((2, len(face)))
    flip = u + w > 1
    u, w = np.where(flip, 1 - u, u), np.where(flip, 1 - w, w)
    bary = np.stack([1 - u - w, u, w], 1)
    points = np.einsum("nc,nci->ni", bary, v[faces[face]]).astype(np.float32)
    chosen = _spread(points, fine[face].astype(np.float32), count)
    from scipy.spatial import cKDTree

    spacing = cKDTree(points[chosen]).query(points[chosen], k=4)[0][:, 1:].mean(1)
    return face[chosen], bary[chosen], spacing


def _spread(points: np.ndarray, fine: np.ndarray, count: int) -> np.ndarray:
    """Numbers of `count` points, each the farthest from those before; near points count `fine` times as far."""
    from numba import njit

    return njit(_farthest, cache=True)(points, fine**2, count)


def _farthest(points, scale, count):
    nearest = np.full(len(points), np.float32(np.inf))
    chosen = np.zeros(count, np.int64)
    for i in range(1, count):
        x, y, z = points[chosen[i - 1]]
        best, farthest = 0, np.float32(-1)
        for j in range(len(points)):
            dx, dy, dz = points[j, 0] - x, points[j, 1] - y, points[j, 2] - z
            distance = (dx * dx + dy * dy + dz * dz) * scale[j]
            if distance < nearest[j]:
                nearest[j] = distance
            if nearest[j] > farthest:
                best, farthest = j, nearest[j]
        chosen[i] = best
    return chosen


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
