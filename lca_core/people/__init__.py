"""Digital humans: seeds in, records of people with exact truth out."""

from lca_core.people.cameras import around, face_crop, look_at, studio_ring, wild_path
from lca_core.people.domains import DOMAINS, JUDGING, cast, render_person
from lca_core.people.exaggerate import Proportions
from lca_core.people.faces import EMOTIONS, FACES, VISEMES, face
from lca_core.people.human import DigitalHuman
from lca_core.people.light import (
    CASUAL,
    ENVIRONMENTS,
    HELD_OUT_ENVIRONMENTS,
    HELD_OUT_LAMPS,
    OLAT,
    Light,
    casual_light,
    directional_light,
    environment,
    studio_light,
)
from lca_core.people.motion import MOTIONS, Motion, motion
from lca_core.people.parts import PART_IDS, Strands, Surface
from lca_core.people.poses import HANDS, STANCES, standing, studio_script
from lca_core.people.production import cached_people, render_people
from lca_core.people.recording import Actor, points_of
from lca_core.people.render import Shot, Stage, render
from lca_core.people.spec import PersonSpec, sample_person
from lca_core.people.style import STYLES, Layers, stylise

__all__ = [
    "CASUAL", "DOMAINS", "EMOTIONS", "ENVIRONMENTS", "FACES", "HANDS", "HELD_OUT_ENVIRONMENTS", "HELD_OUT_LAMPS",
    "JUDGING", "MOTIONS", "OLAT", "PART_IDS", "STANCES", "STYLES", "VISEMES", "Actor", "DigitalHuman", "Layers",
    "Light", "Motion", "PersonSpec", "Proportions", "Shot", "Stage", "Strands", "Surface", "around",
    "cached_people", "cast", "casual_light", "directional_light", "environment", "face", "face_crop", "look_at",
    "motion", "points_of", "render", "render_people", "render_person", "sample_person", "standing", "studio_light",
    "studio_ring", "studio_script", "stylise", "wild_path",
]  # fmt: skip
