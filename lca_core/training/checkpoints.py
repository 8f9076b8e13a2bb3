"""Checkpoints: weights, template, and whole training states, each one safetensors file (see tensor_files)."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from lca_core import tensor_files
from lca_core.body import Anchors, BodyModel
from lca_core.errors import InputError
from lca_core.model.lca import LCA
from lca_core.profiles import Profile
from lca_core.tensor_files import load_tensors, save_tensors
from lca_core.training.optimizers import MuonAndAdamW
from lca_core.training.team import part_like, whole

MODEL = "lca_core model 6"
TEMPLATE = "lca_core template 4"
STATE = "lca_core training state 4"
_REMEDY = "give a .safetensors file made by `train`"


def save_model(path: Path | str, model: LCA, meta: dict) -> None:
    """The weights alone, as shipped: one safetensors file with the profile and `meta` (plain JSON) in its header."""
    header = {"profile": asdict(model.profile), "features": model.features, "meta": meta}
    save_tensors(path, MODEL, model.state_dict(), header)


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
    """Profile, features and meta of a weights file; InputError when it is none, or of another version's sizes."""
    header = tensor_files.read_header(path, MODEL, _REMEDY)
    try:
        return {"profile": Profile(**header["profile"]), "features": header["features"], "meta": header["meta"]}
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} holds weights this version cannot read ({error}); {_REMEDY}") from error


def load_model(path: Path | str, body: BodyModel | None = None, device: str = "cpu") -> tuple[LCA, dict]:
    """(model, meta) of a weights file, on the anchors the file brings; InputError when it does not fit together."""
    header, body = read_header(path), body or BodyModel.load()
    size = (header["profile"].anchors, header["profile"].gaussians_per_anchor)
    face = load_tensors(path, MODEL, _REMEDY)[1].get("anchor_face")
    if face is None or face.shape != size:
        raise InputError(f"{path} does not hold the anchors its header speaks of, {size}; {_REMEDY}")
    nowhere = Anchors.on(body, torch.zeros(size, dtype=torch.int64), torch.zeros(*size, 3), torch.ones(size))
    model = LCA(header["profile"], header["features"], body, nowhere)
    load_weights(path, model)
    return model.to(device).eval(), header["meta"]


def load_weights(path: Path | str, model: LCA) -> None:
    """Copy a weights file into `model`, anchors and all; InputError when it is none, or sizes or bodies differ."""
    _, tensors = load_tensors(path, MODEL, _REMEDY)
    try:
        model.load_state_dict(tensors)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path} does not fit a model of profile {model.profile.name!r}: {error}") from error


def save_state(folder: Path, model: LCA, optimizer: MuonAndAdamW, rng: np.random.Generator, step: int,
               settings: dict, average: AveragedModel | None = None, write: bool = True) -> None:  # fmt: skip
    """Everything a run needs to go on exactly as if it had not stopped, in one file: `folder`/state.safetensors.

    average: moving averages of the weights, where they are kept; write: whether this process writes the file (where
    processes share the parameters, all of them call this).
    """
    tensors = {f"model.{k}": whole(v) for k, v in model.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for i, state in optimizer.state().items():
        tensors |= {f"optimizer.{i}.{k}": whole(v) for k, v in state.items()}
    tensors["torch_rng"] = torch.get_rng_state()
    header = {"step": step, "rng": rng.bit_generator.state, "settings": settings}
    if write:
        save_tensors(folder / "state.safetensors", STATE, tensors, header)


def load_state(folder: Path, model: LCA, optimizer: MuonAndAdamW, rng: np.random.Generator,
               settings: dict, average: AveragedModel | None = None) -> int:  # fmt: skip
    """Restore a run in place; returns the steps done. InputError when the run was made with other settings."""
    path = folder / "state.safetensors"
    header, tensors = load_tensors(path, STATE, "remove it to start anew")
    before = header["settings"]
    changed = [k for k in settings if before.get(k) != settings[k]]
    if changed:
        told = ", ".join(f"{k} was {before.get(k)!r}, is {settings[k]!r}" for k in changed)
        raise InputError(f"{path} belongs to another run ({told}); give the same settings or another --out")
    for prefix, module in (("model.", model), ("average.", average)):
        if module is not None:
            own = module.state_dict()
            found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            module.load_state_dict({k: part_like(v, own[k]) if k in own else v for k, v in found.items()})
    state: dict[int, dict] = {}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, i, key = name.split(".")
            state.setdefault(int(i), {})[key] = part_like(value, parameters[int(i)])
    optimizer.load(state)
    rng.bit_generator.state = header["rng"]
    torch.set_rng_state(tensors["torch_rng"])
    return header["step"]
