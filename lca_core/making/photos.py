"""From photographs, or a person's records, to an avatar: the main job."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lca_core.curation.photos import Photos, photos_record, see_photos
from lca_core.data import Frame, Person
from lca_core.model import LCA, Avatar, ImageEncoder, driving_of, person_inputs, refine
from lca_core.model.photographs import Photographs
from lca_core.model.refinement import STEPS


def encode_person(
    model: LCA, encoder: ImageEncoder, person: Person, frames: Iterable[Frame], meta: dict | None = None
) -> Avatar:
    """The avatar of a recorded person from some of their frames.

    meta: what it is to say of itself beside their id, shape (betas) and the body that is of (`body.coverage`).
    """
    frames = list(frames)
    inputs = person_inputs(frames, person.betas, encoder, model.profile.face_px).to(model.template.raw.device)
    photographs = None
    if model.gradient_steps is not None:
        photographs = Photographs.of(frames, driving_of(model, frames, person.betas))
    known = {"id": person.id, "betas": [float(beta) for beta in person.betas], "body": model.profile.coverage}
    return Avatar.encode(model, inputs, known | (meta or {}), photographs)


def avatar_from_photos(
    paths: Sequence[Path | str],
    model: LCA,
    encoder: ImageEncoder,
    meta: dict | None = None,
    refine_steps: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Avatar, Person]:
    """Find, cut out and encode the one person in the photographs; InputError as `curation.photos.see_photos`.

    refine_steps: of `model.refine` afterwards (0: none; default: `gaining_steps`); none where no photograph's pose
    could be told. tell: is told what is done now, a few words for each stage.
    """
    tell(f"looking for the person in {_counted(len(paths))} and cutting them out")
    return avatar_of_photos(see_photos(paths), model, encoder, meta, refine_steps, tell)


def avatar_of_photos(
    photos: Photos,
    model: LCA,
    encoder: ImageEncoder,
    meta: dict | None = None,
    refine_steps: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Avatar, Person]:
    """The same of photographs that were looked at before."""
    tell("fitting a body: shape, pose, hands, gaze, camera")
    person = photos_record(photos, model.profile)
    tell("encoding: from pixels to Gaussians, in one pass")
    avatar = encode_person(model, encoder, person, person.frames, {"photos": person.meta["photos"]} | (meta or {}))
    if refine_steps is None:
        refine_steps = gaining_steps(model, person.frames)
    if refine_steps and any(frame.tracked for frame in person.frames):
        tell(f"refining on {_counted(len(person.frames))}, {refine_steps} steps")
        avatar = refine(avatar, person.frames, driving_of(model, person.frames, person.betas), refine_steps)
    return avatar, person


def gaining_steps(model: LCA, frames: Sequence[Frame]) -> int:
    """How many steps of refinement other pictures of the person gain by: `STEPS` from two photographs on, for a model
    that looks at them once. On a single photograph, in the pose that was fitted to it, steps paint what other sides
    contradict (they lose 0.1 to 0.5 dB); a model that looks again by the gradient has taken those that gain."""
    known = sum(frame.tracked for frame in frames)
    return STEPS if known > 1 and model.gradient_steps is None else 0


def _counted(photographs: int) -> str:
    return f"{photographs} photograph{'s' * (photographs > 1)}"
