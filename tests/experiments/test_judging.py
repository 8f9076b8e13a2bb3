"""Rows are judged by their own method and number of photographs, wild people on a second clip."""

from dataclasses import replace

import pytest

from lca_core.data import write_shard
from lca_core.evaluation.protocols import SECOND_TARGETS, split_frames
from lca_core.experiments import TABLE
from lca_core.experiments.people import Shards
from lca_core.experiments.runs import judge
from lca_core.model import Pixels, rows_length
from lca_core.training import build_model
from lca_core.training.checkpoints import save_model, save_template
from tests.body.bodies import free_body
from tests.training.subjects import TINY, painted_person


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(shards of one person in both domains and their second clip, weights, template) of an untrained model."""
    folder, person = tmp_path_factory.mktemp("trained"), painted_person(9000)
    model = build_model(TINY, rows_length(Pixels()), body=free_body())
    save_model(folder / "weights.safetensors", model, {})
    save_template(folder / "template.safetensors", model)

    def shard(domain: str):
        frames = person.frames[::-1] if domain == "wild2" else person.frames
        path = folder / f"{domain}-009000.tar"
        write_shard(path, [replace(person, id=path.stem, domain=domain, frames=frames)])
        return path

    shards = Shards({}, [shard("studio"), shard("wild")], [shard("wild2")])
    return shards, folder / "weights.safetensors", folder / "template.safetensors"


def judged(name: str, trained) -> dict:
    shards, weights, template = trained
    return judge(replace(TABLE[name], profile="smoke", sizes={}), shards, [weights], template)


def test_wild_people_are_judged_on_their_second_clip_and_studio_people_on_their_own(trained):
    scores = judged("table2/multi/lca", trained)
    assert len(scores["wild"]["psnr"][9000]) == SECOND_TARGETS
    assert len(scores["studio"]["psnr"][9000]) == len(split_frames(painted_person(9000))[1])
    assert set(TABLE["table2/multi/lca"].metrics) <= set(scores["wild"])


def test_a_baselines_row_is_judged_by_its_method_with_its_photographs(trained):
    multi, single, template = (
        judged(f"table2/{name}", trained)["wild"]["psnr"][9000]
        for name in ("multi/nearest", "single/nearest", "single/template")
    )
    assert multi != single != template, "more photographs are nearer"
    assert judged("table2/multi/template", trained)["wild"]["psnr"][9000] == template, "it sees none"
