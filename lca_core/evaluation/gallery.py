"""Where avatars fail: the worst picture of each of the worst people, chosen by a score and by nobody's taste."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lca_core.data import Frame, Person, pixels
from lca_core.evaluation.evaluate import draw_like, evaluate_people, frames_for
from lca_core.evaluation.records import METRICS
from lca_core.judges.metrics import over_white
from lca_core.making.photos import encode_person
from lca_core.model import LCA, ImageEncoder, target_driving

Values = Mapping[int | str, list[float]]  # person -> one number a picture, in the order of their targets


@dataclass(frozen=True)
class Failure:
    """person: seed or id; target: number of the picture among the person's targets; score: of that picture."""

    person: int | str
    target: int
    score: float


def failures(values: Values, count: int, more_is_better: bool = True) -> list[Failure]:
    """The worst target of each of the `count` people whose worst target is worst, worst first."""
    sign = 1 if more_is_better else -1
    worst = []
    for person, scores in values.items():
        target = int(np.argmin(sign * np.asarray(scores)))
        worst.append(Failure(person, target, float(scores[target])))
    return sorted(worst, key=lambda failure: sign * failure.score)[:count]


@dataclass(frozen=True)
class Shown:
    """A failure as pictures uint8 [H, W, 3]: the photographs that went in, the truth, the avatar; said: which person,
    target and score."""

    photographs: tuple[np.ndarray, ...]
    truth: np.ndarray
    avatar: np.ndarray
    said: str


def gallery(
    people: Iterable[Person], model: LCA, encoder: ImageEncoder, count: int = 6, metric: str = "psnr_fg",
    n_inputs: int = 4,
) -> list[Shown]:  # fmt: skip
    """The failures of a model by a metric among these people, of whichever domain, worst first."""
    people = list(people)
    found = evaluate_people(people, model, encoder, n_inputs=n_inputs, total=len(people))
    scores = {
        (domain, person): values
        for domain, methods in found.items()
        for person, values in methods["release"][metric].items()
    }
    by_name = {(person.domain, person.id if person.seed is None else person.seed): person for person in people}
    return [
        _shown(by_name[failure.person], model, encoder, failure, metric, n_inputs)
        for failure in failures(scores, count, METRICS[metric][1])
    ]


def _shown(person: Person, model: LCA, encoder: ImageEncoder, failure: Failure, metric: str, n_inputs: int) -> Shown:
    inputs, targets = frames_for(model, person, n_inputs)
    target = targets[failure.target]
    posed = encode_person(model, encoder, person, inputs).drive(target_driving(model, target.frame, target.betas))
    drawn = draw_like(posed.map(lambda t: t[0]), target.frame.body)[0]
    said = f"{person.id}, target {failure.target}: {metric} {failure.score:.2f} {METRICS[metric][0]}".rstrip()
    images = (_picture(x) for x in (over_white(*pixels(target.frame.body)), drawn))
    return Shown(tuple(_photograph(frame) for frame in inputs), *images, said)


def _photograph(frame: Frame) -> np.ndarray:
    return frame.body.image


def _picture(image) -> np.ndarray:
    return (255 * image.clamp(0, 1)).round().byte().cpu().numpy()
