"""Pillow's images of any mode to 8-bit sRGB, by the colour profile that is embedded in them."""

import io
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageCms

BAND = 8_000_000  # pixels converted at a time
_PROFILE_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}  # a profile's kind of colour -> Pillow's


def _bands(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """(rows, the image's part in these rows), from the top: conversions hold several copies of what they are given."""
    width, height = image.size
    step = max(1, BAND // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        yield rows, image.crop((0, rows.start, width, rows.stop))


def to_rgb(image: Image.Image) -> np.ndarray:
    """uint8 sRGB [H, W, 3] of a Pillow image of any mode; transparency is laid on white."""
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    to_srgb = _srgb_transform(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        brightest = max(_grey_values(band).max() for _, band in _bands(image))
        # by its full scale: 1 for float, 2^8 - 1 or 2^16 - 1
        scale = next((full for full in (1.0, 255.0, 65535.0) if brightest <= full), brightest)
        for rows, band in _bands(image):
            grey = np.clip(_grey_values(band) / scale * 255 + 0.5, 0, 255).astype(np.uint8)
            rgb[rows] = np.asarray(to_srgb(Image.fromarray(grey)))
        return rgb
    for rows, band in _bands(image):
        alpha = None
        if band.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in band.info:
            band = band.convert("RGBA")
            alpha, band = band.getchannel("A"), band.convert("RGB")
        band = to_srgb(band)
        if alpha is not None:
            band = Image.composite(band, Image.new("RGB", band.size, "white"), alpha)
        rgb[rows] = np.asarray(band)
    return rgb


def _grey_values(image: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(image).astype(np.float64))


def _srgb_transform(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """What makes RGB of the image's bands (without transparency): by the embedded colour profile (phones write Display
    P3, print shops CMYK, scanners grey), plainly where there is none or it is of another kind of colour."""
    try:
        embedded = image.info.get("icc_profile")
        if embedded:
            source = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        elif image.mode == "LAB":
            source = ImageCms.createProfile("LAB")
        else:
            return _plain_rgb
        mode = _PROFILE_MODES.get(getattr(source, "profile", source).xcolor_space)
        fits = (image.mode == "CMYK") == (mode == "CMYK") and (image.mode == "LAB") == (mode == "LAB")
        grey = image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
        if mode is None or not fits or (mode == "L" and not grey):
            return _plain_rgb
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError):  # a broken profile is no reason to refuse the picture
        return _plain_rgb
    return lambda band: ImageCms.applyTransform(band if band.mode == mode else band.convert(mode), transform)


def _plain_rgb(band: Image.Image) -> Image.Image:
    return band.convert("RGB")
