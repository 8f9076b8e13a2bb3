"""Pictures to rows of patch numbers: the patch's own RGB and matte, behind a frozen encoder's features if there is one.

A patch's pixels are (rgb - 0.5) * 4 with the background at zero. Frozen features are computed once and kept on disk in
half precision, by content.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor

from lca_core.data import Frame, Picture
from lca_core.model.alignment import Placement
from lca_core.model.crops import foreground
from lca_core.model.encoders import ImageEncoder
from lca_core.model.lca import Inputs
from lca_core.paths import atomic_path, cache_dir

_BATCH = 16


def rows_length(encoder: ImageEncoder) -> int:
    """Numbers in a row: features, then 14 x 14 pixels of red, green, blue and matte."""
    return encoder.dim + 4 * encoder.patch**2


def patch_rows(pictures: Sequence[Picture], encoder: ImageEncoder) -> Float[Tensor, "B patches F"]:
    """Rows of patch numbers of equally large pictures; half precision."""
    pixels = torch.stack([foreground(p) for p in pictures])
    p = encoder.patch
    patches = torch.nn.functional.unfold(
        (pixels - pixels.new_tensor([0.5, 0.5, 0.5, 0])[:, None, None]) * 4, p, stride=p
    )
    features = torch.cat([encoder.features(chunk[:, :3]) for chunk in pixels.split(_BATCH)])
    return torch.cat([features, patches.transpose(1, 2)], -1).half()


def cached_rows(pictures: Sequence[Picture], encoder: ImageEncoder) -> Float[Tensor, "B patches F"]:
    """`patch_rows`, kept in the cache under the pictures' own bytes."""
    digest = hashlib.sha256(encoder.name.encode())
    for picture in pictures:
        digest.update(picture.image.tobytes() + picture.matte.tobytes())
    path = cache_dir("tokens", encoder.name) / f"{digest.hexdigest()[:32]}.safetensors"
    if not path.exists():
        with atomic_path(path) as partial:
            save_file({"rows": patch_rows(pictures, encoder)}, partial)
    return load_file(path)["rows"]


def person_inputs(frames: Sequence[Frame], betas: np.ndarray, encoder: ImageEncoder, face_px: int) -> Inputs:
    """The encoder's inputs for one person (B = 1) from N frames; missing face crops are marked unseen, poses of frames
    that are not tracked unknown."""
    body = patch_rows([f.body for f in frames], encoder)
    faces = [f.face for f in frames if f.face is not None]
    face = body.new_zeros(len(frames), (face_px // encoder.patch) ** 2, body.shape[-1])
    has_face = torch.tensor([f.face is not None for f in frames])
    if faces:
        face[has_face] = patch_rows(faces, encoder)
    seen = torch.stack([torch.ones_like(has_face), has_face], -1)
    shape = torch.as_tensor(np.asarray(betas, np.float32))
    return Inputs(body[None].float(), face[None].float(), seen[None], shape[None], frames_placement(frames))


def frames_placement(frames: Sequence[Frame]) -> Placement:
    """Poses and cameras of the frames of one person (B = 1)."""

    def stacked(values: Iterable[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(list(values))).float()

    face_Ks = stacked(np.eye(3) if f.face is None else f.face.camera.K for f in frames)
    signal = [stacked(getattr(f, name) for f in frames) for name in ("theta", "root", "gaze")]
    cameras = [f.body.camera for f in frames]
    placement = Placement.of(*signal, stacked(c.viewmat for c in cameras), stacked(c.K for c in cameras), face_Ks)
    return replace(placement, known=torch.tensor([[f.tracked for f in frames]]))
