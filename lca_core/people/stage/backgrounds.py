"""Procedural backgrounds for casual pictures: rooms, streets, greenery, clutter, gradients; mostly out of focus."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from lca_core.data.records import Camera

_SIDE = 512  # pixels of the square picture behind a full-body frame; face crops enlarge a part of it


def background(generator: np.random.Generator) -> Image.Image:
    """One background, twice as wide as high so that a turning camera can pan over it."""
    kind = KINDS[str(generator.choice(list(KINDS)))]
    picture = kind(generator).resize((2 * _SIDE, _SIDE), Image.Resampling.BICUBIC)
    picture = picture.filter(ImageFilter.GaussianBlur(float(generator.choice([1.5, 4, 8, 14]))))
    grain = generator.normal(0, 3, (_SIDE, 2 * _SIDE, 1))
    shade = generator.uniform(0.6, 1.1)
    return Image.fromarray(np.clip(np.asarray(picture) * shade + grain, 0, 255).astype(np.uint8))


def behind(picture: Image.Image, pan: float, body: Camera, camera: Camera) -> np.ndarray:
    """What of `picture` a camera sees, uint8 [H, W, 3].

    pan: 0 to 1, how far to the right the full-body frame `body` looks; camera: `body` itself or a crop of it.
    """
    return _seen(picture, np.clip(pan, 0, 1) * _SIDE, body, camera)


def before(picture: Image.Image, body: Camera, camera: Camera) -> np.ndarray:
    """What of an `occluder` a camera sees, uint8 [H, W, 4] with alpha; body and camera as `behind`'s."""
    return _seen(picture, 0.0, body, camera)


