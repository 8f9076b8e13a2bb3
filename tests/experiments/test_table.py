"""The table of experiments is sound, and every row of the ablation lacks what it is named after."""

from dataclasses import fields, replace

import pytest

from lca_core.data import split_of
from lca_core.errors import InputError
from lca_core.evaluation.records import METRICS
from lca_core.experiments import TABLE, People, chosen
from lca_core.experiments.table import sizes_of
from lca_core.model import Pixels, rows_length
from lca_core.people.domains.sets import sets
from lca_core.profiles import PROFILES, Profile
from lca_core.training import build_model
from lca_core.training.settings import Settings
from lca_core.training.stages import STAGES


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_row_names_what_there_is(row):
    assert row.profile in PROFILES and set(row.sizes) <= {f.name for f in fields(Profile)}
    assert row.stages and {stage.name for stage in row.stages} <= set(STAGES)
    assert all(set(stage.settings) <= {f.name for f in fields(Settings)} for stage in row.stages)
    assert set(row.metrics) <= set(METRICS) and row.against in {"", *TABLE} and row.against != row.name
    assert len(set(row.seeds)) == len(row.seeds) > 0 and row.what


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_people_trained_on_are_training_people_of_their_own_domain_and_nobody_judged(row):
    people = sets(replace(PROFILES["paper"], wild_people=10_000, studio_people=10_000))
    for domain in row.domains:
        seeds = row.people.seeds(domain)
        assert len(seeds) and {split_of(seed) for seed in seeds} == {"train"}
        assert set(seeds) <= set(people[f"lca-{domain}-paper-train"][1])
    assert {split_of(seed) for seed in row.people.judged_seeds} == {row.people.split} <= {"validation", "test"}


def test_no_two_rows_are_the_same_training():
    trainings = [(str(row.stages), str(row.sizes), row.people, row.profile) for row in TABLE.values()]
    assert len(set(trainings)) == len(TABLE)


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.against], ids=lambda row: row.name)
def test_rows_that_are_compared_cost_the_same_and_are_judged_alike(row):
    other = TABLE[row.against]
    assert (row.steps, row.profile, row.seeds) == (other.steps, other.profile, other.seeds)
    assert row.people.judged_seeds == other.people.judged_seeds and set(row.metrics) <= set(other.metrics)


def test_the_four_schemes_of_table_1_have_three_seeds():
    rows = {row.name.split("/")[1]: row for row in chosen(["table1/*"])}
    assert set(rows) == {"pretrain", "posttrain", "mixed", "pre_post"}
    assert all(row.seeds == (0, 1, 2) and row.profile == "study" for row in rows.values())
    assert rows["mixed"].domains == ("wild", "studio") and rows["posttrain"].domains == ("studio",)


def test_rows_are_chosen_by_profile_name_or_pattern():
    assert {row.profile for row in chosen()} == {"study"} and {row.profile for row in chosen(profile="laptop")} == {
        "laptop"
    }
    assert [row.name for row in chosen(["ablation/plain"])] == ["ablation/plain"]
    with pytest.raises(InputError, match="'table9/x'.*table1/pre_post"):
        chosen(["table1/mixed", "table9/x"])


def test_study_reads_the_laptops_people_scaled_down():
    study = PROFILES["study"]
    laptop = PROFILES[study.reads]
    for name in ("wild_frames", "studio_poses", "studio_cameras", "samples_per_pixel"):
        assert getattr(study, name) == getattr(laptop, name), name
    fewer = ("body_px", "face_px", "hand_px", "wild_people", "studio_people")
    assert all(getattr(study, name) <= getattr(laptop, name) for name in fewer)


def test_trained_on_is_told_in_words():
    row = replace(TABLE["table1/pre_post"], people=People(16, 8))
    assert row.trained_on == "wild people 0-15, studio people 5000-5007"


def test_every_row_of_the_ablation_lacks_the_part_it_is_named_after():
    def parts(name: str) -> set[str]:
        sizes = replace(sizes_of(TABLE[f"ablation/{name}"]), anchors=32, gaussians_per_anchor=2, dim=24, heads=3)
        model = build_model(sizes, rows_length(Pixels()))
        return {name for name, part in model.named_children() if sum(p.numel() for p in part.parameters())}

    full = parts("full")
    aligned = {"alignment", "second_look", "color_copy"}
    assert full - parts("no_pixel_alignment") == aligned
    assert full - parts("no_color_reading") == {"color_reading"}
    assert full - parts("plain") == aligned | {"color_reading", "face_directions", "gradient_steps"}
    assert PROFILES["laptop"].dual_branch and not sizes_of(TABLE["ablation/single_branch"]).dual_branch
    assert TABLE["ablation/adamw"].stages[0].settings == {"muon": False}
