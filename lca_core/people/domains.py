"""The two domains a digital human is recorded in: the studio, and the wild.

studio: many cameras all round a few poses, even light, plain grey behind, every parameter exact.
wild: one hand-held camera and one clip, casual light, cluttered background, blur, noise and JPEG; body parameters
as a tracker gives them, with errors. Facial actions are the truth in both (meta says so): a learned code takes
their place in the model's input.
"""

import gc
import io
from functools import lru_cache

import numpy as np
import torch
from PIL import Image, ImageFilter

from lca_core.body import JOINT_NAMES, BodyModel, full_pose
from lca_core.body.driving import GAZE, THETA, theta_slice
from lca_core.body.layout import HAND_JOINTS
from lca_core.data.records import Frame, Person, Picture
from lca_core.errors import InputError
from lca_core.people import backgrounds
from lca_core.people.cameras import face_crop, sees_face, studio_ring, wild_path
from lca_core.people.human import DigitalHuman
from lca_core.people.light import Light, casual_light, studio_light
from lca_core.people.motion import MOTIONS, Motion, motion
from lca_core.people.parts import Surface
from lca_core.people.poses import STANCES, face, random_face, random_gaze, standing
from lca_core.people.render import Stage, to_linear
from lca_core.people.spec import sample_person
from lca_core.profiles import Profile
from lca_core.profiles import profile as profile_named

DOMAINS = ("studio", "wild")
_HEAD = JOINT_NAMES.index("head")
_CLIP_FPS = 2.5  # pictures a second of a wild clip: far enough apart to differ


def render_person(seed: int, domain: str, profile: Profile | str) -> Person:
    """Everything recorded of the digital human `seed` in `domain` ("studio" or "wild") at a profile's sizes.

    The same arguments give the same person and pixels; both domains show the same person. InputError for a
    domain there is not.
    """
    profile = profile_named(profile) if isinstance(profile, str) else profile
    if domain not in DOMAINS:
        raise InputError(f"no domain is called {domain!r}; choose one of {', '.join(DOMAINS)}")
    generator = np.random.default_rng([seed, DOMAINS.index(domain)])
    spec = sample_person(seed)
    actor = _Actor(spec)
    frames, meta = (_studio if domain == "studio" else _wild)(actor, profile, generator)
    betas = spec.betas.astype(np.float32)
    if domain == "wild":
        betas = betas + np.pad(generator.normal(0, 0.02, 10), (0, len(betas) - 10)).astype(np.float32)
    meta |= {"looks": spec.meta(), "actions": "truth", "profile": profile.name, "licence": "CC0-1.0"}
    gc.collect()  # frees the scene, so that the next one finds its compiled kernels again
    return Person(f"{domain}-{seed:06d}", domain, seed, betas, tuple(frames), meta)


class _Actor:
    """A digital human that stands on the floor and knows where its face is."""

    def __init__(self, spec):
        self.human = DigitalHuman.build(spec)
        self.skin = float(to_linear(np.round(255 * np.array(spec.skin.color))).mean())  # albedo
        self._body = _body()
        self._betas = torch.from_numpy(spec.betas.astype(np.float32))[None]
        rest = self._body.rest(self._betas)
        head = rest[0, self._body.weights[:, _HEAD] > 0.5].numpy()
        self._head_centre = (head.min(0) + head.max(0)) / 2

    def pose(self, theta: np.ndarray, root: np.ndarray, gaze: np.ndarray, actions: np.ndarray):
        """(parts, root [6] with the lowest point of the body on the floor, head centre [3], face direction [3])."""
        tensors = [torch.from_numpy(np.asarray(x, np.float32)) for x in (theta, root, gaze)]
        pose = full_pose(*tensors)
        posed = self._body(self._betas, None, pose[None])
        root = np.asarray(root, np.float32).copy()
        root[4] = -posed.vertices[0, :, 1].min().item()
        parts = self.human.pose(pose.numpy(), root[3:], actions)
        head = posed.transforms[0, _HEAD].numpy()
        return parts, root, head[:3, :3] @ self._head_centre + head[:3, 3] + root[3:], head[:3, 2]


def _studio(actor: _Actor, profile: Profile, generator: np.random.Generator) -> tuple[list[Frame], dict]:
    light, stage, frames = studio_light(), None, []
    for instant, moment in enumerate(_studio_moments(profile.studio_poses, generator)):
        parts, root, head, forward = actor.pose(*moment)
        start = generator.uniform(-0.5, 0.5) * 2 * np.pi / profile.studio_cameras if instant else 0.0
        ring = studio_ring(points_of(parts), profile.studio_cameras, profile.body_px, generator, start)
        faces = [face_crop(c, head, profile.face_px) if sees_face(c, head, forward) else None for c in ring]
        stage = _show(stage, parts, light)
        shots = stage.shoot([*ring, *filter(None, faces)], profile.samples_per_pixel, seed=instant)
        crops = iter(shots[len(ring) :])
        for camera, crop, shot in zip(ring, faces, shots):
            face_picture = Picture(*next(crops), crop) if crop else None
            theta, _, gaze, actions = moment
            frames.append(Frame(Picture(*shot, camera), face_picture, theta, root, gaze, actions, instant))
    return frames, {"light": light.name}


