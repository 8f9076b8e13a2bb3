"""Weights, templates and additions to weights, each one safetensors file (see tensor_files); training states are in
`states`.

An addition is what a stage that trains one part alone has made: that part, without all that it left as it was. It goes
with the weights that the stage began from, and with no others.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core import tensor_files
from lca_core.body import Anchors, BodyModel
from lca_core.body.coverage import body_for
from lca_core.errors import InputError
from lca_core.model import LCA, Pixels
from lca_core.model.parts import PARTS
from lca_core.profiles import Profile
from lca_core.tensor_files import load_tensors, save_tensors

MODEL = "lca_core model 6"
TEMPLATE = "lca_core template 4"
ADDITION = "lca_core addition 1"
_REMEDY = "give a .safetensors file made by `train`"


def save_model(path: Path | str, model: LCA, meta: dict, half: bool = False) -> None:
    """The weights alone, as shipped: one safetensors file; in its header the profile, the image encoder that the model
    was trained with, and `meta` (plain JSON).

    half: parameters in half precision, for weights that are kept along the way.
    """
    header = {"profile": asdict(model.profile), "features": model.features, "encoder": model.image_encoder}
    tensors = model.state_dict()
    if half:
        tensors |= {name: parameter.half() for name, parameter in model.named_parameters()}
    save_tensors(path, MODEL, tensors, header | {"meta": meta})


def save_addition(path: Path | str, model: LCA, part: str, begun_from: Path | str, meta: dict) -> None:
    """One part of a model, an optional decoder or a module, in half precision: what a stage that trained it alone made
    of the weights in `begun_from`."""
    prefix = prefix_of(part)
    numbers = {name for name, _ in model.named_parameters()}
    tensors = {
        name: tensor.half() if name in numbers else tensor
        for name, tensor in model.state_dict().items() if name.startswith(prefix)
    }  # fmt: skip
    save_tensors(path, ADDITION, tensors, {"part": part, "of": _digest(begun_from), "meta": meta})


def load_addition(path: Path | str, weights: Path | str) -> tuple[str, dict[str, Tensor]]:
    """(part, tensors by their names in the model) of an addition; InputError when it is none, or was made of other
    weights than these."""
    remedy = f"give one that `train` made of {weights}"
    header, tensors = load_tensors(path, ADDITION, remedy)
    part = header.get("part")
    if not isinstance(part, str) or not tensors or not all(name.startswith(prefix_of(part)) for name in tensors):
        raise InputError(f"{path} is no part of a model; {remedy}")
    if header.get("of") != _digest(weights):
        raise InputError(f"{path} was trained upon other weights than {weights}; {remedy}")
    return part, tensors


def prefix_of(part: str) -> str:
    """How names of a part's tensors begin in the model."""
    return f"parts.{part}." if part in PARTS else f"{part}."


def _digest(path: Path | str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_template(path: Path | str, model: LCA) -> None:
    """The person-independent template alone: raw numbers [G, k, 14] of one profile, and the triangles they are for."""
    tensors = {"raw": model.template.raw, "face": model.anchor_face}
    save_tensors(path, TEMPLATE, tensors, {"profile": model.profile.name})


def load_template(path: Path | str, model: LCA) -> Float[Tensor, "G k 14"]:
    """The raw numbers of a template file; InputError when it is none, or not of the anchors of `model`."""
    remedy = "pretraining writes one"
    _, tensors = load_tensors(path, TEMPLATE, remedy)
    raw = tensors.get("raw")
    if raw is None or raw.shape != model.template.raw.shape:
        raise InputError(f"{path} is no template of profile {model.profile.name!r}; {remedy}")
    face = tensors.get("face")
    if face is None or not torch.equal(face, model.anchor_face.cpu()):
        raise InputError(f"{path} was trained on other anchors than this model's; give the template of its own run")
    return raw


def read_header(path: Path | str) -> dict:
    """Profile, features, encoder (its name, in meta too) and meta of a weights file; InputError when it is none, or of
    another version's sizes."""
    header = tensor_files.read_header(path, MODEL, _REMEDY)
    try:
        meta = header["meta"]
        encoder = header.get("encoder", meta.get("encoder", Pixels.name))  # files of before have it in meta alone
        profile = Profile(**header["profile"])
        meta = meta | {"encoder": encoder}
        return {"profile": profile, "features": header["features"], "encoder": encoder, "meta": meta}
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} holds weights this version cannot read ({error}); {_REMEDY}") from error


def load_model(
    path: Path | str, body: BodyModel | None = None, device: str = "cpu", additions: Sequence[Path | str] = ()
) -> tuple[LCA, dict]:
    """(model, meta) of a weights file, on the anchors the file brings, and of additions to it; InputError when it does
    not fit together."""
    header = read_header(path)
    body = body or body_for(header["profile"].coverage)
    size = (header["profile"].anchors, header["profile"].gaussians_per_anchor)
    tensors = load_tensors(path, MODEL, _REMEDY)[1]
    places = [tensors.get(f"anchor_{name}") for name in ("face", "barycentric", "spacing")]
    if any(place is None or place.shape[:2] != size for place in places):
        raise InputError(f"{path} does not hold the anchors its header speaks of, {size}; {_REMEDY}")
    profile = header["profile"]
    for addition in additions:
        part, added = load_addition(addition, path)
        tensors |= added
        if part in PARTS:
            profile = replace(profile, parts=tuple(dict.fromkeys((*profile.parts, part))))
    try:
        model = LCA(profile, header["features"], body, Anchors.on(body, *places), header["encoder"])
    except (RuntimeError, ValueError, IndexError) as error:
        raise InputError(f"{path} does not fit a model of profile {profile.name!r}: {error}") from error
    _fill(model, tensors, [path, *additions])
    return model.to(device).eval(), header["meta"]


def load_weights(path: Path | str, model: LCA, anew: str = "") -> None:
    """Copy a weights file into `model`, anchors and all; InputError when it is none, or sizes, bodies or image encoders
    differ. anew: an optional decoder that the file need not have: the model's own is then left as it is."""
    trained_with = read_header(path)["encoder"]
    if trained_with != model.image_encoder:
        raise InputError(
            f"{path} was trained with the image encoder {trained_with}, this model reads {model.image_encoder}; give "
            "--encoder as it was then"
        )
    _, tensors = load_tensors(path, MODEL, _REMEDY)
    if anew and not any(name.startswith(prefix_of(anew)) for name in tensors):
        tensors |= {name: t for name, t in model.state_dict().items() if name.startswith(prefix_of(anew))}
    _fill(model, tensors, [path])


def _fill(model: LCA, tensors: dict[str, Tensor], paths: Sequence[Path | str]) -> None:
    try:
        model.load_state_dict(tensors)
    except (RuntimeError, ValueError) as error:
        names = " with ".join(map(str, paths))
        raise InputError(f"{names} does not fit a model of profile {model.profile.name!r}: {error}") from error
