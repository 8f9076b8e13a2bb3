"""The paper's figures from our weights, people and records (`lca_core.evaluation.figures`), each with a sentence for
who cannot see it in a text file beside it.

teaser (the paper's 1), backs (ours: one photograph, seen from behind), method (2), stages (3; with the weights of
Table 3's or Table 1's rows in runs/experiments for --weights also 4 and S2), scale (4, from records), baselines (5),
attention (6), tokens (S1), failures (ours). What needs weights that are not there, or records that were not measured,
is left out and said.
"""

from collections.abc import Callable
from pathlib import Path

from reporting import run, tell

from lca_core.data import Person, read_people
from lca_core.errors import InputError
from lca_core.evaluation.baselines.template import template_avatar
from lca_core.evaluation.figures import attention, backs, beside, method, scale, teaser, tokens
from lca_core.evaluation.figures.style import keep, styled, tiles
from lca_core.evaluation.gallery import gallery
from lca_core.evaluation.records import read_records
from lca_core.making.release import load_release
from lca_core.model import LCA, ImageEncoder, driving_of, encoder_of, refine
from lca_core.paths import CHECKPOINTS
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE, TEMPLATE
from lca_core.training import load_template

FIRST_VALIDATION = 9_000
Weights = dict[str, tuple[LCA, ImageEncoder]]


def loaded(paths: dict[str, Path]) -> Weights:
    """Models by the names they have in figures."""
    models = {}
    for name, path in paths.items():
        model, meta = load_release(path)
        models[name] = model, encoder_of(meta)
    return models


class Figures:
    """All figures of a set of weights and people, by name: each gives (figure, alt text)."""

    def __init__(self, models: Weights, people: dict[str, list[Person]], shown: int):
        self.models, self.people = models, people
        # Others in each domain, so that as many people as can be are shown.
        self.few = [
            person for number, members in enumerate(people.values())
            for person in members[number * shown : (number + 1) * shown]
        ]  # fmt: skip
        self.last = list(models)[-1]

    def teaser(self):
        model, encoder = self.models[self.last]
        return teaser.teaser(self.few, model, encoder), teaser.alt_of(self.few)

    def backs(self):
        people = self.people["studio"]
        return backs.backs(people, beside.by_model(*self.models[self.last])), backs.alt_of(people)

    def method(self):
        return method.method_figure(), method.ALT

    def stages(self):
        makers = {name: beside.by_model(*each) for name, each in self.models.items()}
        return beside.beside(self.few, makers), beside.alt_of(self.few, makers, "Results stage by stage.")

    def scale(self):
        records = read_records()
        return scale.scale_figure(records), scale.alt_of(records)

    def baselines(self):
        model, encoder = self.models[self.last]
        template = load_template(TEMPLATE, model)

        def mean(avatar, frames, person):
            return template_avatar(model, template, person)

        def refined(avatar, frames, person):
            return refine(avatar, frames, driving_of(model, frames, person.betas))

        makers = {
            "one forward pass": beside.by_model(model, encoder),
            "refined": beside.by_model(model, encoder, refined),
            "per person": beside.per_person(model, template),
            "nearest photograph": beside.nearest(model),
            "mean template": beside.by_model(model, encoder, mean),
        }  # fmt: skip
        figure = beside.beside(self.few, makers, faces=False)
        return figure, beside.alt_of(self.few, makers, "Ours beside the baselines.")

    def attention(self):
        figure, spreads = attention.attention_figure(self.few[0], self.models)
        return figure, attention.alt_of(self.few[0], spreads)

    def tokens(self):
        figure, found = tokens.token_figure(self.people, self.models)
        return figure, tokens.alt_of(self.people, found)

    def failures(self):
        shown = gallery(sum(self.people.values(), []), *self.models[self.last], count=4)
        columns = [f"photograph {i + 1}" for i in range(len(shown[0].photographs))] + ["truth", "avatar"]
        with styled():
            figure = tiles([[*each.photographs, each.truth, each.avatar] for each in shown], columns,
                           captions=[[""] * (len(columns) - 2) + ["", each.said] for each in shown])  # fmt: skip
        return figure, "The worst pictures by PSNR on the person: " + "; ".join(each.said for each in shown) + "."


NAMES = ("teaser", "backs", "method", "stages", "scale", "baselines", "attention", "tokens", "failures")


def main(out: Path = Path("build/figures"), only: tuple[str, ...] = (), people: int = 8, shown: int = 1,
         weights: tuple[Path, ...] = (CHECKPOINTS / "pretrained.safetensors", RELEASE),
         names: tuple[str, ...] = ("pretrained", "post-trained"), studio: Path | None = None, wild: Path | None = None,
         workers: int = 2) -> None:  # fmt: skip
    """Draw the figures.

    Args:
        out: The folder for them.
        only: Which, of teaser, backs, method, stages, scale, baselines, attention, tokens, failures; default: all.
        people: How many validation people a domain, for those that are of many.
        shown: How many of them a domain are shown, where people are shown.
        weights: The models compared, in this order; the last one is shown alone where one is.
        names: What they are called in figures.
        studio: A folder of studio people to take instead of drawing some.
        wild: The same people in the wild.
        workers: Processes that draw people.
    """
    if unknown := set(only) - set(NAMES):
        raise InputError(f"no figure is called {', '.join(sorted(unknown))}; choose of {', '.join(NAMES)}")
    if len(weights) != len(names):
        raise InputError(f"{len(weights)} weights have {len(names)} names; give --names as many as --weights")
    models = loaded(dict(zip(names, weights)))
    profile = models[names[-1]][0].profile
    seeds = range(FIRST_VALIDATION, FIRST_VALIDATION + people)
    folders = {"studio": studio, "wild": wild}
    chosen = {domain: _people(domain, folders[domain], seeds, profile, workers) for domain in folders}
    figures = Figures(models, chosen, shown)
    for name in only or NAMES:
        tell(name)
        draw: Callable = getattr(figures, name)
        try:
            figure, alt = draw()
        except InputError as error:
            print(f"{name} is left out: {error}")
            continue
        print(keep(figure, out / f"{name}.png", alt))


def _people(domain: str, folder: Path | None, seeds: range, profile, workers: int) -> list[Person]:
    if folder is None:
        return list(read_people(cached_people(seeds, domain, profile, workers)))
    return [person for person in read_people(folder) if person.seed in seeds]


if __name__ == "__main__":
    run(main)
