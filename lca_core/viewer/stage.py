"""Where avatars are looked at: cameras round them, ready-made driving signals, pictures of both."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from lca_core.body import ACTIONS, Driving, theta_slice
from lca_core.data import Camera, camera_tensors
from lca_core.data.cameras import around, face_crop
from lca_core.data.sphere import Light, turned
from lca_core.errors import InputError
from lca_core.model import Avatar
from lca_core.model.shading import eyes_of
from lca_core.motion.motions import MOTIONS, motion
from lca_core.splats import Gaussians, draw


def body_camera(
    avatar: Avatar, azimuth: float = 0.0, px: int = 256, elevation: float = 0.08, reach: float = 0.0
) -> Camera:
    """A camera that frames the whole avatar in an A-pose; azimuth 0 sees the front, positive its left side.

    reach: extra room for stretched arms, as a share of the height.
    """
    points = avatar.drive(Driving.neutral()).means[0]
    low, high = points.quantile(0.002, 0), points.quantile(0.998, 0)
    box = torch.stack([low, high]).numpy()
    corners = np.array([[box[i, 0], box[j, 1], box[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    middle = corners.mean(0)
    return around(middle + (corners - middle) * (1 + reach), azimuth, elevation, 3.2, px, 0.88)


def head_camera(avatar: Avatar, azimuth: float = 0.0, px: int = 256) -> Camera:
    """A camera on the head in rest."""
    centre = avatar.rest_joints[15].numpy() + np.array([0, 0.06, 0.04], np.float32)
    return face_crop(body_camera(avatar, azimuth, px), centre, px)


@torch.no_grad()
def picture(gaussians: Gaussians, camera: Camera, background: Sequence[float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    """uint8 [H, W, 3] of Gaussians [N] seen by a camera."""
    viewmat, K = (x[None] for x in camera_tensors(camera, gaussians.means.device))
    colors, _ = draw(gaussians, viewmat, K, camera.width, camera.height, gaussians.means.new_tensor(background))
    return (colors[0].clamp(0, 1) * 255).round().byte().numpy()


def show(avatar: Avatar, driving: Driving, camera: Camera, light: Light | None = None) -> np.ndarray:
    """uint8 [H, W, 3] of the first frame of a driving signal; light: other than the photographs'."""
    eye = None if light is None else eyes_of(camera_tensors(camera)[0])
    return picture(avatar.drive(driving[:1], light, eye).map(lambda t: t[0]), camera)


def code_of(avatar: Avatar, actions: dict[str, float]) -> Float[Tensor, "1 128"]:
    """epsilon for facial actions by name, e.g. {"jawOpen": 0.7}; InputError for a name that is none."""
    unknown = [name for name in actions if name not in ACTIONS]
    if unknown:
        raise InputError(f"no facial action is called {', '.join(unknown)}; there are {', '.join(ACTIONS)}")
    values = torch.zeros(1, len(ACTIONS))
    for name, amount in actions.items():
        values[0, ACTIONS.index(name)] = amount
    return avatar.action_map(values)


def pose(avatar: Avatar, actions: dict[str, float] | None = None, gaze: tuple[float, float] = (0.0, 0.0),
         turn: float = 0.0, **joints: tuple[float, float, float]) -> Driving:  # fmt: skip
    """One frame of driving from names: joints as axis-angle radians over an A-pose, actions, gaze (yaw, pitch).

    turn: radians the whole person turns to their left.
    """
    driving = Driving.neutral()
    for joint, rotation in joints.items():
        driving.theta[0, theta_slice(joint)] = torch.tensor(rotation)
    driving.epsilon[:] = code_of(avatar, actions or {})
    driving.gaze[0] = torch.tensor([*gaze, *gaze])
    driving.root[0, 1] = turn
    return driving


def fist(side: str, amount: float = 1.3) -> dict[str, tuple[float, float, float]]:
    """Joint rotations that close a hand ("left" or "right")."""
    sign = -1.0 if side == "left" else 1.0
    fingers = {
        f"{side}_{f}{k}": (0.0, 0.0, sign * amount) for f in ("index", "middle", "ring", "pinky") for k in (1, 2, 3)
    }
    return fingers | {f"{side}_thumb{k}": (0.0, sign * 0.5, 0.0) for k in (2, 3)}


def examples(avatar: Avatar) -> dict[str, Driving]:
    """Six driving signals that between them move arms, legs, fingers, face and eyes."""
    pointing = {joint: turn for joint, turn in fist("right").items() if "index" not in joint}
    return {
        "arms up": pose(avatar, left_shoulder=(0.0, 0.0, 0.9), right_shoulder=(0.0, 0.0, -0.9)),
        "step": pose(avatar, turn=0.6, left_hip=(-0.6, 0.0, 0.0), left_knee=(0.5, 0.0, 0.0), right_hip=(0.3, 0.0, 0.0),
                     left_shoulder=(0.4, 0.0, -1.1), right_shoulder=(-0.4, 0.0, 1.1)),
        "point": pose(avatar, right_shoulder=(0.0, 0.2, 0.1), **pointing),
        "smile": pose(avatar, {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}),
        "open mouth": pose(avatar, {"jawOpen": 0.9, "eyeWideLeft": 0.6, "eyeWideRight": 0.6}),
        "look left": pose(avatar, gaze=(0.45, 0.0)),
    }  # fmt: skip


def motion_driving(avatar: Avatar, name: str, frames: int = 50, fps: float = 25.0, seed: int = 0) -> Driving:
    """A ready-made motion as a driving signal; InputError for a name that is none."""
    if name not in MOTIONS:
        raise InputError(f"no motion is called {name!r}; choose one of {', '.join(MOTIONS)}")
    clip = motion(name, np.random.default_rng(seed), frames, fps)
    theta, root, gaze, actions = (torch.from_numpy(np.asarray(x, np.float32)) for x in clip)
    return Driving(theta, avatar.action_map(actions), gaze, root)


def clip(
    avatar: Avatar,
    driving: Driving,
    camera: Camera | Callable[[int], Camera],
    progress: bool = True,
    light: Light | None = None,
    light_turns: float = 0.0,
) -> Iterator[np.ndarray]:
    """Pictures of every frame of a driving signal, one after the other.

    camera: one, or for every frame, by its number, its own. light: other than the photographs'; light_turns: how often
    it goes round the person meanwhile.
    """
    for i in tqdm(range(len(driving)), desc="drive", unit="frame", disable=not progress):
        now = light and turned(light, 2 * np.pi * light_turns * i / len(driving))
        yield show(avatar, driving[i : i + 1], camera(i) if callable(camera) else camera, now)


def under_lights(
    avatar: Avatar, lights: Sequence[Light], driving: Driving | None = None, px: int = 192, azimuth: float = 0.3
) -> list[np.ndarray]:
    """Pictures of one frame (default: an A-pose) under one light after another."""
    driving, camera = driving or Driving.neutral(), body_camera(avatar, azimuth, px)
    return [show(avatar, driving, camera, light) for light in lights]


def turntable(avatar: Avatar, count: int = 6, px: int = 192) -> list[np.ndarray]:
    """Pictures all round, in an A-pose."""
    return [show(avatar, Driving.neutral(), body_camera(avatar, 2 * np.pi * i / count, px)) for i in range(count)]
