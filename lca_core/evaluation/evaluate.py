"""Evaluation of people with a model and with the baselines.

Whatever is judged, the protocol is the same: the input pictures of `split_frames` go in, the others are drawn from
their own camera and driving signal and compared with the truth. epsilon comes from the target's own face crop
(the brightness of the inner face), pose and gaze from the record.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from lca_core.body import Head
from lca_core.data import Frame, Person, Picture, camera_tensors, hidden_of, pixels
from lca_core.data.scaling import at_sizes
from lca_core.evaluation.baselines.nearest import copied
from lca_core.evaluation.baselines.per_person import fit_person
from lca_core.evaluation.baselines.template import template_avatar
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.protocols import Target, split_frames
from lca_core.evaluation.records import Record, provenance, record_of
from lca_core.evaluation.views import joints_of
from lca_core.judges.identity import identity_distance
from lca_core.judges.metrics import iou, l1_fg, lpips_crop, over_white, psnr, psnr_fg, ssim
from lca_core.judges.summaries import summarise
from lca_core.making.photos import encode_person
from lca_core.model import LCA, ImageEncoder, driving_of, refine, target_driving
from lca_core.splats import Gaussians, draw, skin
from lca_core.training.face_chip import face_chip

METHODS = ("release", "refined", "baseline/template", "baseline/per_person", "baseline/nearest")
Values = dict[str, dict[str, dict[int | str, list[float]]]]  # method -> metric -> person -> one number a picture


@torch.no_grad()
def draw_like(gaussians: Gaussians, picture: Picture) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W"]]:
    """(colours over white, alpha) of Gaussians [N] seen by a picture's camera; nothing where the picture hides."""
    camera, device = picture.camera, gaussians.means.device
    viewmat, K = (x[None] for x in camera_tensors(camera, device))
    colors, alphas = draw(gaussians, viewmat, K, camera.width, camera.height, torch.ones(3, device=device))
    shown = 1 - hidden_of(picture, device)
    return 1 - shown[..., None] * (1 - colors[0].clamp(0, 1)), shown * alphas[0, ..., 0]


def aligned_face(image: Float[Tensor, "H W 3"], picture: Picture, head: Head) -> Float[Tensor, "150 150 3"]:
    """The aligned face of an image that a picture's camera took."""
    return face_chip(image, *camera_tensors(picture.camera, image.device), *head)


def judged(colors: Float[Tensor, "H W 3"], alpha: Float[Tensor, "H W"], picture: Picture) -> dict[str, float]:
    """All metrics of a drawing over white against the picture it is of.

    psnr_masked is what LHM++ (arXiv 2506.13766) prints: the drawing is cut out with the truth's matte first, so that
    nothing it draws beside the person is counted. It flatters, and stands here to be set beside their numbers.
    """
    truth, matte = pixels(picture, colors.device)
    result = {
        "psnr": psnr(colors, truth, matte), "psnr_fg": psnr_fg(colors, truth, matte),
        "psnr_masked": psnr(over_white(colors, matte), truth, matte), "ssim": ssim(colors, truth, matte),
        "l1_fg": l1_fg(colors, truth, matte), "lpips": lpips_crop(colors, truth, matte), "iou": iou(alpha, matte),
    }  # fmt: skip
    return {name: float(value) for name, value in result.items()}


def compare(posed: Gaussians, frame: Frame, head: Head) -> dict[str, float]:
    """All metrics of posed Gaussians against one recorded frame; identity only where there is a face crop."""
    result = judged(*draw_like(posed, frame.body), frame.body)
    if frame.face is not None:
        face, _ = draw_like(posed, frame.face)
        truth = over_white(*pixels(frame.face, posed.means.device))
        faces = (aligned_face(x, frame.face, head) for x in (face, truth))
        result["identity_distance"] = float(identity_distance(*faces))
    return result


def frames_for(
    model: LCA, person: Person, n_inputs: int = 4, second: Person | None = None
) -> tuple[tuple[Frame, ...], tuple[Target, ...]]:
    """`split_frames`, the inputs scaled down to what the model reads; targets stay as they are, so that models of any
    size are judged alike. InputError where pictures are smaller than the model's."""
    targets = split_frames(person, n_inputs, second)[1]
    return split_frames(at_sizes(person, model.profile), n_inputs)[0], targets


def evaluate_people(
    people: Iterable[Person],
    model: LCA,
    encoder: ImageEncoder,
    template: Float[Tensor, "G k 14"] | None = None,
    n_inputs: int = 4,
    total: int | None = None,
    seconds: Mapping[int, Person] | None = None,
    methods: Sequence[str] = (),
) -> dict[str, Values]:
    """domain -> method -> metric -> person -> values.

    methods: which of `METHODS` are judged (default: all where a template is given, else "release" alone); those called
    baseline/ take the template. seconds: second clips by seed, on which who has one is judged. Photographs and targets
    are those of `frames_for`.
    """
    methods = methods or (METHODS if template is not None else ("release",))
    result: dict[str, Values] = {}
    for person in tqdm(people, desc="evaluate", total=total, unit="person"):
        key = person.id if person.seed is None else person.seed
        inputs, targets = frames_for(model, person, n_inputs, (seconds or {}).get(person.seed))
        made = methods_made(model, encoder, person, inputs, template, methods)
        for method, score in made.items():
            values = result.setdefault(person.domain, {}).setdefault(method, {})
            for target in targets:
                for metric, value in score(target).items():
                    values.setdefault(metric, {}).setdefault(key, []).append(value)
    return result


