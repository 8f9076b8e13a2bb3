"""Digital humans: seeds in, records of people with exact truth out."""

from lca_core.people.cameras import around, face_crop, look_at, studio_ring, wild_path
from lca_core.people.domains import DOMAINS, render_person
from lca_core.people.human import DigitalHuman
from lca_core.people.light import CASUAL, Light, casual_light, studio_light
from lca_core.people.motion import MOTIONS, Motion, motion
from lca_core.people.parts import PART_IDS, Strands, Surface
from lca_core.people.poses import FACES, HANDS, STANCES, face, standing
from lca_core.people.production import cached_people, render_people
from lca_core.people.render import Stage, render
from lca_core.people.spec import PersonSpec, sample_person

__all__ = [
    "CASUAL", "DOMAINS", "FACES", "HANDS", "MOTIONS", "PART_IDS", "STANCES", "DigitalHuman", "Light", "Motion",
    "PersonSpec", "Stage", "Strands", "Surface", "around", "cached_people", "casual_light", "face", "face_crop",
    "look_at", "motion", "render", "render_people", "render_person", "sample_person", "standing", "studio_light",
    "studio_ring", "wild_path",
]  # fmt: skip
