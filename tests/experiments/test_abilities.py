"""Abilities are judged on the people they are about, with the photographs that the record names."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from lca_core.data import Person, Picture, write_shard
from lca_core.data.light import OLAT, light_named
from lca_core.data.records import Truth
from lca_core.evaluation.drawn_people import HELD_OUT, PHOTOGRAPHS, PLAIN
from lca_core.experiments.abilities import ABILITIES, judge_ability
from lca_core.model import LCA, Pixels, rows_length
from lca_core.model.parts import HANGING, LIGHT
from lca_core.model.raw import OPACITY, SCALE
from lca_core.people.body.parts import PART_IDS
from lca_core.people.domains.recording import environment_of
from lca_core.people.styles.stylise import STYLES
from lca_core.training.checkpoints import save_model
from tests.body.bodies import free_body
from tests.training.subjects import TINY, painted_person

SEED = 10_000


def weights(folder, name: str, parts=(), change=None):
    """A file of a model without holes, whose optional decoders say something."""
    torch.manual_seed(0)
    model = LCA(replace(TINY, parts=parts), rows_length(Pixels()), free_body()).eval()
    with torch.no_grad():
        model.template.raw[..., SCALE] += 0.9
        model.template.raw[..., OPACITY] = 5
        if change is not None:
            change(model)
    save_model(folder / f"{name}.safetensors", model, {})
    return folder / f"{name}.safetensors"


def shard(folder, person: Person, domain: str, frames=None, **meta):
    path = folder / f"{domain}-{person.seed:06d}.tar"
    frames = person.frames if frames is None else frames
    write_shard(path, [replace(person, id=path.stem, domain=domain, frames=tuple(frames), meta=person.meta | meta)])
    return path


def darker(person: Person) -> Person:
    """The same person, photographed in another colour."""

    def dark(picture: Picture | None):
        return picture and replace(picture, image=(picture.image * 0.3).astype(np.uint8))

    return replace(person, frames=tuple(replace(f, body=dark(f.body), face=dark(f.face)) for f in person.frames))


def test_light_is_judged_under_every_light_and_with_the_photographs_that_are_named(tmp_path):
    person = painted_person(SEED, frames=4)
    lights = (OLAT[2], light_named("beach"), OLAT[8], OLAT[8])
    lit = [replace(f, light=x.name, environment=environment_of(x)) for f, x in zip(person.frames, lights)]
    held_out = shard(tmp_path, person, "relit_held_out", [lit[2], lit[3], lit[0], lit[1]], photographs=2)
    shards = {"relit_held_out": [held_out], "studio": [shard(tmp_path, person, "studio")],
              "wild": [shard(tmp_path, darker(person), "wild")]}  # fmt: skip
    change = partial(lambda model: model.parts[LIGHT].shared.weight.normal_(std=0.02))
    found = judge_ability("relight", shards, [weights(tmp_path, "relight", (LIGHT,), change)])
    assert {domain: list(values) for domain, values in found.items()} == {"studio": ["gain"], "wild": ["gain"]}
    studio, wild = (found[domain]["gain"][SEED] for domain in ("studio", "wild"))
    assert len(studio) == len(wild) == 2, "an environment and a lamp"
    assert np.isfinite([*studio, *wild]).all() and studio != wild, "other photographs, another avatar"


def test_cloth_is_judged_where_cloth_is_seen_with_and_without(tmp_path):
    person = painted_person(SEED, frames=4)

    stride = np.zeros(138, np.float32)
    stride[[0, 3]] = -1, 1

    def hung(model):
        model.parts[HANGING].gate.bias.fill_(3.0)
        model.parts[HANGING].say.weight.normal_(std=0.5)

    def in_a_skirt(frame):
        inside = frame.body.matte > 127
        truth = Truth(
            np.where(inside, 2.0, 0).astype(np.float32), np.zeros((*inside.shape, 3), np.float32),
            np.where(inside, PART_IDS["skirt"], 0).astype(np.uint8),
        )  # fmt: skip
        theta = frame.theta + frame.instant * 0.2 * stride  # legs that stand still push no cloth
        return replace(frame, body=replace(frame.body, truth=truth), theta=theta, cloth=True)

    frames = [in_a_skirt(frame) for frame in person.frames]
    shards = {"garment": [shard(tmp_path, person, "garment", frames)],
              "garment_wild": [shard(tmp_path, darker(person), "garment_wild")]}  # fmt: skip
    hanging = weights(tmp_path, "with", (HANGING,), hung)
    found = judge_ability("garment", shards, [hanging])
    studio, wild = (found[domain]["gain"][SEED] for domain in ("studio", "wild"))
    assert len(studio) == len(wild) == 2 and studio != wild
    same = judge_ability("garment", shards, [weights(tmp_path, "new", (HANGING,))])
    assert same["studio"]["gain"][SEED] == same["wild"]["gain"][SEED] == [0.0, 0.0], "nothing over itself"
    assert ABILITIES["garment"].stages == ("hanging",)


def test_drawings_are_judged_by_what_is_kept_of_their_style(tmp_path):
    person = painted_person(SEED, frames=PHOTOGRAPHS + HELD_OUT)
    looks = [
        replace(person if look == PLAIN else darker(person), id=f"drawn-{look}-{SEED:06d}", domain="drawn",
                meta=person.meta | {"style": look})
        for look in (PLAIN, *STYLES)
    ]  # fmt: skip
    write_shard(tmp_path / "drawn.tar", looks)
    found = judge_ability("stylised", {"drawn": [tmp_path / "drawn.tar"]}, [weights(tmp_path, "any")])
    assert set(found) == {"studio"} and 0 < found["studio"]["gain"][SEED][0] <= 1


@pytest.mark.parametrize("name", ABILITIES)
def test_what_a_gain_is_stands_in_a_sentence(name):
    assert (ABILITIES[name].gains.__doc__ or "").startswith("Person -> ")
