"""Which pictures of a person go in, and which ones the avatar is judged on.

Studio people: other views and poses of the same session. Wild people: later pictures of the same clip, or, what tables
are made with, a second clip of theirs. The same targets from more and more photographs: `growing_inputs`. How pictures
are sorted by the side they are seen from stands in `views`, what is measured on them in `evaluate`, `depth` and
`regions`, and whether one kind of person fares worse than another in `groups`.
"""

from dataclasses import dataclass

import numpy as np

from lca_core.data.records import Frame, Person
from lca_core.errors import InputError

MAX_WILD_INPUTS = 4
SECOND = {"wild": "wild2"}  # domain -> the one of the second clips that its people are judged on
SECOND_TARGETS = 4  # pictures of a second clip


@dataclass(frozen=True)
class Target:
    """A picture to reproduce, and whether its pose ("seen" or "unseen") is one of the inputs'; betas [S]: the shape of
    who is in it, as recorded there."""

    frame: Frame
    pose: str
    betas: np.ndarray


def growing_inputs(person: Person, n_inputs: int) -> tuple[tuple[Frame, ...], tuple[Target, ...]]:
    """Input pictures that grow with `n_inputs`, and target pictures that stay the same: what more pictures give.

    studio: the last pose is the target, from all cameras; inputs come from the poses before it, the first pose
    first, its cameras spread as evenly round the person as nested sets can be. InputError where there are fewer
    inputs than asked for, or for a person who is not of the studio.
    """
    poses = sorted({frame.instant for frame in person.frames})
    if person.domain != "studio" or len(poses) < 2:
        raise InputError(f"person {person.id} is not recorded in two studio poses: inputs cannot grow under one target")
    earlier = [[frame for frame in person.frames if frame.instant == pose] for pose in poses[:-1]]
    inputs = [frames[i] for frames in earlier for i in _spread(len(frames))][:n_inputs]
    if len(inputs) < n_inputs:
        raise InputError(f"person {person.id} has {len(inputs)} pictures to put in, not {n_inputs}")
    targets = tuple(Target(frame, "unseen", person.betas) for frame in person.frames if frame.instant == poses[-1])
    return tuple(inputs), targets


def _spread(count: int) -> list[int]:
    """0 ... count - 1 on a ring, each next one as far as possible from those before."""
    order = [0]
    while len(order) < count:
        away = [min(min((i - j) % count, (j - i) % count) for j in order) for i in range(count)]
        order.append(int(np.argmax(away)))
    return order


def split_frames(
    person: Person, n_inputs: int = 4, second: Person | None = None
) -> tuple[tuple[Frame, ...], tuple[Target, ...]]:
    """Input pictures and target pictures of a person; no picture is both.

    second: a second clip of the same person (domain wild2): targets are four of its pictures, evenly spread, and none
    of the first clip's, whose later pictures look much like the inputs. InputError where it is of somebody else.

    studio: up to `n_inputs` of the first pose's cameras, evenly spread in their order round the person; targets
    are all other pictures: unseen views of the seen pose, and unseen poses. At least one camera of the first
    pose stays a target where it has more than one.
    wild and photo: the first half of the pictures, at most `n_inputs` and at most 4; targets are the rest,
    tagged by their instant.
    Deterministic. InputError when the person has fewer than two pictures, ValueError for n_inputs < 1.
    """
    if n_inputs < 1:
        raise ValueError(f"n_inputs must be at least 1, not {n_inputs}")
    frames = person.frames
    if len(frames) < 2:
        raise InputError(f"person {person.id} has {len(frames)} picture(s): evaluation needs an input and a target")
    if person.domain == "studio":
        first = min(frame.instant for frame in frames)
        cameras = [i for i, frame in enumerate(frames) if frame.instant == first]
        count = min(n_inputs, max(len(cameras) - 1, 1))
        chosen = {cameras[i] for i in np.arange(count) * len(cameras) // count}
    else:
        chosen = set(range(min(n_inputs, MAX_WILD_INPUTS, len(frames) // 2)))
    inputs = tuple(frames[i] for i in sorted(chosen))
    if second is not None:
        if second.seed != person.seed:
            raise InputError(f"{second.id} is no second clip of {person.id}")
        count = min(SECOND_TARGETS, len(second.frames))
        later = [second.frames[i] for i in np.arange(count) * len(second.frames) // count]
        return inputs, tuple(Target(frame, "unseen", second.betas) for frame in later)
    seen = {frame.instant for frame in inputs}
    targets = tuple(
        Target(frame, "seen" if frame.instant in seen else "unseen", person.betas)
        for i, frame in enumerate(frames)
        if i not in chosen
    )
    return inputs, targets