def methods_made(
    model: LCA,
    encoder: ImageEncoder,
    person: Person,
    inputs: Sequence[Frame],
    template: Float[Tensor, "G k 14"] | None,
    methods: Sequence[str],
) -> dict[str, Callable[[Target], dict[str, float]]]:
    """What these methods make of a person's photographs, each as a judge of it: target -> metrics."""
    rig = model.rig(torch.from_numpy(person.betas)[None].to(model.template.raw.device)).person(0)

    def by(pose: Callable) -> Callable[[Target], dict[str, float]]:
        def score(target: Target) -> dict[str, float]:
            driving = target_driving(model, target.frame, target.betas)
            return compare(pose(driving), target.frame, rig.heads(rig.transforms(driving)[0]))

        return score

    made = {}
    if {"release", "refined"} & set(methods):
        avatar = encode_person(model, encoder, person, inputs)
        made["release"] = by(lambda driving: avatar.drive(driving).map(lambda t: t[0]))
    if "refined" in methods:
        better = refine(avatar, inputs, driving_of(model, inputs, person.betas))
        made["refined"] = by(lambda driving: better.drive(driving).map(lambda t: t[0]))
    if {"baseline/template", "baseline/per_person"} & set(methods):
        mean = template_avatar(model, template, person)
        made["baseline/template"] = by(lambda driving: mean.drive(driving).map(lambda t: t[0]))
    if "baseline/per_person" in methods:
        own = fit_person(mean, inputs)
        made["baseline/per_person"] = by(lambda driving: skin(own, mean.weights, mean.transforms(driving)[0]))
    if "baseline/nearest" in methods:
        shown = [(frame, joints_of(model, frame, person.betas)) for frame in inputs if frame.tracked]

        def nearest(target: Target) -> dict[str, float]:
            return judged(
                *copied(shown, (target.frame, joints_of(model, target.frame, target.betas))), target.frame.body
            )

        made["baseline/nearest"] = nearest
    return {method: made[method] for method in methods}


def to_records(
    results: dict[str, Values],
    checkpoint: Path,
    profile: str,
    command: str,
    n_inputs: int = 4,
    template: Path | None = None,
    manifest: Path | None = None,
    second: str = "",
) -> list[Record]:
    """Result records of an evaluation: <method>/<domain>/<metric>.

    template: the file of the mean template, which the baselines start from; manifest: of the people evaluated, where
    there is one; second: the domain of the second clips that they were judged on, if they were. Digital humans are
    named by how they are drawn.
    """
    records = []
    files = {"checkpoint": checkpoint} | ({"manifest": manifest} if manifest else {})
    for domain, methods in results.items():
        for method, metrics in methods.items():
            for metric, values in metrics.items():
                if method.startswith("baseline/") and metric not in ("psnr", "psnr_fg", "lpips"):
                    continue
                made_with = files | ({"template": template} if template and method.startswith("baseline/") else {})
                seeds = sorted(values, key=str)
                digital = all(isinstance(seed, int) for seed in seeds)
                more = {"drawn": drawn([domain, second] if second else [domain], profile)} if digital else {}
                source = provenance(command, made_with, seeds, **more)
                summary = summarise(values, np.random.default_rng(0))
                records.append(
                    record_of(
                        f"{method}/{domain}/{metric}", summary, profile, protocol_of(metric, n_inputs, second), source
                    )
                )
    return records


def protocol_of(metric: str, n_inputs: int, second: str = "") -> dict:
    """How a number was made, for the record; second: the domain of second clips."""
    frame = "whole frame, both over white"
    mask = {"psnr": frame, "psnr_masked": "both over white under the truth's matte, as LHM++",
            "ssim": frame, "psnr_fg": "truth's foreground", "l1_fg": "truth's foreground",
            "lpips": "square crop round the truth's foreground, over white", "iou": "alpha and matte over 0.5",
            "identity_distance": "face over white, aligned by the recorded eyes, 150 px"}  # fmt: skip
    protocol = {
        "inputs": n_inputs, "mask": mask[metric],
        "views": f"of another clip ({second})" if second else "unseen; poses seen and unseen",
        "pose_source": "record (wild with a tracker's errors, others exact); epsilon from the target's face crop",
        "aggregation": "mean over pictures, then over people; 95% bootstrap over people",
    }  # fmt: skip
    if metric == "ssim":
        protocol["window"] = "Gaussian, sigma 1.5 px"
    if metric == "lpips":
        protocol["network"] = "Alex v0.1"
    if metric == "identity_distance":
        protocol["network"] = "dlib ResNet, 128 numbers"
    return protocol
