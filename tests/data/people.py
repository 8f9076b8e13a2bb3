"""Small made-up people for tests of records: random pixels, random numbers, true types."""

import numpy as np

from lca_core.data import Camera, Frame, Person, Picture


def random_camera(rng: np.random.Generator, px: int) -> Camera:
    """A camera about three metres before the origin that looks its way."""
    viewmat = np.diag([1.0, -1, -1, 1]) + np.concatenate([rng.normal(0, 0.05, (3, 4)), np.zeros((1, 4))])
    viewmat[2, 3] = 3
    K = np.array([[px * 1.3, 0, px / 2], [0, px * 1.31, px / 2 + 0.1], [0, 0, 1]])
    return Camera(viewmat.astype(np.float32), K.astype(np.float32), px, px)


def random_picture(rng: np.random.Generator, px: int) -> Picture:
    """Noise, with a matte of noise."""
    image = rng.integers(0, 256, (px, px, 3), dtype=np.uint8)
    return Picture(image, rng.integers(0, 256, (px, px), dtype=np.uint8), random_camera(rng, px))


def random_person(seed: int, domain: str = "studio", frames: int = 3, px: int = 28, meta: dict | None = None) -> Person:
    """The first frame has neither a face crop nor known actions, the others have both."""
    rng = np.random.default_rng(seed)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(0, 1, shape).astype(np.float32)

    made = tuple(
        Frame(
            body=random_picture(rng, px), face=random_picture(rng, px) if i else None, theta=numbers(138),
            root=numbers(6), gaze=numbers(4), actions=rng.random(52, np.float32) if i else None, instant=i // 2,
        )
        for i in range(frames)
    )  # fmt: skip
    return Person(
        f"{domain}-{seed:06d}", domain, seed, numbers(300), made, meta or {"hair": "long", "tops": ["T-shirt"]}
    )
