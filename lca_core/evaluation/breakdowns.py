"""The same avatars, asked more closely: from which side they are seen, how deep their surface lies, who is worst off.

`psnr_fg` by the angle between a target's view and the nearest photograph's, of the back alone, and depth against the
truth, from one pass over people; the people's own means, sorted into groups (`groups`), from what such a pass gives.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from tqdm.auto import tqdm

from lca_core.data import Person, pixels
from lca_core.evaluation.depth import depth_error_mm
from lca_core.evaluation.evaluate import draw_like, frames_for
from lca_core.evaluation.groups import groups_of
from lca_core.evaluation.views import bin_of, from_behind, joints_of, nearest_view, viewing_direction
from lca_core.judges.metrics import psnr_fg
from lca_core.judges.summaries import Summary, summarise
from lca_core.making.photos import encode_person
from lca_core.model import LCA, ImageEncoder, target_driving
from lca_core.people.who.spec import sample_person

Found = dict[str, dict[int, list[float]]]  # record -> person -> one number a picture


def by_view(
    people: Iterable[Person],
    model: LCA,
    encoder: ImageEncoder,
    n_inputs: int = 4,
    total: int | None = None,
    seconds: Mapping[int, Person] | None = None,
) -> Found:
    """`views/<domain>/<bin of degrees>/psnr_fg`, `views/<domain>/back/psnr_fg` and, of the studio where people come
    with their truth, `depth/studio/mm`; and `all/<domain>/psnr_fg`, of all pictures.

    seconds: second clips by seed, as `evaluate_people` takes them. Inputs whose pose is unknown count for no view.
    """
    found: Found = {}
    for person in tqdm(people, desc="views", total=total, unit="person"):
        inputs, targets = frames_for(model, person, n_inputs, (seconds or {}).get(person.seed))
        avatar = encode_person(model, encoder, person, inputs)
        known = [
            viewing_direction(frame, joints_of(model, frame, person.betas)[0]) for frame in inputs if frame.tracked
        ]
        for target in targets:
            posed = avatar.drive(target_driving(model, target.frame, target.betas)).map(lambda t: t[0])
            picture = target.frame.body
            value = float(psnr_fg(draw_like(posed, picture)[0], *pixels(picture)))
            direction = viewing_direction(target.frame, joints_of(model, target.frame, target.betas)[0])
            names = ["all/{}/psnr_fg", f"views/{{}}/{bin_of(nearest_view(known, direction)[1])}/psnr_fg"]
            names += ["views/{}/back/psnr_fg"] * from_behind(direction)
            for name in names:
                found.setdefault(name.format(person.domain), {}).setdefault(person.seed, []).append(value)
            if person.domain == "studio" and picture.truth is not None:
                error = depth_error_mm(posed, picture)
                if error is not None:
                    found.setdefault("depth/studio/mm", {}).setdefault(person.seed, []).append(error)
    return found


def by_group(found: Found) -> tuple[dict[str, Summary], dict[str, dict]]:
    """`groups/<trait>/<class>/psnr_fg` of all domains that `by_view` went through, each person's mean over them: (its
    summary; how far it is from everybody else, with the interval that counts all groups, and whether zero is
    outside)."""
    means: dict[int, list[float]] = {}
    for id, people in found.items():
        if id.startswith("all/"):
            for person, values in people.items():
                means.setdefault(person, []).append(float(np.mean(values)))
    values = {str(person): float(np.mean(numbers)) for person, numbers in means.items()}
    groups = groups_of(values, {str(person): sample_person(person) for person in means})
    summaries, told = {}, {}
    for group in groups:
        id = f"groups/{slug(group.trait)}/{slug(group.name)}/psnr_fg"
        summaries[id] = summarise({person: [values[person]] for person in group.people}, np.random.default_rng(0))
        told[id] = {
            "beside_everybody_else": group.less, "interval": list(group.interval), "groups_compared": len(groups),
            "differs": group.differs,
        }  # fmt: skip
    return summaries, told


def slug(name: str) -> str:
    """A class's name as part of a record's id."""
    return name.lower().replace(" ", "_")
