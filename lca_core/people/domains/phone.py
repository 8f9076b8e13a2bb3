"""Photographs as people take them of each other with a phone: square, large, and nothing told but the pixels.

One place and one light; every picture another pose, face and viewpoint, most of them whole bodies. The first four are
the photographs that an avatar is made of, the others are held out. There are no crops; cameras, poses and facial
actions are the truth and only there to judge by.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from lca_core.data.cameras import around
from lca_core.data.light import casual_light, exposed
from lca_core.data.records import Camera
from lca_core.motion.faces import FACES, face, look_actions, random_gaze
from lca_core.motion.poses import standing
from lca_core.people.domains.recording import Actor, Moment, Recorded, Recorder, points_of
from lca_core.people.stage import backgrounds
from lca_core.people.stage.lens import Lens, colour_cast
from lca_core.profiles import Profile

PHOTOGRAPHS, HELD_OUT = 4, 4
_POSED = ("calm", "relaxed", "hips", "stride")  # stances of who is photographed
_FREE = (*_POSED, "reach", "up", "wave")  # and of the pictures held out
_CLOSE = 0.5  # share of people of whom one photograph shows head and chest only
_CHEST = 0.68  # of a person's height: where that begins
_ROLL = 0.03  # radians, standard deviation


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """Four photographs and four pictures held out, of `profile.phone_px`; `instant` counts them."""
    light, backdrop = exposed(casual_light(generator), actor.skin), backgrounds.background(generator)
    lens, recorder = Lens(generator, colour_cast(generator)), Recorder(profile, truth, crops=False)
    close = int(generator.integers(PHOTOGRAPHS)) if generator.random() < _CLOSE else None
    frames = []
    for instant, azimuth in enumerate(_azimuths(generator)):
        moment = _moment(generator, _POSED if instant < PHOTOGRAPHS else _FREE)
        cloth = actor.settled(moment)
        posed = actor.pose(moment, cloth)
        points, distance = points_of(posed.parts), generator.uniform(1.9, 3.2)
        if instant == close:
            points, distance, azimuth = _chest(points), generator.uniform(0.9, 1.3), generator.uniform(-0.5, 0.5)
        camera = _held(generator, points, azimuth, distance, profile.phone_px)
        pan = 0.5 + 0.25 * np.sin(azimuth)

        def behind(body: Camera, view: Camera, pan: float = pan) -> np.ndarray:
            return backgrounds.behind(backdrop, pan, body, view)

        moment = (moment[0], posed.root, *moment[2:])
        frames += recorder.take(posed, light, [camera], moment, instant, behind, lens, cloth=bool(cloth))
    meta = {"light": light.name, "photographs": PHOTOGRAPHS, "parameters": "truth, to judge by", "compressed": True}
    return Recorded(frames, meta)


def _azimuths(generator: np.random.Generator) -> list[float]:
    """Where the photographer stands: before the person, to one side, to the other side, anywhere in front or right
    behind; then wherever the four held-out pictures are taken from."""
    u, side = generator.uniform, generator.choice([-1, 1])
    last = np.pi + u(-0.5, 0.5) if generator.random() < 0.5 else u(-1.0, 1.0)
    return [
        u(-0.25, 0.25),
        side * u(0.4, 1.0),
        -side * u(0.7, 1.6),
        last,
        *u(-1.4, 1.4, HELD_OUT - 1),
        u(-np.pi, np.pi),
    ]


def _moment(generator: np.random.Generator, stances: tuple[str, ...]) -> Moment:
    theta, gaze = standing(generator, str(generator.choice(stances))), random_gaze(generator)
    moods = [name for name in FACES if name != "blink"]
    actions = np.maximum(face(str(generator.choice(moods)), generator.uniform(0.2, 0.9)), look_actions(gaze))
    return theta, np.array([0, generator.uniform(-0.3, 0.3), 0, 0, 0, 0], np.float32), gaze, actions


def _held(generator: np.random.Generator, points: np.ndarray, azimuth: float, distance: float, px: int) -> Camera:
    """A camera in a hand: at the height of chest or eyes, a little tilted, the person not quite in the middle."""
    fill = generator.uniform(0.72, 0.92)
    camera = around(points, azimuth, generator.uniform(-0.1, 0.2), distance, px, fill)
    free = 0.35 * (1 - fill) * px / float(camera.K[0, 0])  # radians that the person may be off the middle
    off = [*generator.uniform(-free, free, 2) * [0.4, 1.0], np.clip(generator.normal(0, _ROLL), -2 * _ROLL, 2 * _ROLL)]
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(off).as_matrix()
    return Camera((turn @ camera.viewmat).astype(np.float32), camera.K, px, px)


def _chest(points: np.ndarray) -> np.ndarray:
    low, high = points[:, 1].min(), points[:, 1].max()
    return points[points[:, 1] > low + _CHEST * (high - low)]
