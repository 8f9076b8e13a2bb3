"""What people wear on their heads: hats and glasses, fitted to the head and moving with it."""

import numpy as np

from lca_core.body.layout import JOINT_NAMES
from lca_core.people.body.parts import Surface
from lca_core.people.who.spec import PersonSpec
from lca_core.people.worn.glasses import make_glasses
from lca_core.people.worn.hats import make_hat
from lca_core.people.worn.headform import Head

_STREAM = 70


def wear(spec: PersonSpec, rest: np.ndarray, joints: np.ndarray) -> list[tuple[np.ndarray, Surface]]:
    """Hat and glasses of a person at rest as (weights float32 [n, 55], Surface) pairs; none for most people.

    rest: float32 [V, 3] shaped T-pose in base.obj order; joints: [55, 3].
    """
    surfaces = []
    if spec.hat or spec.glasses:
        head = Head(rest)
        if spec.hat:
            surfaces += make_hat(spec.hat, head, np.random.default_rng([spec.seed, _STREAM]))
        if spec.glasses:
            surfaces += make_glasses(spec.glasses, head)
    bound = np.eye(len(JOINT_NAMES), dtype=np.float32)[JOINT_NAMES.index("head")]
    return [(np.tile(bound, (len(surface.vertices), 1)), surface) for surface in surfaces]
