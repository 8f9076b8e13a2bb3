"""Drawings before the photograph door: which styles it takes for photographs of a person, and how well bodies fit.

Nothing is told but the pixels. Detectors made for photographs find people in some drawings and not in others; either is
an answer. Plain photographs of the same views go the same way and say what the door makes of those.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lca_core.curation.photos import photos_record, see_good_photos
from lca_core.evaluation.door import photographs
from lca_core.evaluation.drawn_people import Looks
from lca_core.profiles import Profile


@dataclass(frozen=True)
class Answer:
    """What the door made of a person's photographs in one look.

    fitted: 1.0 of each in which a body was found and fitted, else 0.0; errors: of those, as `curation.fit` counts them;
    reasons: kind of refusal -> how many.
    """

    fitted: list[float]
    errors: list[float]
    reasons: dict[str, int]


def answers(looks: Looks, profile: Profile, folder: Path) -> dict[str, Answer]:
    """The door's answer for each look; folder: where the photographs are written as files."""
    return {look: _answer(photographs(person, folder), profile) for look, person in looks.items()}


def _answer(paths: list[Path], profile: Profile) -> Answer:
    photos, refused = see_good_photos(paths)
    reasons = Counter(reason.kind for reason in refused.values())
    if photos is None:
        return Answer([0.0] * len(paths), [], dict(reasons))
    views = {view["file"]: view for view in photos_record(photos, profile).meta["photos"]}
    fitted = [float(path.name in views and views[path.name]["tracked"]) for path in paths]
    errors = [view["fit_error"] for view in views.values() if view["tracked"]]
    if untold := sum(not view["tracked"] for view in views.values()):
        reasons["no_pose"] = untold
    return Answer(fitted, [float(error) for error in errors if np.isfinite(error)], dict(reasons))
