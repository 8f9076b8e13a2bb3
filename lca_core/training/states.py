"""Training states: everything a run needs to go on exactly as if it had not stopped, in one safetensors file.

Two are kept, the last and the one before. A state says by content whom it was trained on and what it began from, so
that a run does not go on with anything else.
"""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from lca_core.errors import InputError
from lca_core.model.lca import LCA
from lca_core.paths import atomic_path
from lca_core.tensor_files import load_tensors, save_tensors
from lca_core.training.datasets import Identity
from lca_core.training.optimizers import MuonAndAdamW
from lca_core.training.team import part_like, whole

STATE = "lca_core training state 5"
LAST, BEFORE = "state.safetensors", "state_before.safetensors"
_REMEDY = "a state of another version cannot go on: remove it to start anew"
BEGAN_FROM = {"init": "--init", "inherited": "--inherit-from"}  # origins that are weights: the options they come by
_NAMED = 3  # people a message names


@dataclass(frozen=True)
class Run:
    """What must be the same when a run goes on.

    settings: plain JSON; people: whom it trains on, in order; origins: what else it depends on, by content or by name
    (image encoder, first weights, the code that drew the people).
    """

    settings: dict
    people: Sequence[Identity]
    origins: Mapping[str, str]


@dataclass(frozen=True)
class State:
    """A state that was read whole."""

    path: Path
    header: dict
    tensors: dict[str, Tensor]


