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


def same_rate(faces: Mapping[int | str, Faces]) -> dict[int | str, list[float]]:
    """Person -> [1.0] where the mean distance to the truth is under dlib's threshold, else [0.0]."""
    return {person: [float(f.distance < SAME_PERSON)] for person, f in faces.items() if len(f.truth)}


def rank1(faces: Mapping[int | str, Faces]) -> dict[int | str, list[float]]:
    """Person -> [1.0] where, of all people, the right one is nearest: mean numbers of the avatar's faces against the
    mean numbers of everybody's true ones."""
    people, apart = _apart(faces)
    return {person: [float(row.argmin() == number)] for number, (person, row) in enumerate(zip(people, apart))}


def accepted(faces: Mapping[int | str, Faces], false_accepts: float = 0.01) -> dict[int | str, list[float]]:
    """Person -> [1.0] where the avatar is nearer to the person than a threshold that this share of all pairs of an
    avatar and somebody else pass (verification: the true-accept rate at that rate of false accepts, by mean numbers).

    ValueError where there are not two people with faces.
    """
    people, apart = _apart(faces)
    if len(people) < 2:
        raise ValueError("accepting the right people needs others who are not to be accepted")
    threshold = np.quantile(apart[~np.eye(len(people), dtype=bool)], false_accepts)
    return {person: [float(own < threshold)] for person, own in zip(people, apart.diagonal())}


def _apart(faces: Mapping[int | str, Faces]) -> tuple[list[int | str], Float[np.ndarray, "P P"]]:
    """(people with faces, distances of each one's avatar, a row, from every one of them)."""
    known = {person: f for person, f in faces.items() if len(f.truth)}
    made, true = (np.stack([getattr(f, name).mean(0) for f in known.values()]) for name in ("avatar", "truth"))
    return list(known), np.linalg.norm(made[:, None] - true, axis=-1)
