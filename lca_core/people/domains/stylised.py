"""The stylised domain: test people as drawings and sculptures, with the truth of the people behind them."""

from functools import partial

import numpy as np

from lca_core.data.cameras import studio_ring
from lca_core.data.light import casual_light
from lca_core.data.records import split_of
from lca_core.errors import InputError
from lca_core.motion.poses import studio_script
from lca_core.people.domains.recording import Actor, Recorded, Recorder, points_of
from lca_core.people.stage import backgrounds
from lca_core.people.styles.exaggerate import sample_proportions
from lca_core.people.styles.stylise import EXAGGERATED, STYLES, stylise
from lca_core.profiles import Profile

_VIEWS = 2  # of each style


def admit(seed: int) -> None:
    """InputError for anybody but a test person: styles test what was trained on photographs."""
    if split_of(seed) != "test":
        raise InputError(f"person {seed} is not a test person (10000-10999): only those are drawn in styles")


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """Every style from two sides, whole bodies and face crops; `instant` counts the styles."""
    backdrop, light, frames = backgrounds.background(generator), casual_light(generator), []
    recorder = Recorder(profile, truth)
    for instant, (style, moment) in enumerate(zip(STYLES, studio_script(len(STYLES), generator))):
        if style == EXAGGERATED:
            actor = Actor(actor.human.spec, sample_proportions(generator))
        cloth = actor.settled(moment)
        posed = actor.pose(moment, cloth)
        turns = np.clip(generator.normal(0, 0.6, _VIEWS), -1, 1)
        ring = [studio_ring(points_of(posed.parts), 1, profile.body_px, generator, turn)[0] for turn in turns]
        frames += recorder.take(
            posed, light, ring, (moment[0], posed.root, *moment[2:]), instant,
            lambda body, view: backgrounds.behind(backdrop, 0.5, body, view),
            style=partial(stylise, style, generator=generator),
            cloth=bool(cloth),
        )  # fmt: skip
    return Recorded(frames, {"light": light.name, "styles": list(STYLES)})