def save_state(folder: Path, model: LCA, optimizer: MuonAndAdamW, rng: np.random.Generator, step: int, run: Run,
               precision: dict, average: AveragedModel | None = None, write: bool = True) -> None:  # fmt: skip
    """Write `folder`/state.safetensors; the one that was there becomes state_before.safetensors.

    precision: what the run chose, and the seconds it chose by; average: moving averages of the weights, where they are
    kept; write: whether this process writes the file (where processes share the parameters, all of them call this).
    InputError when it cannot be written, a full disk say: the states that are there stay whole.
    """
    tensors = {f"model.{k}": whole(v) for k, v in model.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for name, state in optimizer.state().items():
        tensors |= {f"optimizer.{name}.{k}": whole(v) for k, v in state.items()}
    tensors["torch_rng"] = torch.get_rng_state()
    tensors["people"] = _packed(run.people)
    header = {
        "step": step, "rng": rng.bit_generator.state, "precision": precision, "settings": run.settings,
        "data": _digest(run.people), "origins": dict(run.origins),
    }  # fmt: skip
    if not write:
        return
    try:
        with atomic_path(folder / LAST) as partial:
            save_tensors(partial, STATE, tensors, header)
            if (folder / LAST).exists():
                os.replace(folder / LAST, folder / BEFORE)
    except (OSError, InputError) as error:
        kept = " and ".join(name for name in (LAST, BEFORE) if (folder / name).exists()) or "no state"
        raise InputError(
            f"the state after {step:,} steps could not be written into {folder} ({error}); {kept} of before is whole: "
            "make room and go on with --resume"
        ) from error


def has_state(folder: Path) -> bool:
    """Whether a run left a state there."""
    return any((folder / name).exists() for name in (LAST, BEFORE))


def newest_state(folder: Path) -> State:
    """The last state that can be read whole; says so where it is not the last one. InputError when there is none."""
    damaged: InputError | None = None
    for name in (LAST, BEFORE):
        path = folder / name
        if path.exists():
            try:
                header, tensors = load_tensors(path, STATE, _REMEDY)
            except InputError as error:
                damaged = damaged or error
                continue
            if damaged:
                print(f"{damaged}\ngoing on from {path}, after {header['step']:,} steps", file=sys.stderr)
            return State(path, header, tensors)
    raise damaged or InputError(f"{folder} holds no state; start without --resume")


def forget_states(folder: Path) -> None:
    """Remove the states that a run left."""
    for name in (LAST, BEFORE):
        (folder / name).unlink(missing_ok=True)


def drop_damaged(state: State) -> None:
    """Where a run goes on from the state before the last: remove the last, which could not be read and would take this
    one's place when the next is saved."""
    if state.path.name == BEFORE:
        (state.path.parent / LAST).unlink(missing_ok=True)


def check_same_run(state: State, run: Run) -> None:
    """InputError that names what differs when a state belongs to another run."""
    before = state.header["settings"]
    differences = [
        f"{k} was {before.get(k)!r}, is {run.settings[k]!r}" for k in run.settings if before.get(k) != run.settings[k]
    ]
    origins = state.header["origins"]
    named = dict.fromkeys([*origins, *run.origins])
    differences += [
        _differs(name, origins.get(name), run.origins.get(name)) for name in named
        if origins.get(name) != run.origins.get(name)
    ]  # fmt: skip
    if state.header["data"] != _digest(run.people):
        differences += _people_that_differ(_unpacked(state.tensors["people"]), run.people)
    if differences:
        raise InputError(
            f"{state.path} belongs to another run ({'; '.join(differences)}); give the same settings, people and "
            "weights, or another --out"
        )


def restore(state: State, model: LCA, optimizer: MuonAndAdamW, rng: np.random.Generator,
            average: AveragedModel | None = None) -> int:  # fmt: skip
    """Put a run back in place; returns the steps done."""
    for prefix, module in (("model.", model), ("average.", average)):
        if module is not None:
            own = module.state_dict()
            found = {k.removeprefix(prefix): v for k, v in state.tensors.items() if k.startswith(prefix)}
            module.load_state_dict({k: part_like(v, own[k]) if k in own else v for k, v in found.items()})
    moments: dict[str, dict] = {}
    parameters = dict(model.named_parameters())
    for key, value in state.tensors.items():
        if key.startswith("optimizer."):
            name, _, kind = key.removeprefix("optimizer.").rpartition(".")
            moments.setdefault(name, {})[kind] = part_like(value, parameters[name])
    optimizer.load(moments)
    rng.bit_generator.state = state.header["rng"]
    torch.set_rng_state(state.tensors["torch_rng"])
    return state.header["step"]


def _differs(name: str, before: str | None, now: str | None) -> str:
    """That an origin of a run is another one, in words: hashes of weights tell nobody anything."""
    if name not in BEGAN_FROM:
        return f"{name} was {before!r}, is {now!r}"
    option = BEGAN_FROM[name]
    if before is None:
        return f"it began without {option}"
    return f"it began from {option}, which is not given" if now is None else f"it began from other weights ({option})"


def _people_that_differ(before: Sequence[Identity], now: Sequence[Identity]) -> list[str]:
    """The first few in words."""
    known, there = ({person.id: person for person in people} for people in (before, now))
    words = [f"person {p.id} is missing" for p in before if p.id not in there]
    words += [f"person {p.id}{_of(p)} is new" for p in now if p.id not in known]
    words += [
        f"person {p.id}{_of(p)} changed" for p in now if p.id in known and known[p.id].digest != p.digest
    ]  # fmt: skip
    words = words or ["the order of the people changed"]
    more = len(words) - _NAMED
    return words[:_NAMED] + ([f"{more:,} more people differ"] if more > 0 else [])


def _of(person: Identity) -> str:
    return f" of {person.shard}" if person.shard else ""


def _digest(people: Sequence[Identity]) -> str:
    """Of whom and in which order, wherever they lie."""
    return hashlib.sha256("".join(f"{p.id} {p.digest}\n" for p in people).encode()).hexdigest()


def _packed(people: Sequence[Identity]) -> Tensor:
    """Text as a tensor: a header is no place for a million people."""
    text = "".join(f"{p.id}\t{p.digest}\t{p.shard}\n" for p in people).encode()
    return torch.from_numpy(np.frombuffer(text, np.uint8).copy())


def _unpacked(text: Tensor) -> list[Identity]:
    return [Identity(*line.split("\t")) for line in text.numpy().tobytes().decode().splitlines()]
