"""The one table of experiments: what is trained, on whom, how long, and what differs from the rest.

Ids are the paper's tables: `table1` training schemes, `table2` other methods, `table3` how many people, `s1` one branch
or two and layer-wise decay, `s2` a tenth of the people; `emergent` what pretraining is worth to abilities that nobody
trained for; `why` what was tried where a claim failed; then `ablation`, what each part of ours is worth, and `plain`
beside `ours_2000`, the paper's plain model beside ours at the laptop's sizes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from lca_core.errors import InputError
from lca_core.experiments.abilities import ABILITIES, METRIC
from lca_core.experiments.experiment import Experiment, People, Stage, same_until
from lca_core.profiles import PROFILES

_STUDY = PROFILES["study"]
_PEOPLE = People(_STUDY.wild_people, _STUDY.studio_people)
_PRE, _POST = _STUDY.pretrain_steps, _STUDY.posttrain_steps
_SEEDS = (0, 1, 2)
_KEPT = (0, 30, 100, 300)  # steps of pretraining that the course shows
_OURS = "table1/pre_post"

# A network from random weights takes the rate of pretraining, and no decay.
_FRESH = {"lr": 9e-4, "gamma": 1.0}


def _both(settings: Mapping[str, object] | None = None, later: Mapping[str, object] | None = None) -> tuple[Stage, ...]:
    """Pretraining, then post-training; later: what differs in the second alone."""
    settings = settings or {}
    return Stage("pretrain", _PRE, settings), Stage("posttrain", _POST, {**settings, **(later or {})})


def _schemes(table: str, people: People, seeds: tuple[int, ...]) -> tuple[Experiment, ...]:
    """Which people in which order, for as many steps."""
    ours = f"{table}/pre_post"
    return tuple(
        Experiment(
            f"{table}/{name}",
            what,
            stages,
            people,
            seeds=seeds,
            against="" if name == "pre_post" else ours,
            keeps=_KEPT if ours == _OURS and name == "pretrain" else (),
        )  # fmt: skip
        for name, what, stages in (
            ("pretrain", "wild people alone", (Stage("pretrain", _PRE + _POST),)),
            ("posttrain", "studio people alone, from random weights", (Stage("posttrain", _PRE + _POST, _FRESH),)),
            ("mixed", "wild and studio people together", (Stage("mixed", _PRE + _POST),)),
            ("pre_post", "wild people, then studio people", _both()),
        )
    )


_TABLE_1 = _schemes("table1", _PEOPLE, _SEEDS)
_TENTH = People(_PEOPLE.wild // 10, _PEOPLE.studio // 10)
_TABLE_S2 = _schemes("s2", _TENTH, (0,))
_PRE_POST = _TABLE_1[-1]

_TABLE_3 = tuple(
    replace(
        _PRE_POST, name=f"table3/{name}", what=f"{count} wild people, then studio people", seeds=(0,),
        people=People(count, _PEOPLE.studio), shares=_OURS if count == _PEOPLE.wild else "",
        against="" if count == _PEOPLE.wild else "table3/all",
    )
    for name, count in (("sixteenth", _PEOPLE.wild // 16), ("quarter", _PEOPLE.wild // 4), ("all", _PEOPLE.wild))
)  # fmt: skip

_TABLE_S1 = tuple(
    replace(
        _PRE_POST, name=f"s1/{name}", what=what, stages=_both(later=later), sizes=sizes, against=against,
        shares="" if sizes else _OURS,
    )
    for name, what, later, sizes, against in (
        ("dual", "a canonical and a driven branch, gamma 0.65", {}, {}, ""),
        ("single_branch", "one branch for all numbers", {}, {"dual_branch": False}, "s1/dual"),
        ("gamma_065", "layer-wise decay by 0.65", {}, {}, ""),
        ("gamma_0", "post-training of the decoders and the last layer alone", {"gamma": 0.0}, {}, "s1/gamma_065"),
        ("gamma_1", "no decay", {"gamma": 1.0}, {}, "s1/gamma_065"),
    )
)  # fmt: skip

# Table 2. The paper's plain model: without all that is ours. LHM (arXiv 2503.10625) as far as its paper tells how it
# differs: one canonical branch, moved by the body (skinning, and blendshapes for the face) and by nothing else; shown
# one photograph, or, trained by us on several, MV-LHM. Its pyramid of head features and the shrinkage of head tokens
# are not here: our tokens come from body picture and face crop alike for all rows. "Aligned" rows are given what of
# ours any method could be given: pixel alignment, and looking again by the gradient.
PLAIN = {
    "pixel_alignment": False, "color_reading": False, "face_shapes": False, "face_rank": 0, "gradient_steps": 0,
    "counterparts": False, "coverage": "skin",
}  # fmt: skip
_LHM = PLAIN | {"face_shapes": True, "driven_branch": False}
_LHM_ALIGNED = _LHM | {"pixel_alignment": True, "counterparts": True, "gradient_steps": _STUDY.gradient_steps}
_ONE = {"single": 1.0}  # every batch shows one photograph of each person

_MODELS = {
    "lca": ("ours", {}, {}),
    "lca_plain": ("the paper's model without our additions", PLAIN, {}),
    "lhm": ("as LHM: canonical alone, moved by the body; trained on one photograph", _LHM, _ONE),
    "lhm_aligned": ("as lhm, with pixel alignment and looking again", _LHM_ALIGNED, _ONE),
    "mv_lhm": ("as LHM, trained on several photographs", _LHM, {}),
    "mv_lhm_aligned": ("as mv_lhm, with pixel alignment and looking again", _LHM_ALIGNED, {}),
}
_METHODS = {
    "per_person": "Gaussians optimised on this person's photographs, from the mean template",
    "nearest": "the photograph taken from the nearest side, moved into place",
    "template": "the mean template in the person's shape",
}
_COUNTS = {"multi": (4, "four photographs"), "single": (1, "one photograph")}


def _table_2() -> tuple[Experiment, ...]:
    rows = {}
    for count, (inputs, shown) in _COUNTS.items():
        for name, (what, sizes, settings) in _MODELS.items():
            if settings == _ONE and count == "multi":
                continue  # it has learned to read one
            first = next((row for row in rows.values() if row.name.endswith(f"/{name}")), None)
            rows[count, name] = Experiment(
                f"table2/{count}/{name}", f"{what}; {shown}", _both(settings), _PEOPLE, sizes=sizes, inputs=inputs,
                shares=_OURS if name == "lca" else first.name if first else "",
                against="" if name == "lca" else f"table2/{count}/lca",
            )  # fmt: skip
        for name, what in _METHODS.items():
            rows[count, name] = replace(
                rows[count, "lca"], name=f"table2/{count}/{name}", what=f"{what}; {shown}",
                against=f"table2/{count}/lca", method=f"baseline/{name}",
            )  # fmt: skip
    return tuple(rows.values())


# Why Table 1's order may not hold. Is post-training too careful for so few steps? The same at the rate of pretraining,
# all layers alike. Or do our additions, which carry colours from the photographs to the body, leave a prior little to
# say? The other schemes with the paper's plain model, beside table2/multi/lca_plain, which goes through both stages.
_WHY = (
    *(
        replace(
            row, name=row.name.replace("table1/", "why/plain_"), what=f"{row.what}; the paper's plain model",
            sizes=PLAIN, seeds=(0,), keeps=(), against="",
        )
        for row in _TABLE_1 if row.against
    ),
    replace(
        _PRE_POST, name="why/same_rate", what="wild people, then studio people at the rate of pretraining, no decay",
        stages=_both(later=_FRESH), shares=_OURS, against=_OURS,
    ),
)  # fmt: skip

# The shortest way from nothing to a record: few people, one seed. For a first look at what `make experiments` does.
_FIRST = Experiment(
    "first/pre_post", "16 wild people, then 6 studio people", _both(), replace(_TENTH, split="validation"),
    shares="s2/pre_post",
)  # fmt: skip

# What each part of the model is worth: short trainings, alike but for one part. At a few hundred steps this shows what
# helps a small budget, not what remains of it after a long one. Choices are made by it: judged on validation people.
_VALIDATION = People(120, 0, split="validation")
_ABLATION = tuple(
    Experiment(
        f"ablation/{name}", what, (Stage("pretrain", 400, settings),), _VALIDATION, "laptop", sizes,
        metrics=("psnr", "psnr_fg", "lpips"), against="" if name == "full" else "ablation/full",
    )
    for name, what, sizes, settings in (
        ("full", "everything", {}, {}),
        ("adamw", "AdamW for all parameters", {}, {"muon": False}),
        ("no_pixel_alignment", "no pixel alignment", {"pixel_alignment": False}, {}),
        ("no_color_reading", "no colour reading", {"color_reading": False}, {}),
        ("no_counterparts", "nothing that stands for what is not seen", {"counterparts": False}, {}),
        ("no_gradient_steps", "no looking again by the gradient", {"gradient_steps": 0}, {}),
        ("no_face_directions", "no learned directions of faces", {"face_rank": 0}, {}),
        ("plain", "none of our additions: the paper's plain model", PLAIN, {}),
        ("single_branch", "one branch for all numbers", {"dual_branch": False}, {}),
    )
)  # fmt: skip

# The paper's plain model beside ours, for as long as a laptop can: 2,000 steps at its sizes.
_LONG = (Stage("pretrain", 1600), Stage("posttrain", 400))
_LAPTOP = tuple(
    Experiment(name, what, _LONG, _PEOPLE, "laptop", sizes, against=against)
    for name, what, sizes, against in (
        ("ours_2000", "ours, 2,000 steps", {}, ""),
        ("plain", "the paper's model without our additions, 2,000 steps", PLAIN, "ours_2000"),
    )
)

# Is it emergent? What a decoder that learns from few people makes of models pretrained on none, few and many: those of
# Table 1's post-training alone and of Table 3, as they are shipped.
_BEGINS = {"none": "posttrain", "sixteenth": "sixteenth", "quarter": "quarter", "all": "pre_post"}
_FEW = {"relight": {"relit": 32}, "garment": {"garment": 32, "studio": 16}, "stylised": {}}
_EMERGENT = tuple(
    Experiment(
        f"emergent/{ability}/{name}", f"{ability}, on a model pretrained on {name} of the wild people",
        tuple(Stage(stage, getattr(_STUDY, f"{stage.split('_')[0]}_steps")) for stage in ABILITIES[ability].stages),
        People(**({"wild": 0, "studio": 0} | few)), seeds=_SEEDS if few else (0,), metrics=(METRIC,),
        against="" if name == "none" else f"emergent/{ability}/none", begins=begins, ability=ability,
    )
    for ability, few in _FEW.items() for name, begins in _BEGINS.items()
)  # fmt: skip

TABLE: dict[str, Experiment] = {
    row.name: row
    for rows in (
        (_FIRST,),
        _TABLE_1,
        _table_2(),
        _TABLE_3,
        _TABLE_S1,
        _TABLE_S2,
        _WHY,
        _EMERGENT,
        _ABLATION,
        _LAPTOP,
    )
    for row in rows
}


def keeper_of(row: Experiment, stage: int) -> str:
    """The name of the row as whose a stage of this one, by its number, is trained and kept: its own, or that of the row
    it shares its stages with, as far as they are the same."""
    other = TABLE.get(row.shares)
    return other.name if other is not None and same_until(row, other, stage + 1) else row.name


def chosen(only: Sequence[str] = (), profile: str = "study") -> list[Experiment]:
    """Rows by name (`table1/pre_post`, or a pattern, `ablation/*`), whatever their profile; without names, all of a
    profile. InputError for a name that is no row's."""
    if not only:
        return [row for row in TABLE.values() if row.profile == profile]
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in TABLE):
            raise InputError(f"no experiment is called {pattern!r}; choose of {', '.join(TABLE)}")
    return [row for name, row in TABLE.items() if any(fnmatchcase(name, pattern) for pattern in only)]
