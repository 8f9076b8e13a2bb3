"""Small pictures of what was kept and what was dropped, for the report page: a strip of frames an item."""

from functools import cache

import numpy as np
import torch
from PIL import Image, ImageDraw

from lca_core.body import JOINT_NAMES, BodyModel, full_pose, joint_transforms
from lca_core.curation.stages import CuratedClip
from lca_core.data.records import Frame, Person

HEIGHT, COLUMNS = 144, 6
_KEPT, _DROPPED, _BONE = (60, 160, 80), (200, 60, 50), (255, 150, 40)
_BODY = 22  # joints of the body without face and fingers


def clip_strip(clip: CuratedClip) -> np.ndarray:
    """uint8 [144, w, 3]: frames of a clip, evenly; kept ones framed green, dropped ones red, and the fitted body of
    kept clips beside them."""
    chosen = np.unique(np.linspace(0, len(clip.frames) - 1, COLUMNS).round().astype(int))
    frames = [clip.frames[i] for i in chosen]
    tiles = [_tile(f.image, _KEPT if f.verdict is not None and f.verdict.keep else _DROPPED) for f in frames]
    return np.hstack(tiles + ([] if clip.person is None else _bodies(clip.person, 2)))


def record_strip(person: Person) -> np.ndarray:
    """uint8 [144, w, 3]: photographs of a record as they were cropped, and the fitted bodies beside them."""
    tiles = [_tile(frame.body.image, _KEPT) for frame in person.frames[:COLUMNS]]
    return np.hstack(tiles + _bodies(person, 2))


def _tile(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    height, width = image.shape[:2]
    size = max(8, round(HEIGHT * width / height)), HEIGHT
    tile = np.array(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
    tile[:3], tile[-3:], tile[:, :3], tile[:, -3:] = colour, colour, colour, colour
    return tile


def _bodies(person: Person, count: int) -> list[np.ndarray]:
    tracked = [frame for frame in person.frames if frame.tracked]
    chosen = tracked[:: max(1, len(tracked) // count)][:count]
    return [_with_body(frame, person.betas) for frame in chosen]


@cache
def _body() -> BodyModel:
    return BodyModel.load()  # a second; a strip has two of them, and a worker makes strips one after another


def _with_body(frame: Frame, betas: np.ndarray) -> np.ndarray:
    """A frame, pale, with the bones of its fitted body."""
    body = _body()
    theta, root, gaze = (torch.from_numpy(x)[None] for x in (frame.theta, frame.root, frame.gaze))
    rest = body.rest_joints(torch.from_numpy(betas)[None])
    joints = joint_transforms(rest, full_pose(theta, root, gaze), root[:, 3:], body.parents)[1][0].numpy()
    camera = frame.body.camera
    places = joints @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    pixels = (places[:, :2] / places[:, 2:] * camera.K[0, 0] + camera.K[:2, 2]) * (HEIGHT / camera.width)
    image = Image.fromarray(frame.body.image).resize((HEIGHT, HEIGHT), Image.Resampling.LANCZOS)
    image = Image.blend(image, Image.new("RGB", image.size, "white"), 0.45)
    draw = ImageDraw.Draw(image)
    for joint in range(1, _BODY):
        parent = int(body.parents[joint])
        draw.line([*pixels[parent], *pixels[joint]], _BONE, 2)
    for name in ("left_wrist", "right_wrist", "head"):
        x, y = pixels[JOINT_NAMES.index(name)]
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], _BONE)
    return np.asarray(image)
