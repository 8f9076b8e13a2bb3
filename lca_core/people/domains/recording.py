"""What the domains share: a digital human that stands on the floor, and pictures of it made into frames."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from lca_core.body import JOINT_NAMES, BodyModel, full_pose
from lca_core.body.layout import HAND_JOINTS
from lca_core.data.cameras import FACE_SIDE, HAND_SIDE, face_crop, project, sees_face, square_crop
from lca_core.data.light import Light
from lca_core.data.records import HANDS, Camera, Frame, Picture, Truth
from lca_core.data.srgb import to_linear
from lca_core.people.body.parts import Strands, Surface
from lca_core.people.clothes.cloth import FPS
from lca_core.people.stage.human import DigitalHuman
from lca_core.people.stage.render import Shot, Stage
from lca_core.people.styles.exaggerate import Proportions
from lca_core.people.styles.fields import Layers
from lca_core.people.who.spec import PersonSpec
from lca_core.profiles import Profile

_HEAD = JOINT_NAMES.index("head")
_HANDS = np.array([  # of the left and the right: the wrist and the fifteen joints of the fingers
    [JOINT_NAMES.index(name) for name in (f"{side}_wrist", *HAND_JOINTS) if name.startswith(side)]
    for side in ("left", "right")
])  # fmt: skip
_MIDDLE = 1 + [name for name in HAND_JOINTS if name.startswith("left")].index("left_middle1")
_COVERED = 0.06  # metres before a joint at which something else hides it: skin and other fingers are nearer
_SHOWN = 0.5  # share of a hand's joints in the picture and not hidden, from which on its crop is taken
_ENVIRONMENT = (16, 32)  # pixels of the light that a frame records

Moment = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # theta [138], root [6], gaze [4], actions [52]
Parts = list[Surface | Strands]


class Recorded(NamedTuple):
    """What a domain makes of a person. betas [300]: as recorded, where a tracker made them; None: the person's own."""

    frames: list[Frame]
    meta: dict
    betas: np.ndarray | None = None


class Posed(NamedTuple):
    """A person in place. root [6]: with the lowest point of the body on the floor; head: centre [3]; forward: the
    direction [3] of the face; hands: joints [2, 16, 3] of the left and the right, the wrists first; head_size: of an
    ordinary head's."""

    parts: Parts
    root: np.ndarray
    head: np.ndarray
    forward: np.ndarray
    hands: np.ndarray
    head_size: float = 1.0


class Actor:
    """A digital human that stands on the floor and knows where its face is."""

    def __init__(self, spec: PersonSpec, proportions: Proportions | None = None):
        self.human = DigitalHuman.build(spec, proportions=proportions)
        self.skin = float(to_linear(np.round(255 * np.array(spec.skin.color))).mean())  # albedo
        self._head_size = proportions.head if proportions else 1.0
        self._body = _body()
        self._betas = torch.from_numpy(spec.betas.astype(np.float32))[None]
        rest = self._body.rest(self._betas)
        head = rest[0, self._body.weights[:, _HEAD] > 0.5].numpy()
        self._joints = self._body.rest_joints(self._betas)[0].numpy()
        self._head_centre = (head.min(0) + head.max(0)) / 2

    def grounded(self, theta: np.ndarray, root: np.ndarray, gaze: np.ndarray) -> np.ndarray:
        """Roots [T, 6] with the lowest point of the body on the floor, for signals of T moments."""
        tensors = [torch.from_numpy(np.asarray(x, np.float32)) for x in (theta, root, gaze)]
        root = np.array(root, np.float32)
        for i, pose in enumerate(full_pose(*tensors)):
            root[i, 4] = -self._body(self._betas, None, pose[None]).vertices[0, :, 1].min().item()
        return root

    def pose(self, moment: Moment, hanging: dict[int, np.ndarray] | None = None) -> Posed:
        """The person at a moment, on the floor; hanging: loose cloth of this moment (`DigitalHuman.hang`)."""
        theta, root, gaze, actions = moment
        root = self.grounded(theta[None], root[None], gaze[None])[0]
        pose = full_pose(*(torch.from_numpy(np.asarray(x, np.float32)) for x in (theta, root, gaze)))
        parts = self.human.pose(pose.numpy(), root[3:], actions, hanging)
        transforms = self.human.transforms(pose.numpy(), root[3:])
        head = transforms[_HEAD]
        joints = (transforms[:, :, :3] @ self._joints[..., None])[..., 0] + transforms[:, :, 3]
        centre = head[:, :3] @ self._head_centre + head[:, 3]
        return Posed(parts, root, centre, head[:, 2].copy(), joints[_HANDS], self._head_size)

    def hang(self, theta: np.ndarray, root: np.ndarray, gaze: np.ndarray, fps: float) -> list[dict[int, np.ndarray]]:
        """Loose cloth at each of T moments of a clip at `fps`; roots must be grounded."""
        pose = full_pose(*(torch.from_numpy(np.asarray(x, np.float32)) for x in (theta, root, gaze)))
        return self.human.hang(pose.numpy(), np.asarray(root, np.float32)[:, 3:], fps)

    def settled(self, moment: Moment) -> dict[int, np.ndarray]:
        """Loose cloth come to rest in a pose that is held, as `pose` takes it; empty where no clothes are loose."""
        theta, root, gaze, _ = (values[None] for values in moment)
        return self.hang(theta, self.grounded(theta, root, gaze), gaze, FPS)[0]


