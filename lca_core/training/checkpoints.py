"""Checkpoints: model and optimiser in safetensors, counters and random states as JSON beside them; all atomic."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lca_core.body import BodyModel
from lca_core.errors import InputError
from lca_core.model.lca import LCA
from lca_core.paths import atomic_path
from lca_core.profiles import Profile

FORMAT = "lca_core model 1"
TEMPLATE_FORMAT = "lca_core template 1"


def save_model(path: Path | str, model: LCA, meta: dict) -> None:
    """The weights alone, as shipped: one safetensors file with the profile and `meta` in its header."""
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in model.state_dict().items()}
    header = {"format": FORMAT, "profile": json.dumps(asdict(model.profile)), "features": str(model.features),
              "meta": json.dumps(meta)}  # fmt: skip
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata=header)


def save_template(path: Path | str, model: LCA) -> None:
    """The person-independent template alone: raw numbers [G, k, 14] of one profile."""
    with atomic_path(path) as partial:
        header = {"format": TEMPLATE_FORMAT, "profile": model.profile.name}
        save_file({"raw": model.template.raw.detach().cpu().contiguous()}, partial, metadata=header)


def load_template(path: Path | str, model: LCA) -> Float[Tensor, "G k 14"]:
    """The raw numbers of a template file; InputError when it is none, or of another size than `model`."""
    try:
        with safe_open(path, framework="pt") as file:
            header, raw = file.metadata() or {}, file.get_tensor("raw")
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read as a template ({error}); pretraining writes one") from error
    if header.get("format") != TEMPLATE_FORMAT or raw.shape != model.template.raw.shape:
        raise InputError(f"{path} is no template of profile {model.profile.name!r}; pretraining writes one")
    return raw


def read_header(path: Path | str) -> dict:
    """Profile, features and meta of a weights file; InputError when it is none."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} cannot be read as weights ({error}); give a .safetensors file made by `train`"
        ) from error
    if header.get("format") != FORMAT:
        raise InputError(f"{path} holds no weights of this library ({FORMAT}); give a file made by `train`")
    return {"profile": Profile(**json.loads(header["profile"])), "features": int(header["features"]),
            "meta": json.loads(header["meta"])}  # fmt: skip


def load_model(path: Path | str, body: BodyModel | None = None, device: str = "cpu") -> tuple[LCA, dict]:
    """(model, meta) of a weights file."""
    header = read_header(path)
    model = LCA(header["profile"], header["features"], body or BodyModel.load())
    load_weights(path, model)
    return model.to(device).eval(), header["meta"]


def load_weights(path: Path | str, model: LCA) -> None:
    """Copy a weights file into `model`; InputError when sizes differ."""
    with safe_open(path, framework="pt") as file:
        tensors = {k: file.get_tensor(k) for k in file.keys()}
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(f"{path} does not fit a model of profile {model.profile.name!r}: {error}") from error


def save_state(folder: Path, model: LCA, optimizer: torch.optim.Optimizer, rng: np.random.Generator, step: int,
               settings: dict) -> None:  # fmt: skip
    """Everything a run needs to go on exactly as if it had not stopped, in one file: `folder`/state.safetensors."""
    tensors = {f"model.{k}": v.detach().cpu().contiguous().clone() for k, v in model.state_dict().items()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{k}": torch.as_tensor(v).detach().cpu().clone() for k, v in state.items()}
    tensors["torch_rng"] = torch.get_rng_state()
    header = {"step": str(step), "rng": json.dumps(rng.bit_generator.state), "settings": json.dumps(settings)}
    with atomic_path(folder / "state.safetensors") as partial:
        save_file(tensors, partial, metadata=header)


def load_state(folder: Path, model: LCA, optimizer: torch.optim.Optimizer, rng: np.random.Generator,
               settings: dict) -> int:  # fmt: skip
    """Restore a run in place; returns the steps done. InputError when the run was made with other settings."""
    path = folder / "state.safetensors"
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
        tensors = {k: file.get_tensor(k) for k in file.keys()}
    before = json.loads(header["settings"])
    changed = [k for k in settings if before.get(k) != settings[k]]
    if changed:
        told = ", ".join(f"{k} was {before.get(k)!r}, is {settings[k]!r}" for k in changed)
        raise InputError(f"{path} belongs to another run ({told}); give the same settings or another --out")
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    state: dict[int, dict] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, i, key = name.split(".")
            state.setdefault(int(i), {})[key] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    rng.bit_generator.state = json.loads(header["rng"])
    torch.set_rng_state(tensors["torch_rng"])
    return int(header["step"])
