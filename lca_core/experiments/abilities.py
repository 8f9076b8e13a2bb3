"""Abilities that the paper calls emergent, as gains: what a decoder that has learned from few people makes of a model
that was pretrained on nobody, on few or on many.

Every stage of such a row begins from the same weights, `Experiment.begins`, and trains one part of them alone; what is
judged is what that part is worth to test people, who are photographed in the studio and in the wild:

- relight: psnr_fg under lights kept out of training, relit less unrelit (`evaluation.relighting`);
- garment: psnr over the pixels of skirts and coats in motion, of cloth that hangs as a decoder says less cloth that is
  skinned (`evaluation.loose`);
- stylised: no stage at all: how much an avatar of drawings is like drawings held out (`evaluation.stylised`). Drawings
  show all sides of a moment, as in the studio; there are none of the wild.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lca_core.data import Person, read_people
from lca_core.evaluation.drawn_people import PLAIN, read_drawings
from lca_core.evaluation.loose import evaluate_cloth, without_parts
from lca_core.evaluation.relighting import gains, judge, mean_lights, sitter
from lca_core.evaluation.stylised import style_kept
from lca_core.making.release import load_release
from lca_core.model import encoder_of

Gains = dict[int, list[float]]  # person -> one number a picture
People = Mapping[str, Mapping[int, Person]]  # domain -> seed -> who is judged, or whose photographs are taken
METRIC = "gain"


@dataclass(frozen=True)
class Ability:
    """stages: trained, each from the same weights; judged: the domain of test people whose pictures are targets;
    photographs: domain said in records -> domain of the same people's photographs; gains: (weights of the stages, or
    those begun from where there are none, people, domain of the photographs) -> gains; unit: of a gain."""

    stages: tuple[str, ...]
    judged: str
    photographs: Mapping[str, str]
    gains: Callable[[Sequence[Path], People, str], Gains]
    unit: str = "dB"

    @property
    def domains(self) -> tuple[str, ...]:
        """Of all people that judging needs."""
        return tuple(dict.fromkeys((self.judged, *self.photographs.values())))


def light_gains(weights: Sequence[Path], people: People, photographs: str) -> Gains:
    """Person -> psnr_fg under each light, relit less unrelit, dB, of avatars made of their `photographs`."""
    model, meta = load_release(weights[0])
    encoder = encoder_of(meta)
    sitters = [
        sitter(model, encoder, person, people[photographs][seed]) for seed, person in people["relit_held_out"].items()
    ]
    found = gains(judge(model, sitters, mean_lights(model, sitters)))
    names = ("environment_gain_db", "lamp_gain_db")
    return {one.person.seed: [value for name in names for value in found[name][one.person.seed]] for one in sitters}


def cloth_gains(weights: Sequence[Path], people: People, photographs: str) -> Gains:
    """Person -> psnr_cloth with the decoder less the same model without it, dB, picture by picture. People of whose
    cloth no picture shows enough are left out."""
    model, meta = load_release(weights[0])
    shown = None if photographs == "garment" else people[photographs]
    judged, encoder = people["garment"].values(), encoder_of(meta)
    with_it = evaluate_cloth(judged, model, encoder, len(judged), shown)["psnr_cloth"]
    with without_parts(model):
        without = evaluate_cloth(judged, model, encoder, len(judged), shown)["psnr_cloth"]
    return {
        seed: [b - a for a, b in zip(without[seed], with_it[seed], strict=True)] for seed in without if seed in with_it
    }


def style_kept_by(weights: Sequence[Path], people: People, photographs: str) -> Gains:
    """Person -> feature likeness of avatars made of drawings to drawings held out; people: of `read_drawings`."""
    model, meta = load_release(weights[0])
    return {seed: [style_kept(model, encoder_of(meta), looks)] for seed, looks in people[photographs].items()}


DRAWINGS = "drawn"  # the domain of people as `cached_drawings` keeps them
ABILITIES = {
    "relight": Ability(("relight",), "relit_held_out", {"studio": "studio", "wild": "wild"}, light_gains),
    "garment": Ability(("hanging",), "garment", {"studio": "garment", "wild": "garment_wild"}, cloth_gains),
    "stylised": Ability((), DRAWINGS, {"studio": DRAWINGS}, style_kept_by, unit=""),
}  # fmt: skip


def judge_ability(
    name: str, shards: Mapping[str, Sequence[Path]], weights: Sequence[Path]
) -> dict[str, dict[str, Gains]]:
    """domain -> {"gain": person -> numbers}; shards: of the people judged, by the ability's domains."""
    ability = ABILITIES[name]
    people: dict[str, Mapping[int, Person]] = {}
    for domain in ability.domains:
        if domain == DRAWINGS:
            people[domain] = {looks[PLAIN].seed: looks for looks in read_drawings(shards[domain])}
        else:
            people[domain] = {person.seed: person for person in read_people(shards[domain], truth=True)}
    found: dict[str, Gains] = {}  # by the photographs' domain
    for domain in ability.photographs.values():
        if domain not in found:
            found[domain] = ability.gains(weights, people, domain)
    return {name: {METRIC: found[domain]} for name, domain in ability.photographs.items()}
