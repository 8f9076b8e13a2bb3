"""What a casual camera does to a picture."""

import io

import numpy as np
from PIL import Image, ImageFilter

from lca_core.data.records import HANDS, Camera, Truth
from lca_core.people.stage import backgrounds
from lca_core.people.stage.render import Shot


def colour_cast(generator: np.random.Generator) -> np.ndarray:
    """Factors [3] by which a camera's colours are off: of exposure and of white balance."""
    return generator.uniform(0.92, 1.08) * generator.normal(1, 0.02, 3)


class Lens:
    """Something in the way, a little blur, a colour cast, noise, JPEG: the same for all pictures of a camera."""

    def __init__(self, generator: np.random.Generator, gain: np.ndarray, occluder: Image.Image | None = None):
        self._occluder, self._gain = occluder, gain
        self._grain = dict.fromkeys(("body", "face"), generator) | dict(zip(HANDS, generator.spawn(2)))
        self._blur = float(np.clip(generator.normal(0.2, 0.3), 0, 0.9))
        self._noise = float(generator.uniform(0, 5))
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