class Recorder:
    """Takes frames of one person under one light after another, on one stage.

    crops: whether frames have crops of face and hands, too.
    """

    def __init__(self, profile: Profile, truth: bool, crops: bool = True):
        self._spp, self._face_px, self._hand_px = profile.samples_per_pixel, profile.face_px, profile.hand_px
        self._truth, self._crops = truth, crops
        self._stage: Stage | None = None
        self._light: Light | None = None
        self._shots = 0

    def stage(self, parts: Parts, light: Light) -> Stage:
        """The stage with these parts under this light."""
        if self._stage is None:
            self._stage = Stage(parts, light)
        else:
            self._stage.move(parts)
            if light is not self._light:
                self._stage.relight(light)
        self._light = light
        return self._stage

    def take(
        self,
        posed: Posed,
        light: Light,
        cameras: Sequence[Camera],
        moment: Moment,
        instant: int,
        background: Callable[[Camera, Camera], np.ndarray] | None = None,
        lens: Callable[[Shot, Camera, Camera, str], Shot] | None = None,
        style: Callable[[Layers], np.ndarray] | None = None,
        cloth: bool = False,
    ) -> list[Frame]:
        """One frame a camera, with its face crop where the face is seen, and crops of the hands that are.

        moment: the parameters as they are to be recorded; background(body, view): what is behind the person in a
        view of the body's camera; lens(shot, body, view, name): what becomes of a shot, named as in
        `Frame.pictures`; style(layers): a picture drawn from what the renderer knows, in place of the photograph
        (without hands: they would be a few strokes).
        """
        stage = self.stage(posed.parts, light)
        frames = []
        for camera in cameras:
            views = {"body": camera}
            if self._crops and sees_face(camera, posed.head, posed.forward):
                views["face"] = face_crop(camera, posed.head, self._face_px, FACE_SIDE * posed.head_size)
            whole = None if style or not (self._crops or self._truth) else stage.truth(camera)
            if whole and self._crops:
                views |= self._hands(whole, camera, posed.hands)
            behind = [background(camera, view) for view in views.values()] if background else None
            self._shots += 1
            if style:
                shots = [self._styled(stage, view, b, style) for view, b in zip(views.values(), behind)]
            else:
                shots = stage.shoot([*views.values()], self._spp, behind, seed=self._shots)
                if self._truth:
                    crops = [*views.values()][1:]
                    truths = [whole, *map(stage.truth, crops)]
                    shots = [shot._replace(truth=truth) for shot, truth in zip(shots, truths)]
            if lens:
                shots = [lens(shot, camera, view, name) for shot, (name, view) in zip(shots, views.items())]
            pictures = {
                name: Picture(shot.image, shot.matte, view, shot.truth, shot.hidden)
                for shot, (name, view) in zip(shots, views.items())
            }
            theta, root, gaze, actions = moment
            frames.append(
                Frame(
                    pictures["body"],
                    pictures.get("face"),
                    theta,
                    root,
                    gaze,
                    actions,
                    instant,
                    light=light.name,
                    environment=environment_of(light) if self._truth else None,
                    cloth=cloth,
                    hands=tuple(pictures.get(name) for name in HANDS),
                )  # fmt: skip
            )
        return frames

    def _hands(self, truth: Truth, camera: Camera, hands: np.ndarray) -> dict[str, Camera]:
        """Crops of the hands [2, 16, 3] that a camera sees: most joints in its picture, with nothing else before them.

        truth: of the camera's picture.
        """
        crops = {}
        for name, joints in zip(HANDS, hands):
            if _uncovered(truth, camera, joints).mean() >= _SHOWN:
                crops[name] = square_crop(camera, joints[_MIDDLE], HAND_SIDE, self._hand_px)
        return crops

    def _styled(self, stage: Stage, view: Camera, behind: np.ndarray, style: Callable[[Layers], np.ndarray]) -> Shot:
        traced, truth = stage.trace(view, self._spp, self._shots), stage.truth(view)
        layers = Layers(*traced, truth.normals, truth.depth, truth.parts, behind)
        matte = np.round(traced.alpha[..., 0] * 255).astype(np.uint8)
        return Shot(style(layers), matte, truth if self._truth else None)


def _uncovered(truth: Truth, camera: Camera, points: np.ndarray) -> np.ndarray:
    """bool [N]: points [N, 3] of a body that fall into a picture with nothing but their own skin before them."""
    depth = points @ camera.viewmat[2, :3] + camera.viewmat[2, 3]
    column, row = np.floor(project(camera, points)).astype(int).T
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height) & (depth > 0)
    nearest = truth.depth[row.clip(0, camera.height - 1), column.clip(0, camera.width - 1)]
    return inside & ((nearest == 0) | (nearest > depth - _COVERED))


def environment_of(light: Light) -> np.ndarray:
    """The light as a frame records it: float16 [16, 32, 3], means over squares of its map."""
    (h, w), environment = _ENVIRONMENT, light.environment
    rows, columns = environment.shape[0] // h, environment.shape[1] // w
    return environment.reshape(h, rows, w, columns, 3).mean((1, 3)).astype(np.float16)


def points_of(parts: Parts) -> np.ndarray:
    """A sample [N, 3] of the points of all parts, for framing."""
    points = [p.vertices[::5] if isinstance(p, Surface) else p.points.reshape(-1, 3)[::29] for p in parts]
    return np.concatenate(points)


@lru_cache(maxsize=1)
def _body() -> BodyModel:
    return BodyModel.load()
