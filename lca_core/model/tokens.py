"""Pictures to rows of patch numbers: the patch's own RGB and matte, behind a frozen encoder's features if there is one.

Frozen features are computed once and kept on disk in half precision, by content; pixels are cut into rows whenever they
are asked for.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Float16
from safetensors.torch import load_file, save_file
from torch import Tensor

from lca_core.data import Frame, Picture, camera_tensors, signal_tensors
from lca_core.model.alignment import Placement
from lca_core.model.crops import foreground
from lca_core.model.encoders import ImageEncoder
from lca_core.model.lca import Inputs
from lca_core.model.rows import PIXELS, to_rows
from lca_core.paths import atomic_path, cache_dir

_BATCH = 16


def rows_length(encoder: ImageEncoder) -> int:
    """Numbers in a row: features, then the patch's own pixels."""
    return encoder.dim + PIXELS


def patch_rows(pictures: Sequence[Picture], encoder: ImageEncoder) -> Float16[Tensor, "B patches F"]:
    """Rows of patch numbers of equally large pictures; half precision."""
    pixels = torch.stack([foreground(p) for p in pictures])
    return torch.cat([_features(pixels, encoder), to_rows(pixels).half()], -1)


def cached_features(pictures: Sequence[Picture], encoder: ImageEncoder) -> Float16[Tensor, "B patches dim"]:
    """The part of the rows that is the frozen encoder's, kept in the cache under the pictures' own bytes.

    Nothing is kept for an encoder without features.
    """
    if not encoder.dim:
        height, width = pictures[0].matte.shape
        return torch.zeros(len(pictures), (height // encoder.patch) * (width // encoder.patch), 0).half()
    digest = hashlib.sha256(encoder.name.encode())
    for picture in pictures:
        digest.update(picture.image.tobytes() + picture.matte.tobytes())
    path = cache_dir("features", encoder.name) / f"{digest.hexdigest()[:32]}.safetensors"
    if not path.exists():
        features = _features(torch.stack([foreground(p) for p in pictures]), encoder)
        with atomic_path(path) as partial:
            save_file({"features": features}, partial)
    return load_file(path)["features"]


def _features(pixels: Float[Tensor, "B 4 H W"], encoder: ImageEncoder) -> Float16[Tensor, "B patches dim"]:
    return torch.cat([encoder.features(chunk[:, :3]) for chunk in pixels.split(_BATCH)]).half()


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
    theta, root, gaze = signal_tensors(frames)
    viewmats, body_Ks = (torch.stack(each) for each in zip(*(camera_tensors(f.body.camera) for f in frames)))
    face_Ks = torch.stack([torch.eye(3) if f.face is None else camera_tensors(f.face.camera)[1] for f in frames])
    placement = Placement.of(theta, root, gaze, viewmats, body_Ks, face_Ks)
    return replace(placement, known=torch.tensor([[f.tracked for f in frames]]))
