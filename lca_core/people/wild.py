"""In the wild: one hand-held camera and one clip, any light, clutter behind and now and then before the person.

Body parameters are as a tracker gives them, with errors; pictures have a phone's blur, noise and compression.
"""

import io

import numpy as np
from PIL import Image, ImageFilter

from lca_core.data.records import HANDS, Camera, Truth
from lca_core.people import backgrounds
from lca_core.people.cameras import wild_path
from lca_core.people.light import Light, casual_light
from lca_core.people.motion import MOTIONS, Motion, motion
from lca_core.people.recording import Actor, Recorded, Recorder, points_of
from lca_core.people.render import Shot
from lca_core.people.tracker import track
from lca_core.profiles import Profile

FPS = 2.5  # pictures a second: far enough apart to differ
_HALF_BODY = 0.15  # share of clips that show the upper body only
_OCCLUDED = 0.10  # share of clips with something before the person
_ABOVE = 0.45  # of a person's height: where the upper body begins


def record(actor: Actor, profile: Profile, generator: np.random.Generator, truth: bool) -> Recorded:
    """A clip of `profile.wild_frames` pictures."""
    name, clip = acted(generator, profile.wild_frames)
    light, backdrop = _exposed(casual_light(generator), actor.skin), backgrounds.background(generator)
    half = generator.random() < _HALF_BODY
    occluder = backgrounds.occluder(generator) if generator.random() < _OCCLUDED else None
    lens = _Lens(generator, occluder)
    posed = [actor.pose(moment) for moment in zip(*clip)]
    shown = [points_of(p.parts) for p in posed]
    path = wild_path([_upper(points) for points in shown] if half else shown, profile.body_px, generator)
    standing = clip._replace(root=np.stack([p.root for p in posed]))
    tracked, betas = track(standing, actor.human.spec.betas, path, generator)
    recorder, frames = Recorder(profile, truth), []
    for i, (person, camera) in enumerate(zip(posed, path)):
        pan = 0.5 + 0.25 * np.sin(np.arctan2(camera.viewmat[2, 0], -camera.viewmat[2, 2]))

        def behind(body: Camera, view: Camera, pan: float = pan) -> np.ndarray:
            return backgrounds.behind(backdrop, pan, body, view)

        frames += recorder.take(person, light, [camera], tuple(values[i] for values in tracked), i, behind, lens)
    meta = {"light": light.name, "motion": name, "parameters": "with a tracker's errors", "compressed": True}
    return Recorded(frames, meta | {"half_body": half, "occluded": occluder is not None}, betas)


def acted(generator: np.random.Generator, frames: int) -> tuple[str, Motion]:
    """The motion of a clip and its true driving signals: what is drawn first of a person's random numbers."""
    name = str(generator.choice(list(MOTIONS)))
    return name, motion(name, generator, frames, FPS)


class _Lens:
    """What a casual camera does to a picture: something in the way, a little blur, noise, a colour cast, JPEG."""

    def __init__(self, generator: np.random.Generator, occluder: Image.Image | None):
        self._occluder = occluder
        self._grain = dict.fromkeys(("body", "face"), generator) | dict(zip(HANDS, generator.spawn(2)))
        self._blur = float(np.clip(generator.normal(0.2, 0.3), 0, 0.9))
        self._noise = float(generator.uniform(0, 5))
        self._gain = generator.uniform(0.92, 1.08) * generator.normal(1, 0.02, 3)
        self._quality = int(generator.integers(55, 96))

    def __call__(self, shot: Shot, body: Camera, view: Camera, name: str) -> Shot:
        image, matte, truth, hidden = shot
        if self._occluder is not None:
            front = backgrounds.before(self._occluder, body, view)
            cover = front[..., 3:] / 255
            image = np.round(image * (1 - cover) + front[..., :3] * cover).astype(np.uint8)
            matte = np.round(matte * (1 - cover[..., 0])).astype(np.uint8)
            hidden = front[..., 3]
            if truth is not None:
                open_ = cover[..., 0] < 0.5
                truth = Truth(truth.depth * open_, truth.normals * open_[..., None], truth.parts * open_)
        return Shot(self._taken(image, self._grain[name]), matte, truth, hidden)

    def _taken(self, image: np.ndarray, grain: np.random.Generator) -> np.ndarray:
        picture = Image.fromarray(image)
        if self._blur > 0.15:
            picture = picture.filter(ImageFilter.GaussianBlur(self._blur))
        noisy = np.asarray(picture) * self._gain + grain.normal(0, self._noise, image.shape)
        buffer = io.BytesIO()
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=self._quality)
        return np.array(Image.open(buffer))


def _upper(points: np.ndarray) -> np.ndarray:
    low, high = points[:, 1].min(), points[:, 1].max()
    return points[points[:, 1] > low + _ABOVE * (high - low)]


def _exposed(light: Light, albedo: float) -> Light:
    """The light as a camera's automatic exposure leaves it: a little more for dark skin, a little less for light."""
    return Light(light.name, light.environment * np.float32(np.clip((0.25 / albedo) ** 0.5, 0.8, 2.2)))
