"""What an experiment is: a training (or several, one a seed), judged on people it never saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lca_core.errors import InputError
from lca_core.paths import CHECKPOINTS
from lca_core.profiles import Profile, profile
from lca_core.training.stages import STAGES

FIRST = {"wild": 0, "studio": 5_000, "relit": 5_000, "garment": 5_000, "validation": 9_000, "test": 10_000}  # seeds
JUDGED = ("studio", "wild")
INPUTS = 4  # photographs shown


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
    relit: int = 0
    garment: int = 0

    def seeds(self, domain: str) -> range:
        """Of the people of a domain trained on."""
        return range(FIRST[domain], FIRST[domain] + getattr(self, domain))

    @property
    def judged_seeds(self) -> range:
        """Of the people judged, in both domains."""
        return range(FIRST[self.split], FIRST[self.split] + self.judged)


@dataclass(frozen=True)
class Experiment:
    """A row of the table; its records are `<name>/<domain>/<metric>`.

    what: in words; sizes: fields of the profile that differ; seeds: of weights and batches, one training each; against:
    the row whose values its own are compared with, person by person. shares: a row with which it has its first stages
    in common, all of them perhaps: they are trained once and kept as that row's. inputs: photographs shown to make an
    avatar that is judged; keeps: steps of the first stage after which its weights are kept, in half precision, for
    figures of how it learns; method: what is judged, one of `evaluation.evaluate.METHODS`: "release" is the avatar of
    one forward pass, a baseline takes of the training what all methods share, the body and the mean template. begins:
    weights of results/checkpoints/experiments that every stage goes on from, each by itself; ability: what is judged
    instead of pictures, one of `abilities.ABILITIES`; its values are gains.
    """

    name: str
    what: str
    stages: tuple[Stage, ...]
    people: People
    profile: str = "study"
    sizes: Mapping[str, object] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    metrics: tuple[str, ...] = ("psnr", "psnr_fg", "l1_fg", "lpips")
    against: str = ""
    shares: str = ""
    inputs: int = INPUTS
    keeps: tuple[int, ...] = ()
    method: str = "release"
    begins: str = ""
    ability: str = ""

    @property
    def steps(self) -> int:
        """Of all stages."""
        return sum(stage.steps for stage in self.stages)

    @property
    def domains(self) -> tuple[str, ...]:
        """Trained on."""
        return self.domains_until(len(self.stages))

    def domains_until(self, stages: int) -> tuple[str, ...]:
        """Trained on in its first stages."""
        named = {domain for stage in self.stages[:stages] for domain in STAGES[stage.name].domains}
        return tuple(domain for domain in ("wild", "studio", "relit", "garment") if domain in named)

    @property
    def trained_on(self) -> str:
        """In words, e.g. "wild people 0-479, studio people 5000-5127"."""
        seeds = {domain: self.people.seeds(domain) for domain in self.domains}
        return ", ".join(f"{domain} people {s[0]}-{s[-1]}" for domain, s in seeds.items())


def weights_begun_from(row: Experiment) -> Path:
    """The file of the weights that every stage of a row goes on from; InputError where they are not there."""
    path = CHECKPOINTS / "experiments" / f"{row.begins}.safetensors"
    if not path.is_file():
        raise InputError(f"{row.name} goes on from {path}, which is not there; restore it from git")
    return path


def sizes_of(row: Experiment) -> Profile:
    """The row's profile with what differs."""
    return replace(profile(row.profile), **row.sizes)


def same_until(row: Experiment, other: Experiment, stages: int) -> bool:
    """Whether two rows are the same training up to and with their first so many stages."""
    if row.stages[:stages] != other.stages[:stages] or row.begins != other.begins or sizes_of(row) != sizes_of(other):
        return False
    return all(row.people.seeds(domain) == other.people.seeds(domain) for domain in row.domains_until(stages))
