"""Records to tensors: what the training loop draws its batches from."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Float16, UInt8
from torch import Tensor
from tqdm.auto import tqdm

from lca_core.body import BodyModel, full_pose, head_of, joint_transforms
from lca_core.data import Person, Picture
from lca_core.data.lamps import COUNT, LAMP, lamps_of
from lca_core.model import ImageEncoder, Inputs, Placement
from lca_core.model.crops import over_grey
from lca_core.model.expression import expression_chip
from lca_core.model.rows import to_rows
from lca_core.model.tokens import cached_features
from lca_core.profiles import Profile


@dataclass(frozen=True)
class Example:
    """One person as tensors, F frames.

    *_features: what the frozen encoder says of patches of `patch` pixels, D = 0 without one; *_pixels: sRGB, matte and
    what is hidden, as targets and, cut into patch rows, as photographs; chips: what expression codes are read from;
    has_face, has_hand (left, right): False where a crop is missing (its tensors are zero); cameras as in
    `Camera`; tracked: False where poses are unknown; actions are NaN where unknown; lamps: the light of each frame as
    `data.lamps.lamps_of` gives it, zeros where it is unknown.
    """

    id: str
    betas: Float[Tensor, " S"]
    patch: int
    body_features: Float16[Tensor, "F P D"]
    face_features: Float16[Tensor, "F Q D"]
    body_pixels: UInt8[Tensor, "F H W 5"]
    face_pixels: UInt8[Tensor, "F h w 5"]
    hand_pixels: UInt8[Tensor, "F 2 s s 5"]
    chips: UInt8[Tensor, "F c c"]
    has_face: Bool[Tensor, " F"]
    has_hand: Bool[Tensor, "F 2"]
    tracked: Bool[Tensor, " F"]
    viewmats: Float[Tensor, "F 4 4"]
    body_Ks: Float[Tensor, "F 3 3"]
    face_Ks: Float[Tensor, "F 3 3"]
    hand_Ks: Float[Tensor, "F 2 3 3"]
    theta: Float[Tensor, "F 138"]
    root: Float[Tensor, "F 6"]
    gaze: Float[Tensor, "F 4"]
    actions: Float[Tensor, "F 52"]
    lamps: Float[Tensor, "F M 6"]
    instant: np.ndarray

    @property
    def has_body(self) -> Bool[Tensor, " F"]:
        """True: every frame has a full-body picture."""
        return torch.ones_like(self.has_face)

    @property
    def body_rows(self) -> Float16[Tensor, "F P C"]:
        """Patch rows of every full-body picture."""
        return _rows(self.body_features, self.body_pixels, self.patch)

    @property
    def face_rows(self) -> Float16[Tensor, "F Q C"]:
        """Patch rows of every face crop, zeros where there is none."""
        return _rows(self.face_features, self.face_pixels, self.patch)

    @property
    def nbytes(self) -> int:
        """Memory that the tensors take."""
        values = (getattr(self, field.name) for field in fields(self))
        return sum(value.nbytes for value in values if isinstance(value, Tensor))

    def inputs(self, chosen: list[int], placed: bool = True) -> Inputs:
        """The encoder's inputs (B = 1) from the frames of these numbers; placed: whether their poses are told."""
        has_face = self.has_face[chosen]
        seen = torch.stack([torch.ones_like(has_face), has_face], -1)
        names = ("theta", "root", "gaze", "viewmats", "body_Ks", "face_Ks")
        placement = Placement.of(*(getattr(self, name)[chosen] for name in names))
        placement = replace(placement, known=(self.tracked[chosen] & bool(placed))[None])
        kinds = ((self.body_features, self.body_pixels), (self.face_features, self.face_pixels))
        rows = [_rows(features[chosen], pixels[chosen], self.patch).float()[None] for features, pixels in kinds]
        return Inputs(*rows, seen[None], self.betas[None], placement)


