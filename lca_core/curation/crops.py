"""Square crops of body and face, and the camera each of them had.

A square may hang over the picture's edge: what lies outside is mid-grey in the image and 0 in the matte.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from lca_core.data.records import Camera

BODY_MARGIN = 0.07  # of the person's longer side, on each side that the picture's edge does not cut
FACE_SIDE = 2.0  # times the height from brow to chin (about 0.18 m): 0.36 m, hair and chin inside
OUTSIDE = 127  # grey beyond the picture's edge
FIELD_OF_VIEW = np.radians(50.0)  # assumed, vertical: a phone's main camera held upright; photographs do not tell
BROW_TO_CHIN = 0.177  # metres, MediaPipe's canonical face
TORSO = 0.50  # metres from shoulders to hips of an average adult


@dataclass(frozen=True)
class Square:
    """A square of the picture, whole pixels: columns [left, left + side), rows [top, top + side)."""

    left: int
    top: int
    side: int

    @staticmethod
    def around(box: np.ndarray, scale: float) -> "Square":
        """The square with the centre of `box` (left, top, right, bottom), `scale` times its longer side."""
        side = max(2, int(round(scale * float(max(box[2] - box[0], box[3] - box[1])))))
        left, top = (box[:2] + box[2:4]) / 2 - side / 2
        return Square(round(float(left)), round(float(top)), side)


def cut(picture: np.ndarray, square: Square, px: int, outside: int | None = OUTSIDE) -> np.ndarray:
    """The square of `picture` (uint8 [H, W, 3] or [H, W]) resized to px x px.

    Beyond the picture's edges it is `outside`, or with None the edge's own colours run on. Pixel centres are
    at +0.5 before and after, as `Camera.crop` has it.
    """
    height, width = picture.shape[:2]
    rows, columns = square.top + np.arange(square.side), square.left + np.arange(square.side)
    whole = picture[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)]
    if outside is not None:
        whole[(rows < 0) | (rows >= height)] = outside
        whole[:, (columns < 0) | (columns >= width)] = outside
    filter = Image.Resampling.LANCZOS if px < square.side else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(whole).resize((px, px), filter))


def paste(values: np.ndarray, square: Square, height: int, width: int) -> np.ndarray:
    """The opposite of `cut` for one channel (float32 [n, n]): float32 [height, width], 0 outside the square."""
    resized = np.asarray(
        Image.fromarray(values.astype(np.float32)).resize((square.side, square.side), Image.Resampling.BILINEAR)
    )
    whole = np.zeros((height, width), np.float32)
    left, top = max(square.left, 0), max(square.top, 0)
    right, bottom = min(square.left + square.side, width), min(square.top + square.side, height)
    if right > left and bottom > top:
        rows = slice(top - square.top, bottom - square.top)
        whole[top:bottom, left:right] = resized[rows, left - square.left : right - square.left]
    return whole


def person_box(matte: np.ndarray) -> np.ndarray:
    """float32 [4] (left, top, right, bottom) around all that a matte (uint8 [H, W]) shows of a person."""
    rows, columns = np.flatnonzero((matte > 127).any(1)), np.flatnonzero((matte > 127).any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def cut_edges(box: np.ndarray, height: int, width: int) -> tuple[str, ...]:
    """Which edges of the picture cut the person off: any of "left", "top", "right", "bottom"."""
    near = 0.005 * max(height, width) + 1
    touched = (box[0] <= near, box[1] <= near, box[2] >= width - near, box[3] >= height - near)
    return tuple(name for name, yes in zip(("left", "top", "right", "bottom"), touched, strict=True) if yes)


def body_square(box: np.ndarray, height: int, width: int) -> Square:
    """The square around a person's `box` with `BODY_MARGIN`, moved inside the picture as far as it fits.

    A half body is framed as large as a whole one would be: the crop covers what is there.
    """
    left, top, right, bottom = (float(v) for v in box)
    margin = BODY_MARGIN * max(right - left, bottom - top)
    edges = cut_edges(box, height, width)
    left, right = (left if "left" in edges else left - margin), (right if "right" in edges else right + margin)
    top, bottom = (top if "top" in edges else top - margin), (bottom if "bottom" in edges else bottom + margin)
    return place_inside(Square.around(np.array([left, top, right, bottom]), 1.0), height, width)


def place_inside(square: Square, height: int, width: int) -> Square:
    """The same square moved inside the picture; along a side that is too short for it, centred on that side."""

    def place(start: int, length: int) -> int:
        return min(max(start, 0), length - square.side) if square.side <= length else (length - square.side) // 2

    return Square(place(square.left, width), place(square.top, height), square.side)


def face_square(face: np.ndarray) -> Square:
    """The square of the face crop, from the box from brow to chin; raised a little to hold the hair."""
    height = face[3] - face[1]
    lifted = face - np.array([0, 0.12 * height, 0, 0.12 * height], np.float32)
    centre = (lifted[:2] + lifted[2:]) / 2
    return Square.around(np.concatenate([centre - height / 2, centre + height / 2]), FACE_SIDE)


def assumed_camera(
    height: int, width: int, centre: np.ndarray, distance: float, at: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Camera:
    """A plausible camera for a photograph of unknown make: level, 50 degrees high, in front of the person.

    centre: float [2], the pixel at which the world point `at` is seen; distance: metres to it along the
    view. The world stands upright (Y up, the person faces +Z), the camera looks along -Z.
    """
    focal = height / 2 / np.tan(FIELD_OF_VIEW / 2)
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], np.float32)
    ray = np.array([(centre[0] - width / 2) / focal, (centre[1] - height / 2) / focal, 1.0])
    viewmat = np.diag([1.0, -1.0, -1.0, 1.0])
    viewmat[:3, 3] = distance * ray - viewmat[:3, :3] @ at
    return Camera(viewmat.astype(np.float32), K, width, height)