def _seen(picture: Image.Image, shift: float, body: Camera, camera: Camera) -> np.ndarray:
    """The part of a picture that lies in the body's frame, `shift` pixels from its left, that a camera sees."""
    scale = _SIDE / body.width
    zoom = body.K[0, 0] / camera.K[0, 0]
    left = (body.K[0, 2] - camera.K[0, 2] * zoom) * scale + shift
    top = (body.K[1, 2] - camera.K[1, 2] * zoom) * scale
    size = camera.width * zoom * scale
    # A head's square can reach over the frame's edge: the outermost pixels are carried on.
    margin = _SIDE // 2
    canvas = np.pad(np.asarray(picture), ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    box = tuple(float(np.clip(v + margin, 0, limit)) for v, limit in (
        (left, canvas.shape[1]), (top, canvas.shape[0]), (left + size, canvas.shape[1]), (top + size, canvas.shape[0])
    ))  # fmt: skip
    small = Image.fromarray(canvas).resize((camera.width, camera.height), Image.Resampling.BILINEAR, box)
    return np.asarray(small)


def occluder(generator: np.random.Generator) -> Image.Image:
    """Something between camera and person, RGBA, out of focus: a table's edge, a post, or leaves from a side."""
    kind = str(generator.choice(["table", "post", "leaves"]))
    color = (60, 90, 40) if kind == "leaves" else _color(generator, (0.15, 0.7))
    layer = Image.new("RGBA", (_SIDE, _SIDE), (*color, 0))  # its own colour also where it is clear, for soft edges
    draw = ImageDraw.Draw(layer)
    if kind == "table":
        draw.rectangle([0, _SIDE * generator.uniform(0.78, 0.9), _SIDE, _SIDE], fill=(*color, 255))
    elif kind == "post":
        left, wide = _SIDE * generator.uniform(0.3, 0.65), _SIDE * generator.uniform(0.03, 0.07)
        draw.rectangle([left, 0, left + wide, _SIDE], fill=(*color, 255))
    else:
        corner = np.array([generator.choice([0.05, 0.95]), generator.choice([0.1, 0.9])]) * _SIDE
        for _ in range(60):
            x, y = corner + generator.normal(0, 0.12 * _SIDE, 2)
            w, h = generator.uniform(8, 36, 2)
            green = tuple(int(c * v) for c, v in zip(_color(generator, (0.3, 0.7), 0.1), (0.6, 1.0, 0.4)))
            draw.ellipse([x - w, y - h, x + w, y + h], fill=(*green, 255))
    return layer.filter(ImageFilter.GaussianBlur(float(generator.uniform(1, 5))))


def _color(generator: np.random.Generator, value: tuple[float, float] = (0.15, 0.95), chroma: float = 0.2) -> tuple:
    grey = generator.uniform(*value)
    return tuple(int(v) for v in np.clip(255 * grey * (1 + generator.uniform(-chroma, chroma, 3)), 0, 255))


def _gradient(generator: np.random.Generator) -> Image.Image:
    corners = np.array([[_color(generator) for _ in range(3)] for _ in range(2)], np.uint8)
    return Image.fromarray(corners).resize((512, 256), Image.Resampling.BICUBIC)


def _shapes(draw: ImageDraw.ImageDraw, generator: np.random.Generator, count: int, top: int, bottom: int) -> None:
    """Boxes and ovals between two heights."""
    for _ in range(count):
        x, w, h = generator.uniform(-40, 512), generator.uniform(8, 90), generator.uniform(8, 110)
        y = generator.uniform(top, bottom)
        shape = draw.rectangle if generator.random() < 0.7 else draw.ellipse
        shape([x, y, x + w, y + h], fill=_color(generator))


def _clutter(generator: np.random.Generator) -> Image.Image:
    picture = _gradient(generator)
    _shapes(ImageDraw.Draw(picture), generator, int(generator.integers(15, 50)), -40, 240)
    return picture


def _room(generator: np.random.Generator) -> Image.Image:
    picture = Image.new("RGB", (512, 256), _color(generator, (0.5, 0.95), 0.15))
    draw = ImageDraw.Draw(picture)
    floor = int(generator.uniform(165, 215))
    _shapes(draw, generator, int(generator.integers(3, 12)), 10, floor - 60)
    for _ in range(int(generator.integers(1, 4))):  # windows and doors
        x, w = generator.uniform(0, 460), generator.uniform(30, 70)
        box = [x, generator.uniform(10, 60), x + w, floor - generator.choice([0, 60])]
        draw.rectangle(box, _color(generator, (0.7, 1)))
    draw.rectangle([0, floor, 512, 256], fill=_color(generator, (0.2, 0.6), 0.3))
    for x in generator.uniform(0, 512, int(generator.integers(0, 5))):  # furniture
        box = [x, floor - generator.uniform(20, 80), x + generator.uniform(30, 110), floor + 15]
        draw.rectangle(box, _color(generator))
    return picture


def _street(generator: np.random.Generator) -> Image.Image:
    picture = Image.new("RGB", (512, 256), _color(generator, (0.7, 1.0), 0.12))
    draw = ImageDraw.Draw(picture)
    ground, x = int(generator.uniform(150, 200)), -20.0
    while x < 512:
        width, top = generator.uniform(30, 120), generator.uniform(0, ground - 30)
        wall = _color(generator, (0.25, 0.85), 0.25)
        draw.rectangle([x, top, x + width, ground], fill=wall)
        pane = _color(generator, (0.1, 0.9), 0.2)
        for px in np.arange(x + 6, x + width - 8, generator.uniform(12, 20)):
            for py in np.arange(top + 6, ground - 14, generator.uniform(14, 22)):
                draw.rectangle([px, py, px + 6, py + 9], fill=pane)
        x += width
    draw.rectangle([0, ground, 512, 256], fill=_color(generator, (0.25, 0.6), 0.1))
    _shapes(draw, generator, int(generator.integers(0, 8)), ground - 40, ground)
    return picture


def _greenery(generator: np.random.Generator) -> Image.Image:
    horizon = int(generator.uniform(90, 190))
    noise = sum(
        np.asarray(Image.fromarray(generator.uniform(0, 1, (2**k, 2 ** (k + 1))).astype(np.float32)).resize((512, 256)))
        * 0.6 ** (k - 2)
        for k in range(2, 8)
    )
    noise = ((noise - noise.min()) / np.ptp(noise))[..., None]
    leaf = np.array(_color(generator, (0.2, 0.5), 0.1)) * [0.8, 1.2, 0.5]
    sky = np.array(_color(generator, (0.7, 1.0), 0.1)) * [0.85, 0.95, 1.1]
    grass = np.array(_color(generator, (0.3, 0.6), 0.1)) * [0.9, 1.1, 0.6]
    image = np.where(noise > generator.uniform(0.3, 0.7), sky, leaf * (0.4 + 1.2 * noise))
    image[horizon:] = grass * (0.6 + 0.6 * noise[horizon:])
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


KINDS: dict[str, Callable[[np.random.Generator], Image.Image]] = {
    "gradient": _gradient,
    "clutter": _clutter,
    "room": _room,
    "street": _street,
    "greenery": _greenery,
}
