"""Likeness: does a face recogniser take an avatar for the person it was made of?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from lca_core.data import Person, pixels
from lca_core.evaluation.evaluate import aligned_face, draw_like
from lca_core.evaluation.protocols import Target
from lca_core.judges.face_network import SAME_PERSON, face_embedding
from lca_core.judges.metrics import over_white
from lca_core.model import LCA, Avatar, recorded_head, target_driving


@dataclass(frozen=True)
class Faces:
    """dlib's numbers of one person's faces in the same frames: as taken, and as the avatar shows them, [F, 128]."""

    truth: Float[np.ndarray, "F 128"]
    avatar: Float[np.ndarray, "F 128"]

    @property
    def distance(self) -> float:
        """Mean distance of the avatar's faces from the true ones of the same frames."""
        return float(np.linalg.norm(self.truth - self.avatar, axis=1).mean())


@torch.no_grad()
def faces_of(model: LCA, avatar: Avatar, person: Person, targets: Sequence[Target]) -> Faces:
    """All target frames with a face crop; faces over white, aligned by the recorded eyes."""
    truth, made = [], []
    for frame in (target.frame for target in targets if target.frame.face is not None):
        head, picture = recorded_head(model, frame, person.betas), frame.face
        posed = avatar.drive(target_driving(model, frame, person.betas)).map(lambda t: t[0])
        for found, image in ((truth, over_white(*pixels(picture))), (made, draw_like(posed, picture)[0])):
            found.append(aligned_face(image, picture, head).movedim(-1, 0))
    empty = np.empty((0, 128), np.float32)
    return Faces(*(face_embedding(torch.stack(x)).numpy() if x else empty for x in (truth, made)))


def same_rate(faces: Mapping[str, Faces]) -> dict[str, list[float]]:
    """Person -> [1.0] where the mean distance to the truth is under dlib's threshold, else [0.0]."""
    return {person: [float(f.distance < SAME_PERSON)] for person, f in faces.items() if len(f.truth)}


def rank1(faces: Mapping[str, Faces]) -> dict[str, list[float]]:
    """Person -> [1.0] where, of all people, the right one is nearest: mean numbers of the avatar's faces against the
    mean numbers of everybody's true ones."""
    known = {person: f for person, f in faces.items() if len(f.truth)}
    gallery = np.stack([f.truth.mean(0) for f in known.values()])
    result = {}
    for number, (person, f) in enumerate(known.items()):
        nearest = np.linalg.norm(gallery - f.avatar.mean(0), axis=1).argmin()
        result[person] = [float(nearest == number)]
    return result