def _wild(actor: _Actor, profile: Profile, generator: np.random.Generator) -> tuple[list[Frame], dict]:
    name = str(generator.choice(list(MOTIONS)))
    clip = motion(name, generator, profile.wild_frames, _CLIP_FPS)
    light, backdrop = _exposed(casual_light(generator), actor.skin), backgrounds.background(generator)
    lens = _Lens(generator)
    posed = [actor.pose(*moment) for moment in zip(*clip)]
    path = wild_path([points_of(parts) for parts, *_ in posed], profile.body_px, generator)
    tracked = tracker_errors(clip._replace(root=np.stack([root for _, root, *_ in posed])), generator)
    stage, frames = None, []
    for i, ((parts, _, head, forward), camera) in enumerate(zip(posed, path)):
        crop = face_crop(camera, head, profile.face_px) if sees_face(camera, head, forward) else None
        views = [camera, crop] if crop else [camera]
        pan = 0.5 + 0.25 * np.sin(np.arctan2(camera.viewmat[2, 0], -camera.viewmat[2, 2]))
        behind = [backgrounds.behind(backdrop, pan, camera, view) for view in views]
        stage = _show(stage, parts, light)
        shots = stage.shoot(views, profile.samples_per_pixel, behind, seed=i)
        pictures = [Picture(lens(image), matte, view) for (image, matte), view in zip(shots, views)]
        frames.append(
            Frame(
                pictures[0],
                pictures[1] if crop else None,
                tracked.theta[i],
                tracked.root[i],
                tracked.gaze[i],
                clip.actions[i],
                i,
            )  # fmt: skip
        )
    return frames, {"light": light.name, "motion": name, "parameters": "with a tracker's errors", "compressed": True}


def _studio_moments(count: int, generator: np.random.Generator) -> list[tuple[np.ndarray, ...]]:
    """(theta, root, gaze, actions) of each instant: first a calm stance with a neutral face, then varied ones."""
    calm = (standing(generator, "calm"), np.zeros(6, np.float32), np.zeros(GAZE, np.float32), face("neutral"))
    moments = [calm]
    stances = [s for s in STANCES if s != "calm"]
    order = [str(s) for _ in range(count // len(stances) + 1) for s in generator.permutation(stances)]
    for name in order[: count - 1]:
        root = np.array([0, generator.uniform(-0.35, 0.35), 0, 0, 0, 0], np.float32)
        moments.append((standing(generator, name), root, random_gaze(generator), random_face(generator)))
    return moments[:count]


def tracker_errors(clip: Motion, generator: np.random.Generator) -> Motion:
    """The clip as a tracker fitted to mattes would give it: half of each error constant, half new each frame.

    Standard deviations: body joints 0.5 degrees, fingers 3, pelvis 0.3 degrees and 2 mm, gaze 3 degrees. With the
    error of the shape the skin is 0.9 px off on average where a body is 120 px tall (validation people), about what
    fitting to silhouettes leaves.
    """
    frames = len(clip.theta)
    theta_sd = np.full(THETA, np.radians(0.5))
    for joint in HAND_JOINTS:
        theta_sd[theta_slice(joint)] = np.radians(3)
    root_sd = np.array([np.radians(0.3)] * 3 + [0.002] * 3)
    gaze_sd = np.full(GAZE, np.radians(3))

    def noisy(values: np.ndarray, sd: np.ndarray) -> np.ndarray:
        constant, fresh = generator.normal(0, 1, len(sd)), generator.normal(0, 1, (frames, len(sd)))
        return (values + sd * (constant + fresh) / np.sqrt(2)).astype(np.float32)

    return clip._replace(
        theta=noisy(clip.theta, theta_sd), root=noisy(clip.root, root_sd), gaze=noisy(clip.gaze, gaze_sd)
    )


class _Lens:
    """What a casual camera does to a picture: a little blur, noise, a colour cast, JPEG. One a clip."""

    def __init__(self, generator: np.random.Generator):
        self._generator = generator
        self._blur = float(np.clip(generator.normal(0.2, 0.3), 0, 0.9))
        self._noise = float(generator.uniform(0, 5))
        self._gain = generator.uniform(0.92, 1.08) * generator.normal(1, 0.02, 3)
        self._quality = int(generator.integers(55, 96))

    def __call__(self, image: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(image)
        if self._blur > 0.15:
            picture = picture.filter(ImageFilter.GaussianBlur(self._blur))
        noisy = np.asarray(picture) * self._gain + self._generator.normal(0, self._noise, image.shape)
        buffer = io.BytesIO()
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=self._quality)
        return np.array(Image.open(buffer))


def points_of(parts: list) -> np.ndarray:
    """A sample [N, 3] of the points of all parts, for framing."""
    points = [p.vertices[::5] if isinstance(p, Surface) else p.points.reshape(-1, 3)[::29] for p in parts]
    return np.concatenate(points)


def _exposed(light: Light, albedo: float) -> Light:
    """The light as a camera's automatic exposure leaves it: a little more for dark skin, a little less for light."""
    return Light(light.name, light.environment * np.float32(np.clip((0.25 / albedo) ** 0.35, 0.85, 1.7)))


def _show(stage: Stage | None, parts: list, light) -> Stage:
    if stage is None:
        return Stage(parts, light)
    stage.move(parts)
    return stage


@lru_cache(maxsize=1)
def _body() -> BodyModel:
    return BodyModel.load()
