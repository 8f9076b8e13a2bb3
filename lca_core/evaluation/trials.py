"""A set of weights on trial: everything that is measured of one recorded person's avatar, in one walk.

Four photographs make an avatar, as the forward pass leaves it and refined. Both are judged on the other pictures
(`split_frames`): all of each, the pixels that no photograph shows, hair, loose clothes, faces and hands, and by a face
recogniser. In the studio a photograph from the front alone is judged on pictures from behind, and one, two, four and
eight photographs on the same pictures.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool

from lca_core.body import BodyModel
from lca_core.body.coverage import body_for
from lca_core.curation.bodies import facing
from lca_core.data import Frame, Person, pixels
from lca_core.data.scaling import at_sizes
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.likeness import Faces, faces_of
from lca_core.evaluation.protocols import Target, growing_inputs, split_frames
from lca_core.evaluation.regions import region_psnr
from lca_core.evaluation.unseen import unseen_pixels
from lca_core.judges.metrics import MOST_DB, iou, l1_fg, lpips_crop, over_white, psnr, psnr_fg
from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, ImageEncoder, driving_of, refine, target_driving
from lca_core.paths import atomic_path
from lca_core.splats import Gaussians

PHOTOGRAPHS = 4
COUNTS = (1, 2, 4, 8)  # of photographs under the same targets
METHODS = ("release", "refined")
BEHIND = 120  # degrees round the person from which on a camera sees the back
VGG_PICTURES = 4  # of a person that VGG's network looks at, evenly chosen: it takes as long as all the rest
_LEAST = 40  # pixels that no photograph shows, under which a picture says nothing of them
Values = dict[str, list[float]]


@dataclass(frozen=True)
class Trial:
    """values: "<method>/<metric>", "unseen/<method>", "region/<name>", "back/psnr_fg", "inputs/<n>" -> one number a
    picture; faces: method -> dlib's numbers of the avatar's and of the true faces."""

    values: Values
    faces: dict[str, Faces]


def try_person(model: LCA, encoder: ImageEncoder, person: Person, second: Person | None = None) -> Trial:
    """Everything that can be measured of a person recorded with truth.

    second: a second clip, on which people of wild are judged. Pictures are given as the model reads them and judged as
    recorded. InputError where they are smaller than the model's or lack truth.
    """
    small = at_sizes(person, model.profile)
    inputs, recorded = split_frames(small, PHOTOGRAPHS)[0], split_frames(person, PHOTOGRAPHS)[0]
    targets = split_frames(person, PHOTOGRAPHS, second)[1]
    made = encode_person(model, encoder, small, inputs)
    avatars = dict(zip(METHODS, (made, refine(made, inputs, driving_of(model, inputs, person.betas)))))
    unseen = unseen_pixels(_skin(), person.betas, recorded, [target.frame for target in targets])
    slowly = set(np.linspace(0, len(targets) - 1, VGG_PICTURES).round().astype(int).tolist())
    values: Values = {}
    for method, avatar in avatars.items():
        for number, (target, hidden) in enumerate(zip(targets, unseen)):
            posed = _posed(model, avatar, target)
            found = judged(posed, target.frame, vgg=number in slowly)
            _keep(values, {f"{method}/{name}": [value] for name, value in found.items()})
            if hidden.sum() >= _LEAST:
                _keep(values, {f"unseen/{method}": [_psnr_on(posed, target.frame, hidden)]})
            if method == METHODS[0]:
                regions = region_psnr(posed, target.frame)
                _keep(values, {f"region/{name}": numbers for name, numbers in regions.items()})
    faces = {method: faces_of(model, avatar, person, targets) for method, avatar in avatars.items()}
    if person.domain == "studio":
        _keep(values, _from_behind(model, encoder, person, small) | _growing(model, encoder, person, small))
    return Trial(values, faces)


@cache
def _skin() -> BodyModel:
    """The body that pixels are followed by: the same one for every model, whatever its own covers."""
    return body_for("skin")


@torch.no_grad()
def judged(posed: Gaussians, frame: Frame, vgg: bool = True) -> dict[str, float]:
    """What a full-body picture says of posed Gaussians, whole; vgg: by that network too."""
    colors, alpha = draw_like(posed, frame.body)
    truth, matte = pixels(frame.body, colors.device)
    pair = colors, truth, matte
    found = {
        "psnr": psnr(*pair), "psnr_fg": psnr_fg(*pair), "l1_fg": l1_fg(*pair), "iou": iou(alpha, matte),
        "lpips": lpips_crop(*pair),
    }  # fmt: skip
    if vgg:
        found["lpips_vgg"] = lpips_crop(*pair, "vgg")
    return {name: float(value) for name, value in found.items()}


def _posed(model: LCA, avatar: Avatar, target: Target) -> Gaussians:
    return avatar.drive(target_driving(model, target.frame, target.betas)).map(lambda t: t[0])


def _keep(values: Values, found: Values) -> None:
    for name, numbers in found.items():
        values.setdefault(name, []).extend(numbers)


@torch.no_grad()
def _psnr_on(posed: Gaussians, frame: Frame, on: Bool[np.ndarray, "H W"]) -> float:
    """psnr over these pixels, dB, both over white."""
    drawn, truth = draw_like(posed, frame.body)[0], over_white(*pixels(frame.body, posed.means.device))
    error = (drawn - truth).square()[torch.from_numpy(on).to(drawn.device)].mean()
    return float((-10 * error.clamp(min=1e-12).log10()).clamp(max=MOST_DB))


def _from_behind(model: LCA, encoder: ImageEncoder, person: Person, small: Person) -> Values:
    """The photograph of the first pose that is most from the front, judged on all pictures from behind."""
    first = min(frame.instant for frame in person.frames)
    angles = [abs(facing(frame)) for frame in person.frames]
    front = min((i for i, frame in enumerate(person.frames) if frame.instant == first), key=lambda i: angles[i])
    backs = [frame for frame, angle in zip(person.frames, angles) if angle > BEHIND]
    avatar = encode_person(model, encoder, small, [small.frames[front]])
    posed = (_posed(model, avatar, Target(frame, "unseen", person.betas)) for frame in backs)
    return {"back/psnr_fg": [judged_fg(gaussians, frame) for gaussians, frame in zip(posed, backs)]}


def _growing(model: LCA, encoder: ImageEncoder, person: Person, small: Person) -> Values:
    """psnr of the last pose from one, two, four and eight photographs of the poses before."""
    found: Values = {}
    for count in COUNTS:
        avatar = encode_person(model, encoder, small, growing_inputs(small, count)[0])
        for target in growing_inputs(person, count)[1]:
            colors = draw_like(_posed(model, avatar, target), target.frame.body)[0]
            _keep(found, {f"inputs/{count}": [float(psnr(colors, *pixels(target.frame.body, colors.device)))]})
    return found


@torch.no_grad()
def judged_fg(posed: Gaussians, frame: Frame) -> float:
    """psnr_fg of a full-body picture."""
    colors = draw_like(posed, frame.body)[0]
    return float(psnr_fg(colors, *pixels(frame.body, colors.device)))


def kept(path: Path, make: Callable[[], Trial]) -> Trial:
    """The trial in a file, made and written there where it is missing."""
    if path.exists():
        content = json.loads(path.read_text(encoding="utf-8"))
        arrays = {method: Faces(*(np.array(x, np.float32).reshape(-1, 128) for x in pair))
                  for method, pair in content["faces"].items()}  # fmt: skip
        return Trial(content["values"], arrays)
    trial = make()
    faces = {method: (f.truth.tolist(), f.avatar.tolist()) for method, f in trial.faces.items()}
    with atomic_path(path) as partial:
        partial.write_text(json.dumps({"values": trial.values, "faces": faces}), encoding="utf-8")
    return trial
