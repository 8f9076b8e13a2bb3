"""Who a digital human is in shape: sex, age, build and face, as betas of the body file."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Build:
    """What a person's shape means: sex 0 (female) to 1 (male); age in years; height in metres; bmi in kg/m^2."""

    sex: float
    age: float
    height: float
    bmi: float


def sample_shape(generator: np.random.Generator) -> tuple[np.ndarray, Build]:
    """betas float32 [300], and what they mean."""
    betas = np.zeros(300, np.float32)
    betas[:10] = np.clip(generator.normal(size=10), -2.0, 2.0)  # build, age, sex, ancestry
    betas[0] *= 0.45  # stature, 0.24 m each: adults of 1.5 to 2.0 m
    betas[10:50] = np.clip(0.6 * generator.normal(size=40), -1.2, 1.2)  # what tells one face from another
    return betas, Build(float(generator.random() < 0.5), 30.0, 1.7 + 0.24 * float(betas[0]), 23.0)
