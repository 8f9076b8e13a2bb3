"""States on disk: the last two, whole or not at all, by parameter name."""

import resource
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from lca_core import tensor_files
from lca_core.errors import InputError
from lca_core.training.datasets import Identity
from lca_core.training.optimizers import MuonAndAdamW
from lca_core.training.states import STATE, Run, check_same_run, drop_damaged, newest_state, restore, save_state
from tests.training.subjects import tiny_model

PEOPLE = [Identity(f"wild-{n:06d}", f"{n:016x}", "wild-00000.tar") for n in range(20)]
RUN = Run({"lr": 1e-3}, PEOPLE, {"encoder": "pixels"})
FLOAT32 = {"chosen": "float32", "seconds": {}}


def optimizer_of(model, backwards: bool = False) -> MuonAndAdamW:
    """One group each for matrices and the rest; backwards: parameters in another order."""
    groups = []
    for hidden in (True, False):
        named = [(n, p) for n, p in model.named_parameters() if (p.ndim == 2) == hidden]
        names, parameters = zip(*(named[::-1] if backwards else named))
        groups.append({"params": list(parameters), "names": list(names), "lr": 1e-3, "hidden": hidden})
    return MuonAndAdamW(groups)


@pytest.fixture(scope="module")
def trained():
    """(model, optimizer) after a step of gradients that differ from parameter to parameter."""
    model = tiny_model()
    optimizer = optimizer_of(model)
    for i, parameter in enumerate(model.parameters()):
        parameter.grad = torch.full_like(parameter, 0.001 * (i + 1))
    optimizer.step()
    return model, optimizer


def save(folder, trained, step: int, run: Run = RUN) -> None:
    save_state(folder, *trained, np.random.default_rng(step), step, run, FLOAT32)


def test_the_state_of_an_optimizer_goes_by_name_not_by_number(tmp_path, trained):
    save(tmp_path, trained, 1)
    other = tiny_model(seed=5)
    reordered = optimizer_of(other, backwards=True)
    assert restore(newest_state(tmp_path), other, reordered, np.random.default_rng(0)) == 1
    before, after = trained[1].state(), reordered.state()
    assert before.keys() == after.keys() == {name for name, _ in other.named_parameters()}
    for name, state in before.items():
        assert all(torch.equal(value, after[name][key]) for key, value in state.items()), name


def test_two_states_are_kept_and_the_newest_whole_one_is_taken(tmp_path, trained, capsys):
    for step in (1, 2, 3):
        save(tmp_path, trained, step)
    assert {p.name for p in tmp_path.iterdir()} == {"state.safetensors", "state_before.safetensors"}
    assert newest_state(tmp_path).header["step"] == 3 and not capsys.readouterr().err
    (tmp_path / "state.safetensors").write_bytes(b"")
    assert newest_state(tmp_path).header["step"] == 2
    assert "going on from" in capsys.readouterr().err
    (tmp_path / "state.safetensors").unlink()
    assert newest_state(tmp_path).header["step"] == 2
    (tmp_path / "state_before.safetensors").unlink()
    with pytest.raises(InputError, match="no state"):
        newest_state(tmp_path)


@contextmanager
def room_for(bytes_: int):
    """No file may grow larger: writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_states_of_before(tmp_path, trained):
    save(tmp_path, trained, 1)
    save(tmp_path, trained, 2)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with room_for(100_000), pytest.raises(InputError, match="after 3 steps could not be written.*whole"):
        save(tmp_path, trained, 3)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_state_of_an_older_version_is_refused(tmp_path):
    tensor_files.save_tensors(tmp_path / "state.safetensors", "lca_core training state 4", {"a": torch.zeros(1)}, {})
    with pytest.raises(InputError, match=f"{STATE}.*another version.*start anew"):
        newest_state(tmp_path)


@pytest.mark.parametrize(
    "change, told",
    [
        ({"settings": {"lr": 2e-3}}, "lr was 0.001, is 0.002"),
        ({"people": [*PEOPLE[:12], PEOPLE[12]._replace(digest="0"), *PEOPLE[13:]]},
         "person wild-000012 of wild-00000.tar changed"),
        ({"people": PEOPLE[:10]}, "person wild-000010 is missing.*7 more people differ"),
        ({"people": [*PEOPLE, Identity("wild-000020", "0", "wild-00002.tar")]},
         "person wild-000020 of wild-00002.tar is new"),
        ({"people": [PEOPLE[1], PEOPLE[0], *PEOPLE[2:]]}, "order of the people changed"),
        ({"origins": {"encoder": "dinov2-0123"}}, "encoder was 'pixels', is 'dinov2-0123'"),
        ({"origins": {"encoder": "pixels", "init": "abc"}}, "it began without --init"),
        ({"origins": {"encoder": "pixels", "drawing of wild people": "7"}}, "drawing of wild people was None, is '7'"),
    ],
)  # fmt: skip
def test_what_differs_from_the_run_that_was_is_named(tmp_path, trained, change, told):
    save(tmp_path, trained, 1)
    check_same_run(newest_state(tmp_path), RUN)
    with pytest.raises(InputError, match=told):
        check_same_run(newest_state(tmp_path), Run(**(vars(RUN) | change)))


def test_people_may_move_to_other_shards(tmp_path, trained):
    save(tmp_path, trained, 1)
    moved = [person._replace(shard="elsewhere.tar") for person in PEOPLE]
    check_same_run(newest_state(tmp_path), Run(RUN.settings, moved, RUN.origins))


def test_a_damaged_state_never_takes_the_place_of_the_whole_one(tmp_path, trained):
    save(tmp_path, trained, 1)
    save(tmp_path, trained, 2)
    (tmp_path / "state.safetensors").write_bytes(b"cut short")
    whole = (tmp_path / "state_before.safetensors").read_bytes()
    drop_damaged(newest_state(tmp_path))
    save(tmp_path, trained, 3)
    assert newest_state(tmp_path).header["step"] == 3
    assert (tmp_path / "state_before.safetensors").read_bytes() == whole
