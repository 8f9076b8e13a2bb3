"""The table of experiments is sound, and every row of the ablation lacks what it is named after."""

from dataclasses import fields, replace

import pytest

from lca_core.data import split_of
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import METHODS
from lca_core.evaluation.paper import PAPER
from lca_core.evaluation.records import METRICS
from lca_core.experiments import TABLE, People, chosen
from lca_core.experiments.abilities import ABILITIES, METRIC
from lca_core.experiments.experiment import same_until, sizes_of, weights_begun_from
from lca_core.experiments.table import PLAIN, keeper_of
from lca_core.model import Pixels, rows_length
from lca_core.paths import REPOSITORY
from lca_core.people.domains.sets import sets
from lca_core.profiles import PROFILES, Profile
from lca_core.training import build_model
from lca_core.training.settings import Settings
from lca_core.training.stages import STAGES


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_row_names_what_there_is(row):
    assert row.profile in PROFILES and set(row.sizes) <= {f.name for f in fields(Profile)}
    assert (row.stages or row.begins) and {stage.name for stage in row.stages} <= set(STAGES)
    assert all(set(stage.settings) <= {f.name for f in fields(Settings)} for stage in row.stages)
    assert set(row.metrics) <= {*METRICS} or (row.ability in ABILITIES and row.metrics == (METRIC,))
    assert bool(row.ability) == bool(row.begins) and row.against in {"", *TABLE} and row.against != row.name
    assert not row.begins or weights_begun_from(row).is_file()
    assert len(set(row.seeds)) == len(row.seeds) > 0 and row.what and row.method in METHODS and row.inputs in (1, 4)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_people_trained_on_are_training_people_of_their_own_domain_and_nobody_judged(row):
    people = sets(replace(PROFILES["paper"], wild_people=10_000, studio_people=10_000))
    for domain in row.domains:
        seeds = row.people.seeds(domain)
        assert len(seeds) and {split_of(seed) for seed in seeds} == {"train"}
        if domain in ("wild", "studio"):  # the sets that are published; light and cloth are learned from few
            assert set(seeds) <= set(people[f"lca-{domain}-paper-train"][1])
    assert {split_of(seed) for seed in row.people.judged_seeds} == {row.people.split} <= {"validation", "test"}


def test_rows_that_begin_as_the_same_training_say_so_and_no_stage_is_trained_twice():
    for row in TABLE.values():
        keepers = [keeper_of(row, number) for number in range(len(row.stages))]
        if row.shares:
            other = TABLE[row.shares]
            assert not other.shares and keepers[0] == other.name and set(row.seeds) <= set(other.seeds), row.name
        else:
            assert set(keepers) <= {row.name}
    kept = {keeper_of(row, number): row for row in TABLE.values() for number in range(len(row.stages))}
    for row in TABLE.values():
        for number in range(len(row.stages)):
            twice = [
                other.name for other in TABLE.values()
                if other.profile == row.profile and same_until(row, other, number + 1)
                and keeper_of(other, number) != keeper_of(row, number)
            ]  # fmt: skip
            assert not twice, f"{row.name}'s stage {number} is also {', '.join(twice)}'s"
    assert {"s1/dual", "s1/gamma_065", "table3/all", "table2/multi/lca", "table2/single/template"}.isdisjoint(kept)
    gamma = TABLE["s1/gamma_0"]
    assert [keeper_of(gamma, number) for number in (0, 1)] == ["table1/pre_post", "s1/gamma_0"]


def test_no_two_rows_are_judged_alike():
    ours = ("s1/dual", "s1/gamma_065", "table3/all", "table2/multi/lca")  # other names of table1/pre_post
    judged = [
        (keeper_of(row, len(row.stages) - 1), row.method, row.inputs, row.people.split) for row in TABLE.values()
        if row.name not in ours
    ]  # fmt: skip
    assert len(set(judged)) == len(judged)


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.against], ids=lambda row: row.name)
def test_rows_that_are_compared_cost_the_same_and_are_judged_alike(row):
    other = TABLE[row.against]
    assert (row.steps, row.profile, row.seeds) == (other.steps, other.profile, other.seeds)
    assert row.inputs == other.inputs and not other.against
    assert row.people.judged_seeds == other.people.judged_seeds and set(row.metrics) <= set(other.metrics)


def test_the_four_schemes_of_table_1_have_three_seeds():
    rows = {row.name.split("/")[1]: row for row in chosen(["table1/*"])}
    assert set(rows) == {"pretrain", "posttrain", "mixed", "pre_post"}
    assert all(row.seeds == (0, 1, 2) and row.profile == "study" for row in rows.values())
    assert rows["mixed"].domains == ("wild", "studio") and rows["posttrain"].domains == ("studio",)