def example(person: Person, encoder: ImageEncoder, profile: Profile, body: BodyModel) -> Example:
    """Turn a record into tensors; frozen features come from the cache where they were made before."""
    face_px = profile.face_px
    frames = person.frames
    faces = [f.face for f in frames if f.face is not None]
    body_features = cached_features([f.body for f in frames], encoder)
    has_face = torch.tensor([f.face is not None for f in frames])
    face_features = body_features.new_zeros(len(frames), (face_px // encoder.patch) ** 2, encoder.dim)
    face_pixels = torch.zeros(len(frames), face_px, face_px, 5, dtype=torch.uint8)
    face_Ks = torch.eye(3).repeat(len(frames), 1, 1)
    if faces:
        face_features[has_face] = cached_features(faces, encoder)
        face_pixels[has_face] = torch.stack([_pixels(f) for f in faces])
        face_Ks[has_face] = torch.stack([torch.from_numpy(f.camera.K) for f in faces])

    def stacked(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(f, name) for f in frames]))

    hand_pixels = torch.zeros(len(frames), 2, profile.hand_px, profile.hand_px, 5, dtype=torch.uint8)
    hand_Ks = torch.eye(3).repeat(len(frames), 2, 1, 1)
    for i, frame in enumerate(frames):
        for side, hand in enumerate(frame.hands):
            if hand is not None:
                hand_pixels[i, side], hand_Ks[i, side] = _pixels(hand), torch.from_numpy(hand.camera.K)
    unknown, dark = np.full(52, np.nan, np.float32), torch.zeros(COUNT, LAMP)
    return Example(
        id=person.id, betas=torch.from_numpy(person.betas), patch=encoder.patch,
        body_features=body_features, face_features=face_features,
        body_pixels=torch.stack([_pixels(f.body) for f in frames]), face_pixels=face_pixels, has_face=has_face,
        hand_pixels=hand_pixels, has_hand=torch.tensor([[hand is not None for hand in f.hands] for f in frames]),
        chips=_chips(person, body, profile.chip_px), hand_Ks=hand_Ks,
        viewmats=torch.stack([torch.from_numpy(f.body.camera.viewmat) for f in frames]),
        body_Ks=torch.stack([torch.from_numpy(f.body.camera.K) for f in frames]), face_Ks=face_Ks,
        theta=stacked("theta"), root=stacked("root"), gaze=stacked("gaze"),
        actions=torch.from_numpy(np.stack([unknown if f.actions is None else f.actions for f in frames])),
        lamps=torch.stack([dark if f.environment is None else lamps_of(f.environment) for f in frames]),
        instant=np.array([f.instant for f in frames]), tracked=torch.tensor([f.tracked for f in frames]),
    )  # fmt: skip


def examples(
    people: Iterable[Person], encoder: ImageEncoder, profile: Profile, total: int | None = None
) -> list[Example]:
    """All people as tensors in memory, with a progress bar (the frozen encoder runs here)."""
    body = BodyModel.load()
    return [example(p, encoder, profile, body) for p in tqdm(people, total=total, desc="examples", unit="person")]


def _rows(features: Float16[Tensor, "F P D"], pixels: UInt8[Tensor, "F H W 5"], patch: int) -> Float16[Tensor, "F P C"]:
    """As `lca_core.model.patch_rows` makes them of the same pictures."""
    image, matte = pixels[..., :3].float() / 255, pixels[..., 3].float() / 255
    return torch.cat([features, to_rows(over_grey(image, matte)).half()], -1)


def _chips(person: Person, body: BodyModel, px: int) -> UInt8[Tensor, "F px px"]:
    joints = body.rest_joints(torch.from_numpy(person.betas)[None])
    chips = torch.zeros(len(person.frames), px, px, dtype=torch.uint8)
    for i, frame in enumerate(person.frames):
        if frame.face is not None:
            theta, root, gaze = (torch.from_numpy(x)[None] for x in (frame.theta, frame.root, frame.gaze))
            transforms = joint_transforms(joints, full_pose(theta, root, gaze), root[:, 3:], body.parents)[0]
            chips[i] = (255 * expression_chip(frame.face, head_of(joints[0], transforms[0]), px)).round()
    return chips


def _pixels(picture: Picture) -> UInt8[Tensor, "H W 5"]:
    hidden = np.zeros_like(picture.matte) if picture.hidden is None else picture.hidden
    return torch.from_numpy(np.concatenate([picture.image, picture.matte[..., None], hidden[..., None]], -1))
