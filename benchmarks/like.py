"""How much nearer to the truth a face is that follows a clip of its person: a part of `hands.py`.

An avatar of four photographs of a test person's wild clip is driven into the pictures of their second clip: body, place
and camera as recorded, the face three times - as `drive --like` reads it, at rest, and by the true actions and gaze,
which is what an exact reader would give. Each is judged on the box of the face.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from tqdm.auto import tqdm

from lca_core.curation.networks import face_mesh
from lca_core.data import Frame, Person, pixels, read_people
from lca_core.data.scaling import at_sizes
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.protocols import split_frames
from lca_core.judges.metrics import psnr_fg
from lca_core.making.expressions import faces_in_clip
from lca_core.making.photos import encode_person, gaining_steps
from lca_core.making.steadying import filled
from lca_core.model import LCA, Avatar, ImageEncoder, driving_of, refine, target_driving
from lca_core.people.domains.production import cached_people

PHOTOGRAPHS = 4
DOMAINS = ("wild", "wild2")  # of the photographs, and of the clip
PROFILE = "laptop"  # whose people are judged on
_MESH_PX = 448  # face crops are enlarged to it before landmarks are sought
Values = dict[int, list[float]]  # person -> dB a picture
Face = tuple[Float[np.ndarray, "F 52"], Float[np.ndarray, "F 4"]]  # actions and gaze of pictures


def gains(model: LCA, encoder: ImageEncoder, seeds: Sequence[int], workers: int = 2) -> dict[str, Values]:
    """ "like" and "truth": dB by which faces that were read, and true ones, are nearer than resting faces."""
    first, second = (
        read_people(cached_people(seeds, domain, PROFILE, workers, truth=True)) for domain in DOMAINS
    )  # fmt: skip
    found: dict[str, Values] = {"like": {}, "truth": {}}
    for person, clip in tqdm(zip(first, second), desc="like a clip", total=len(seeds), unit="person"):
        frames = [frame for frame in clip.frames if frame.face is not None]
        read = read_faces(frames)
        if read is None:  # nobody's face can be read: no clip to be like
            continue
        avatar = made_of(model, encoder, person)
        true = np.stack([frame.actions for frame in frames]), np.stack([frame.gaze for frame in frames])
        still = tuple(np.zeros_like(part) for part in true)
        resting = judged(model, avatar, clip, frames, still)
        for name, face in (("like", read), ("truth", true)):
            found[name][person.seed] = list(np.subtract(judged(model, avatar, clip, frames, face), resting))
    return found


def made_of(model: LCA, encoder: ImageEncoder, person: Person) -> Avatar:
    """The avatar of a person's first photographs, as the command `avatar` makes it."""
    small = at_sizes(person, model.profile)
    frames, _ = split_frames(small, PHOTOGRAPHS)
    avatar, steps = encode_person(model, encoder, small, frames), gaining_steps(model, frames)
    return refine(avatar, frames, driving_of(model, frames, person.betas), steps) if steps else avatar


def read_faces(frames: Sequence[Frame]) -> Face | None:
    """(actions, gaze) of a clip's faces, read from their pictures alone; None where no face is found."""
    crops = [Image.fromarray(np.asarray(frame.face.image)).resize((_MESH_PX, _MESH_PX)) for frame in frames]
    meshes = [face_mesh(np.asarray(crop)) for crop in crops]
    seen = np.array([mesh is not None for mesh in meshes])
    if not seen.any():
        return None
    parts = faces_in_clip(np.stack([mesh for mesh in meshes if mesh is not None]))
    rows = [np.zeros((len(frames), part.shape[1]), np.float32) for part in parts]
    for row, part in zip(rows, parts):
        row[seen] = part
    return tuple(filled(row, seen) for row in rows)


@torch.no_grad()
def judged(model: LCA, avatar: Avatar, clip: Person, frames: Sequence[Frame], face: Face) -> list[float]:
    """psnr_fg of the face's box of every frame, the avatar making these faces."""
    values = []
    for frame, actions, gaze in zip(frames, *face):
        driving = replace(
            target_driving(model, frame, clip.betas),
            epsilon=avatar.action_map(torch.from_numpy(actions)[None].float()),
            gaze=torch.from_numpy(gaze)[None].float(),
        )
        posed = avatar.drive(driving).map(lambda t: t[0])
        values.append(float(psnr_fg(draw_like(posed, frame.face)[0], *pixels(frame.face))))
    return values