def test_the_rows_of_the_papers_tables_are_there():
    """Every cell of the paper's tables but the loose garments', which are no training of this table."""
    for entry in PAPER:
        if entry.table != "S3":
            name, domain, metric = entry.id.rsplit("/", 2)
            assert name in TABLE and metric in TABLE[name].metrics and domain in ("studio", "wild"), entry.id
    assert [row.people.wild for row in chosen(["table3/*"])] == [10, 40, 160]
    assert {row.people.studio for row in chosen(["table3/*"])} == {64}
    assert {(row.people.wild, row.people.studio) for row in chosen(["s2/*"])} == {(16, 6)}
    assert all(row.seeds == (0, 1, 2) for row in chosen(["s1/*"]))
    assert all(row.seeds == (0, 1, 2) for row in chosen(["emergent/relight/*", "emergent/garment/*", "why/same_rate"]))
    seeded = ("table1/", "s1/", "emergent/relight/", "emergent/garment/", "why/same_rate")
    others = (row for row in TABLE.values() if not row.name.startswith(seeded))
    assert all(row.seeds == (0,) for row in others)
    assert [TABLE[f"s1/gamma_{name}"].stages[1].settings for name in ("0", "065", "1")] == [
        {"gamma": 0.0}, {}, {"gamma": 1.0},
    ]  # fmt: skip


def test_methods_of_table_2_differ_in_what_their_names_say():
    multi, single = ({row.name.split("/")[2]: row for row in chosen([f"table2/{n}/*"])} for n in ("multi", "single"))
    assert set(single) - set(multi) == {"lhm", "lhm_aligned"} and set(multi) < set(single)
    assert {row.inputs for row in multi.values()} == {4} and {row.inputs for row in single.values()} == {1}
    for name in ("lhm", "lhm_aligned", "mv_lhm", "mv_lhm_aligned"):
        sizes, stages = sizes_of(single[name]), single[name].stages
        assert not sizes.driven_branch and not sizes.color_reading and sizes.face_shapes and not sizes.face_rank
        assert sizes.pixel_alignment == bool(sizes.gradient_steps) == name.endswith("aligned")
        assert all(stage.settings.get("single") == (None if name.startswith("mv_") else 1.0) for stage in stages)
    for name in ("per_person", "nearest", "template"):
        assert multi[name].method == single[name].method == f"baseline/{name}"


def test_rows_are_chosen_by_profile_name_or_pattern():
    assert {row.profile for row in chosen()} == {"study"} and {row.profile for row in chosen(profile="laptop")} == {
        "laptop"
    }
    assert [row.name for row in chosen(["ablation/plain"])] == ["ablation/plain"]
    with pytest.raises(InputError, match="'table9/x'.*table1/pre_post"):
        chosen(["table1/mixed", "table9/x"])


def test_the_courses_weights_are_of_a_run_that_only_pretrains():
    keeping = [row for row in TABLE.values() if row.keeps]
    assert [row.name for row in keeping] == ["table1/pretrain"]
    assert keeping[0].stages[0].name == "pretrain" and max(keeping[0].keeps) < keeping[0].stages[0].steps


def test_study_reads_the_laptops_people_scaled_down():
    study = PROFILES["study"]
    laptop = PROFILES[study.reads]
    for name in ("wild_frames", "studio_poses", "studio_cameras", "samples_per_pixel"):
        assert getattr(study, name) == getattr(laptop, name), name
    for part in ("coverage", "face_rank", "gradient_steps", "color_reading", "pixel_alignment", "face_shapes"):
        assert getattr(study, part) == getattr(laptop, part), f"{part}: what is studied is what is shipped"
    assert study.face_px / study.chip_px == laptop.face_px / laptop.chip_px
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
    assert full - parts("no_gradient_steps") == {"gradient_steps"}
    assert full - parts("no_face_directions") == {"face_directions"}
    assert full - parts("plain") == aligned | {"color_reading", "face_directions", "gradient_steps"}
    assert full - parts("single_branch") == {"canonical"}
    assert TABLE["ablation/adamw"].stages[0].settings == {"muon": False}


def test_plain_is_without_all_that_is_ours():
    """What a profile says is ours, at its smallest; a new part has to be taken from `PLAIN`, too."""
    source = (REPOSITORY / "lca_core" / "profiles.py").read_text()
    ours = {line.split(":")[0].strip() for line in source.splitlines() if "# ours" in line}
    assert {"pixel_alignment", "color_reading", "face_shapes", "gradient_steps"} <= ours <= set(PLAIN)
    for profile in ("laptop", "study"):
        plain = replace(PROFILES[profile], **PLAIN)
        assert not any(getattr(plain, name) for name in (*ours, "face_rank")) and plain.coverage == "skin"
    assert TABLE["plain"].sizes == TABLE["ablation/plain"].sizes == TABLE["table2/multi/lca_plain"].sizes == PLAIN
