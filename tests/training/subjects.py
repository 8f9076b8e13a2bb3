"""People painted in two colours, small enough to train on in seconds, and a model of their size."""

from dataclasses import replace

import numpy as np
import torch

from lca_core.body import JOINT_NAMES, Driving
from lca_core.data import Camera, Frame, Person, Picture
from lca_core.model import LCA, rows_length
from lca_core.profiles import profile
from lca_core.training import Example, example
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour

# 56 px: on smaller ones gradients of LPIPS do not repeat to the last bit where several threads compute them.
TINY = replace(
    profile("smoke"), name="tiny", body_px=56, face_px=56, hand_px=28, dim=24, depth=2, heads=3, anchors=32,
    gaussians_per_anchor=2, inputs=2, batch_people=2, views=2,
)  # fmt: skip


def tiny_model(seed: int = 0) -> LCA:
    torch.manual_seed(seed)
    return LCA(TINY, rows_length(MeanColour()), free_body())


def painted_person(seed: int, frames: int = 5) -> Person:
    """Vertices of the body drawn as dots, the upper half in one colour and the lower in another; turned each frame."""
    rng, body = np.random.default_rng(seed), free_body()
    colours = rng.integers(0, 256, (2, 3), dtype=np.uint8)
    betas = rng.normal(0, 0.5, 300).astype(np.float32)
    made = []
    for i in range(frames):
        driving = Driving.neutral()
        driving.root[0, 1] = 0.8 * i
        posed = body(torch.from_numpy(betas)[None], None, driving.full_pose)
        points = posed.vertices[0].numpy()
        upper = (body.template[:, 1] > 0).numpy()
        head = posed.joints[0, 15].numpy()
        hand = posed.joints[0, JOINT_NAMES.index("left_middle1")].numpy()
        pictures = [
            paint(points, upper, colours, camera)
            for camera in (
                look_at(np.zeros(3), 2.2, TINY.body_px),
                look_at(head, 0.4, TINY.face_px),
                look_at(hand, 0.25, TINY.hand_px),
            )
        ]
        signal = {name: getattr(driving, name)[0].numpy() for name in ("theta", "root", "gaze")}
        actions = rng.random(52, np.float32) if i else None
        body_picture, face, left = pictures
        hands = (left if i % 2 else None, None)
        made.append(Frame(body_picture, face if i else None, **signal, actions=actions, instant=i, hands=hands))
    return Person(f"studio-{seed:06d}", "studio", seed, betas, tuple(made))


def look_at(target: np.ndarray, height: float, px: int) -> Camera:
    """Three metres before `target`, with `height` metres in view."""
    viewmat = np.diag([1.0, -1, -1, 1]).astype(np.float32)
    viewmat[:3, 3] = [-target[0], target[1], target[2] + 3]
    focal = 3 * px / height
    return Camera(viewmat, np.array([[focal, 0, px / 2], [0, focal, px / 2], [0, 0, 1]], np.float32), px, px)


def paint(points: np.ndarray, upper: np.ndarray, colours: np.ndarray, camera: Camera) -> Picture:
    image = np.full((camera.height, camera.width, 3), 77, np.uint8)
    matte = np.zeros((camera.height, camera.width), np.uint8)
    seen = (points @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]) @ camera.K.T
    x, y = (seen[:, :2] / seen[:, 2:]).astype(int).T
    inside = (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
    image[y[inside], x[inside]] = colours[upper[inside].astype(int)]
    matte[y[inside], x[inside]] = 255
    return Picture(image, matte, camera)


def painted_examples(count: int = 2) -> list[Example]:
    return [example(painted_person(seed), MeanColour(), TINY, free_body()) for seed in range(count)]
