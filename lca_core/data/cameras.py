"""Cameras for digital humans: a ring in the studio, a wandering one in the wild, and crops of faces and hands.

OpenCV convention throughout (x right, y down, z forward); see `lca_core.data.records.Camera`.
"""

import numpy as np

from lca_core.data.records import Camera

HAND_SIDE = 0.24  # metres, side of a hand crop's square at the root of the middle finger
FACE_SIDE = 0.36  # metres, side of the face crop's square at the head's centre: head, hair and some neck


def look_at(eye: np.ndarray, target: np.ndarray, up: tuple[float, float, float] = (0.0, 1.0, 0.0)) -> np.ndarray:
    """World-to-camera matrix float32 [4, 4] of an OpenCV camera at `eye` looking at `target`."""
    forward = np.asarray(target, float) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    viewmat = np.eye(4)
    viewmat[:3, :3] = [right, down, forward]
    viewmat[:3, 3] = -viewmat[:3, :3] @ eye
    return viewmat.astype(np.float32)


def project(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Pixel coordinates [N, 2] of world points [N, 3]."""
    in_camera = points @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    pixels = in_camera @ camera.K.T
    return pixels[:, :2] / pixels[:, 2:]


def around(
    points: np.ndarray, azimuth: float, elevation: float, distance: float, px: int, fill: float = 0.9, focal: float = 0
) -> Camera:
    """A square camera that sees all of `points` [N, 3], at `distance` metres from the middle of their box.

    azimuth 0 looks at the person's front (the camera stands at +Z), positive moves it to +X; elevation is
    positive from above. Without `focal` (pixels) the focal length is the one at which the points fill `fill` of
    the frame's height, or width where they are wider; the principal point stays in the middle.
    """
    middle = (points.min(0) + points.max(0)) / 2
    direction = [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)]
    viewmat = look_at(middle + distance * np.array(direction), middle)
    unit = project(Camera(viewmat, np.eye(3, dtype=np.float32), px, px), points)
    # Two steps: turn the camera towards the middle of what it sees, then choose the focal length.
    centre = (unit.min(0) + unit.max(0)) / 2
    ray = viewmat[:3, :3].T @ [centre[0], centre[1], 1]
    eye = middle + distance * np.array(direction)
    viewmat = look_at(eye, eye + ray)
    unit = project(Camera(viewmat, np.eye(3, dtype=np.float32), px, px), points)
    focal = focal or fill * px / 2 / np.abs(unit).max()
    K = np.array([[focal, 0, px / 2], [0, focal, px / 2], [0, 0, 1]], np.float32)
    return Camera(viewmat, K, px, px)


def studio_ring(
    points: np.ndarray, count: int, px: int, generator: np.random.Generator, start: float = 0.0
) -> list[Camera]:
    """`count` cameras evenly around, heights alternating, each framing the whole body.

    start: azimuth of the first camera, radians; 0 is in front.
    """
    ring = []
    for i in range(count):
        azimuth = start + 2 * np.pi * i / count + generator.uniform(-1, 1) * (0.15 if i else 0.08)
        elevation = generator.uniform(-0.05, 0.15) if i % 2 == 0 else generator.uniform(0.1, 0.45)
        ring.append(around(points, azimuth, elevation, generator.uniform(2.8, 3.4), px))
    return ring


def wild_path(points: list[np.ndarray], px: int, generator: np.random.Generator) -> list[Camera]:
    """One hand-held camera for a clip: a slow arc, mostly in front, its distance and field of view its own.

    points: per frame [N, 3], what the camera must show. One clip in eight begins behind the person; in one of five the
    arc is wide, a third of the way round or more, and near enough to walk.
    """
    frames = len(points)
    start = np.radians(np.clip(generator.normal(0, 28), -55, 55)) + (np.pi if generator.random() < 0.125 else 0)
    sweep, distance = np.radians(generator.uniform(-60, 60)), generator.uniform(2.2, 5.0)
    if generator.random() < 0.2:
        sweep = np.radians(generator.choice([-1, 1]) * generator.uniform(120, 200))
        distance = generator.uniform(1.8, 2.6)
    elevation, zoom = generator.uniform(-0.08, 0.22), generator.uniform(0.75, 1.3)
    t = np.linspace(-0.5, 0.5, frames) if frames > 1 else np.zeros(1)
    shake = np.cumsum(generator.normal(0, 0.015, (frames, 2)), 0)
    cameras = []
    for i in range(frames):
        d = distance * zoom ** t[i]
        fill = 0.9 - 0.08 * generator.random()
        cameras.append(around(points[i], start + sweep * t[i] + shake[i, 0], elevation + shake[i, 1], d, px, fill))
    return cameras


def square_crop(camera: Camera, centre: np.ndarray, side: float, px: int) -> Camera:
    """The same camera zoomed to a square of `side` metres around a `centre` [3], px x px pixels."""
    depth = float(camera.viewmat[2, :3] @ centre + camera.viewmat[2, 3])
    size = side * float(camera.K[0, 0]) / depth
    u, v = project(camera, np.asarray(centre, np.float32)[None])[0]
    return camera.crop(u - size / 2, v - size / 2, size, px)


def face_crop(camera: Camera, centre: np.ndarray, px: int, side: float = FACE_SIDE) -> Camera:
    """The same camera zoomed to the head, px x px pixels."""
    return square_crop(camera, centre, side, px)


def sees_face(camera: Camera, centre: np.ndarray, forward: np.ndarray, limit: float = np.radians(80)) -> bool:
    """Whether the camera stands within `limit` of the direction `forward` [3] in which the face looks."""
    eye = -camera.viewmat[:3, :3].T @ camera.viewmat[:3, 3]
    towards = (eye - centre) / np.linalg.norm(eye - centre)
    return bool(towards @ (forward / np.linalg.norm(forward)) > np.cos(limit))
