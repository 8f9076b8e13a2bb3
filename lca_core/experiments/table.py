"""The one table of experiments: what is trained, on whom, how long, and what differs from the rest.

A row is a training (or several, one a seed) judged on people it never saw; its records are `<name>/<domain>/<metric>`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from lca_core.errors import InputError
from lca_core.profiles import PROFILES, Profile, profile
from lca_core.training.stages import STAGES

FIRST = {"wild": 0, "studio": 5_000, "validation": 9_000, "test": 10_000}  # seeds of people
JUDGED = ("studio", "wild")


@dataclass(frozen=True)
class Stage:
    """One training. name: "pretrain", "posttrain" or "mixed"; settings: fields of `training.Settings` that differ from
    the stage's own. The first stage of a row starts from random weights and fits the template, the next from its
    weights."""

    name: str
    steps: int
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class People:
    """How many people, from the first seed of each kind on; split: of those judged, "validation" or "test"."""

    wild: int
    studio: int
    judged: int = 16
    split: str = "test"

    def seeds(self, domain: str) -> range:
        """Of the people of a domain trained on."""
        return range(FIRST[domain], FIRST[domain] + getattr(self, domain))

    @property
    def judged_seeds(self) -> range:
        """Of the people judged, in both domains."""
        return range(FIRST[self.split], FIRST[self.split] + self.judged)


@dataclass(frozen=True)
class Experiment:
    """A row. what: in words; sizes: fields of the profile that differ; seeds: of weights and batches, one training
    each; against: the row whose values its own are compared with, person by person."""

    name: str
    what: str
    stages: tuple[Stage, ...]
    people: People
    profile: str = "study"
    sizes: Mapping[str, object] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    metrics: tuple[str, ...] = ("psnr", "psnr_fg", "l1_fg", "lpips")
    against: str = ""

    @property
    def steps(self) -> int:
        """Of all stages."""
        return sum(stage.steps for stage in self.stages)

    @property
    def domains(self) -> tuple[str, ...]:
        """Trained on."""
        named = {domain for stage in self.stages for domain in STAGES[stage.name].domains}
        return tuple(domain for domain in ("wild", "studio") if domain in named)

    @property
    def trained_on(self) -> str:
        """In words, e.g. "wild people 0-479, studio people 5000-5127"."""
        seeds = {domain: self.people.seeds(domain) for domain in self.domains}
        return ", ".join(f"{domain} people {s[0]}-{s[-1]}" for domain, s in seeds.items())


# Table 1: which people in which order. A network from random weights takes the rate of pretraining, and no decay.
_STUDY = People(PROFILES["study"].wild_people, PROFILES["study"].studio_people)
_PRE, _POST = PROFILES["study"].pretrain_steps, PROFILES["study"].posttrain_steps
_FRESH = {"lr": 9e-4, "gamma": 1.0}
_SEEDS = (0, 1, 2)
_BOTH = (Stage("pretrain", _PRE), Stage("posttrain", _POST))

_TABLE_1 = tuple(
    Experiment(f"table1/{name}", what, stages, _STUDY, seeds=_SEEDS, against="" if ours else "table1/pre_post")
    for name, what, stages, ours in (
        ("pretrain", "wild people alone", (Stage("pretrain", _PRE + _POST),), False),
        ("posttrain", "studio people alone, from random weights", (Stage("posttrain", _PRE + _POST, _FRESH),), False),
        ("mixed", "wild and studio people together", (Stage("mixed", _PRE + _POST),), False),
        ("pre_post", "wild people, then studio people", _BOTH, True),
    )
)

# The shortest way from nothing to a record: few people, one seed. For a first look at what `make experiments` does.
_FEW = People(48, 16, split="validation")
_FIRST = Experiment(
    "first/pre_post",
    "48 wild people, then 16 studio people",
    (Stage("pretrain", _PRE), Stage("posttrain", _POST)),
    _FEW,
)

# What each part of the model is worth: short trainings, alike but for one part. At a few hundred steps this shows what
# helps a small budget, not what remains of it after a long one. Choices are made by it: judged on validation people.
_PLAIN = {
    "pixel_alignment": False, "color_reading": False, "face_shapes": False, "face_rank": 0, "gradient_steps": 0
}  # fmt: skip

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
        ("plain", "none of our additions: the paper's plain model", _PLAIN, {}),
        ("single_branch", "the driven branch alone", {"dual_branch": False}, {}),
    )
)  # fmt: skip

TABLE: dict[str, Experiment] = {row.name: row for row in (_FIRST, *_TABLE_1, *_ABLATION)}


def sizes_of(row: Experiment) -> Profile:
    """The row's profile with what differs."""
    return replace(profile(row.profile), **row.sizes)


def chosen(only: Sequence[str] = (), profile: str = "study") -> list[Experiment]:
    """Rows by name (`table1/pre_post`, or a pattern, `ablation/*`), whatever their profile; without names, all of a
    profile. InputError for a name that is no row's."""
    if not only:
        return [row for row in TABLE.values() if row.profile == profile]
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in TABLE):
            raise InputError(f"no experiment is called {pattern!r}; choose of {', '.join(TABLE)}")
    return [row for name, row in TABLE.items() if any(fnmatchcase(name, pattern) for pattern in only)]
