"""Test people as photographs and as drawings of the same moments from the same sides: what can be compared.

The domain `stylised` shows each style in a pose of its own and has no plain pictures, so nothing there says what a
style alone changes. Here a person stands in one moment for four photographs, all round, and in another for four
pictures held out, from between those sides. Each picture is taken once and drawn in every style from what the renderer
knows of it; exaggerated proportions, which are geometry, are taken again, by cameras that frame them. All of a
person's pictures in a style are of one hand: where the domain draws a style's own numbers anew for every picture (how
wide its lines are, which clay), here they are a person's.
"""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from lca_core.data import Frame, Person, read_people, write_shard
from lca_core.data.cameras import studio_ring
from lca_core.data.light import casual_light
from lca_core.engines import Engine, local
from lca_core.motion.poses import studio_script
from lca_core.paths import cache_dir
from lca_core.people.domains.processes import draw_missing
from lca_core.people.domains.recording import Actor, Recorder, points_of
from lca_core.people.domains.rendering import RENDERING, digest_of
from lca_core.people.domains.stylised import admit
from lca_core.people.stage import backgrounds
from lca_core.people.styles.exaggerate import sample_proportions
from lca_core.people.styles.fields import Layers, composite
from lca_core.people.styles.stylise import EXAGGERATED, STYLES, stylise
from lca_core.people.who.spec import sample_person
from lca_core.profiles import PROFILES, Profile

DOMAIN = "drawn"
PLAIN = "plain"
LOOKS = (PLAIN, *STYLES)
PHOTOGRAPHS, HELD_OUT = 4, 4
LARGE_PX = 512  # side of the photographs that go through the door
_PIXELS = tuple(style for style in STYLES if style != EXAGGERATED)  # styles of the same geometry
_STREAM = 40  # of the person's random numbers
_DRAWING = 1  # raise when these pictures change, so that caches are made anew
Looks = dict[str, Person]  # look -> the person's pictures in it: `PHOTOGRAPHS`, then `HELD_OUT`, in the same order


def drawn_person(seed: int, profile: Profile, px: int | None = None) -> Looks:
    """A test person in all `LOOKS`, at a profile's sizes; InputError for anybody but a test person.

    px: side of the photographs instead, which then come alone and without crops, as a camera would take them.
    """
    admit(seed)
    spec, generator = sample_person(seed), np.random.default_rng([seed, _STREAM])
    moments, light, backdrop = studio_script(2, generator), casual_light(generator), backgrounds.background(generator)
    proportions, recorder = sample_proportions(generator), Recorder(profile, truth=False, crops=px is None)
    counts = (PHOTOGRAPHS,) if px else (PHOTOGRAPHS, HELD_OUT)
    frames: dict[str, list[Frame]] = {look: [] for look in LOOKS}
    for actor, first in ((Actor(spec), PLAIN), (Actor(spec, proportions), EXAGGERATED)):
        sides = np.random.default_rng([seed, _STREAM, 1])
        for instant, (moment, count) in enumerate(zip(moments, counts)):
            cloth = actor.settled(moment)
            posed = actor.pose(moment, cloth)
            ring = studio_ring(points_of(posed.parts), count, px or profile.body_px, sides, instant * np.pi / count)
            seen: list[Layers] = []
            taken = recorder.take(
                posed, light, ring, (moment[0], posed.root, *moment[2:]), instant,
                lambda body, view: backgrounds.behind(backdrop, 0.5, body, view),
                style=partial(_plainly, seen), cloth=bool(cloth),
            )  # fmt: skip
            frames[first] += taken
            for look in _PIXELS if first == PLAIN else ():
                frames[look] += _redrawn(taken, seen, look, seed)
    gc.collect()  # frees the scene, so that the next one finds its compiled kernels again
    about = {"looks": spec.meta(), "light": light.name, "photographs": PHOTOGRAPHS, "licence": "CC0-1.0"}
    betas = spec.betas.astype(np.float32)
    return {
        look: Person(f"{DOMAIN}-{look}-{seed:06d}", DOMAIN, seed, betas, tuple(shown), about | {"style": look})
        for look, shown in frames.items()
    }


def _plainly(seen: list[Layers], layers: Layers) -> np.ndarray:
    """The plain picture; its layers are kept for the other styles."""
    seen.append(layers)
    return composite(layers)


def _redrawn(frames: Sequence[Frame], layers: Sequence[Layers], style: str, seed: int) -> list[Frame]:
    """The frames with all their pictures in a style; layers: of each picture, in the order they were taken."""
    layers, hand = iter(layers), (seed, _STREAM, 2 + STYLES.index(style))

    def drawn(picture):
        return replace(picture, image=stylise(style, next(layers), np.random.default_rng(hand)))

    return [replace(frame, body=drawn(frame.body), face=frame.face and drawn(frame.face)) for frame in frames]


def cached_drawings(
    seeds: Sequence[int],
    profile: Profile | str,
    workers: int = 2,
    progress: bool = True,
    px: int | None = None,
    engine: Engine = local,
) -> list[Path]:
    """Shards in the cache, one a person in this order and all looks in each, drawn on first use; px: as above."""
    profile = PROFILES[profile] if isinstance(profile, str) else profile
    what = f"{DOMAIN}-{profile.name}-{digest_of(RENDERING, _DRAWING, profile.recording, px)}"
    draw = partial(_draw, profile=profile, px=px)
    return draw_missing(cache_dir("people", what), DOMAIN, seeds, draw, workers, progress, engine)


def _draw(seed: int, path: Path, profile: Profile, px: int | None) -> None:
    write_shard(path, list(drawn_person(seed, profile, px).values()))


def read_drawings(paths: Sequence[Path]) -> Iterator[Looks]:
    """People as `cached_drawings` wrote them, one after the other."""
    for path in paths:
        yield {person.meta["style"]: person for person in read_people([path])}


def photographs_of(person: Person) -> tuple[Frame, ...]:
    """What an avatar is made of."""
    return person.frames[:PHOTOGRAPHS]


def held_out_of(person: Person) -> tuple[Frame, ...]:
    """What it is judged on."""
    return person.frames[PHOTOGRAPHS:]
