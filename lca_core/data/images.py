"""Encoding pictures to bytes and back."""

import io
import warnings

import numpy as np
from PIL import Image

from lca_core.errors import InputError

MODES = {"RGB": (np.uint8, (3,)), "L": (np.uint8, ()), "I;16": (np.uint16, ())}
_FORMATS = ("PNG", "JPEG")  # Pillow knows many more, some of which run other programs


def encode(image: np.ndarray, kind: str = "png", quality: int = 90) -> bytes:
    """uint8 [H, W, 3] or [H, W], or uint16 [H, W] -> PNG or JPEG bytes ("png" | "jpg")."""
    buffer = io.BytesIO()
    if kind == "jpg":
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    else:
        Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def decode(data: bytes, width: int, height: int, mode: str = "RGB") -> np.ndarray:
    """PNG or JPEG bytes -> uint8 [H, W, 3] ("RGB") or [H, W] ("L"), or uint16 [H, W] ("I;16").

    InputError, before anything is unpacked, for a picture of another size or mode, and for one that is broken.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large sizes; they are refused here
            opened = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ... on broken files
        raise InputError(f"is no PNG or JPEG that can be read ({error})") from None
    if opened.size != (width, height) or opened.mode != mode:
        told = f"{opened.size[0]} x {opened.size[1]} px of mode {opened.mode}"
        raise InputError(f"is {told}; wanted: {width} x {height} px of mode {mode}")
    try:
        pixels = np.asarray(opened)
    except Exception as error:
        raise InputError(f"is a broken picture ({error})") from None
    dtype, channels = MODES[mode]
    return pixels.astype(dtype, copy=False).reshape(height, width, *channels)
