"""Examples from shards: the same batches as from memory, however little memory there is."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.data import write_shard
from lca_core.data.streaming import index
from lca_core.model import Pixels, patch_rows
from lca_core.training import Mixed, Settings, Streamed, example, train
from lca_core.training import datasets as module
from lca_core.training.batches import Part, choose_people, draw_batch
from lca_core.training.datasets import InMemory
from lca_core.training.loop import sample
from lca_core.training.team import Team
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_person, tiny_model

COUNT = 5


@pytest.fixture(scope="module")
def persons():
    return [painted_person(seed) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def shards(persons, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    write_shard(folder / "studio-00000.tar", persons[:3])
    write_shard(folder / "studio-00001.tar", persons[3:])
    return folder


@pytest.fixture(scope="module")
def in_memory(persons):
    return [example(person, MeanColour(), TINY, free_body()) for person in persons]


def streamed(shards, memory: int = module.MEMORY) -> Streamed:
    return Streamed(index(shards), MeanColour(), TINY, free_body(), memory)


def assert_same_batch(a, b) -> None:
    for name in ("theta", "chips", "has_face"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name
    for name in ("body", "face", "betas"):
        assert torch.equal(getattr(a.inputs, name), getattr(b.inputs, name)), name
    for kind in ("body", "face", "hand"):
        for name in ("pixels", "Ks", "background", "judged"):
            assert torch.equal(getattr(getattr(a, kind), name), getattr(getattr(b, kind), name)), (kind, name)


def test_batches_are_those_of_examples_in_memory_however_little_is_kept(shards, in_memory):
    small = streamed(shards, memory=int(1.5 * in_memory[0].nbytes))
    rngs = [np.random.default_rng(4) for _ in range(2)]
    for _ in range(4):
        a, b = (draw_batch(people, rng, 2, 2, 2, judged=1) for people, rng in zip((in_memory, small), rngs))
        assert_same_batch(a, b)
        assert small.bytes_kept <= 1.5 * in_memory[0].nbytes
    assert len(small) == COUNT and small[-1].id == in_memory[-1].id


def test_whoever_was_not_used_for_longest_is_let_go(shards, in_memory, monkeypatch):
    loaded = loads(monkeypatch)
    people = streamed(shards, memory=int(2.5 * in_memory[0].nbytes))
    for number in (0, 1, 0, 2, 0, 1):
        assert people[number].id == in_memory[number].id
    assert loaded == ["studio-000000", "studio-000001", "studio-000002", "studio-000001"]


def loads(monkeypatch) -> list[str]:
    """Who is read from now on."""
    read, read_entry = [], module.read_entry
    monkeypatch.setattr(module, "read_entry", lambda entry: read.append(entry.id) or read_entry(entry))
    return read


def test_whom_the_next_batch_needs_is_loaded_before(shards, monkeypatch):
    loaded = loads(monkeypatch)
    people, rng, team = streamed(shards), np.random.default_rng(1), Team(Part(), torch.device("cpu"))
    settings = Settings("pretrain", 1, 1e-3, lpips_weight=0, precision="float32")
    model = tiny_model()
    sample(people, model, settings, rng, team)
    state = rng.bit_generator.state
    coming = {f"studio-{n:06d}" for n in choose_people(rng, people.groups, TINY.batch_people)}
    rng.bit_generator.state = state
    people[people_number := int(sorted(coming)[0][-1])]  # waits for the one thread
    before = list(loaded)
    sample(people, model, settings, rng, team)
    drawn = set(loaded) - set(before)
    assert people_number in range(COUNT) and coming <= set(loaded)
    following = {f"studio-{n:06d}" for n in choose_people(rng, people.groups, TINY.batch_people)}
    assert drawn <= coming | following
    people._loader.shutdown()  # what it is still loading would be told to the next test


def test_a_process_loads_its_own_people_only(shards, in_memory, monkeypatch):
    loaded = loads(monkeypatch)
    part = Part(1, 2)
    batch = draw_batch(streamed(shards), np.random.default_rng(3), 4, 2, 2, part=part)
    assert_same_batch(batch, draw_batch(in_memory, np.random.default_rng(3), 4, 2, 2, part=part))
    chosen = choose_people(np.random.default_rng(3), [COUNT], 4)
    assert loaded == [f"studio-{number:06d}" for number in chosen[1::2]]


def test_mixed_people_have_equal_shares_of_every_batch(in_memory):
    mixed = Mixed([InMemory(in_memory[:1]), InMemory(in_memory[1:])])
    assert mixed.groups == (1, COUNT - 1) and len(mixed) == COUNT
    for seed in range(8):
        chosen = choose_people(np.random.default_rng(seed), mixed.groups, 4)
        assert chosen[:2] == [0, 0] and len(set(chosen[2:])) == 2 and 0 not in chosen[2:]
    assert [mixed[n].id for n in range(COUNT)] == [p.id for p in in_memory]
    batch = draw_batch(mixed, np.random.default_rng(0), 2, 2, 2)
    assert torch.equal(batch.inputs.betas[0], in_memory[0].betas)


def test_a_group_alone_is_drawn_as_people_always_were():
    rngs = [np.random.default_rng(9) for _ in range(2)]
    assert choose_people(rngs[0], [100], 4) == rngs[1].choice(100, size=4, replace=False).tolist()


def test_training_on_a_stream_is_training_on_what_it_holds(shards, in_memory, tmp_path):
    settings = Settings("posttrain", 2, 1e-3, warmup=1, lpips_weight=0.0, precision="float32")
    a = train(tiny_model(), in_memory, settings, tmp_path / "a")
    b = train(tiny_model(), streamed(shards, memory=1), settings, tmp_path / "b")
    for name, tensor in a.state_dict().items():
        assert torch.equal(b.state_dict()[name], tensor), name


@pytest.mark.parametrize("encoder", [Pixels(), MeanColour()], ids=["pixels", "frozen features"])
def test_rows_are_those_that_evaluation_makes_of_the_same_pictures(persons, encoder):
    made, frames = example(persons[0], encoder, TINY, free_body()), persons[0].frames
    assert torch.equal(made.body_rows, patch_rows([f.body for f in frames], encoder))
    assert torch.equal(made.face_rows[1:], patch_rows([f.face for f in frames[1:]], encoder))
    assert not made.face_rows[0].any()
    assert torch.equal(made.inputs([2, 3]).body[0], made.body_rows[2:4].float())
    assert made.nbytes < 1.2 * sum(getattr(made, f"{kind}_pixels").nbytes for kind in ("body", "face", "hand")) + 20_000


def test_people_are_told_apart_by_content(in_memory):
    changed = replace(in_memory[0], body_pixels=in_memory[0].body_pixels ^ 1)
    (a,), (b,), (c,) = (InMemory([p]).identities() for p in (in_memory[0], changed, replace(in_memory[0])))
    assert a == c and a.id == b.id and a.digest != b.digest
