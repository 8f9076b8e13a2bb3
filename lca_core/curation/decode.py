"""The door: photographs and clips to plain arrays, or an error a person can act on.

Everything wrong with a file is found here, so that the later stages may trust what they get: uint8 RGB,
upright, at least `MIN_SIDE` pixels a side, not gigantic.
"""

import io
import os
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from lca_core.errors import InputError

MIN_SIDE = 64  # px: below this neither faces nor clothes can be told apart
THUMBNAIL = 64  # px, the size at which frames are compared with each other
MAX_PIXELS = 120_000_000  # a 100-megapixel camera passes, a decompression bomb does not
MAX_SKIPPED = 240  # frames decoded for each that is taken: clips whose times do not advance end there
MAX_BYTES = 500_000_000  # photographs; clips are read frame by frame


def read_photo(path: Path | str) -> np.ndarray:
    """One photograph as uint8 RGB [H, W, 3], upright.

    The EXIF rotation is applied and an embedded colour profile is brought to sRGB. 16-bit, palette, grey and
    CMYK files become 8-bit RGB; transparency is laid on white; of an animation the first picture is taken.
    Raises InputError, naming the file and what to do, for one that is missing, empty, no picture, broken,
    under 64 px a side or larger than 120 megapixels.
    """
    path = _existing_file(path, "photograph")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: {path.stat().st_size / 1e6:.0f} MB is too large for a photograph; save it smaller")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large sizes; they are judged below
            with Image.open(path) as opened:
                _check_size(path, *opened.size)
                opened.seek(0)
                return np.ascontiguousarray(_to_rgb(ImageOps.exif_transpose(opened)))
    except Image.DecompressionBombError:
        raise InputError(f"{path}: larger than {_megapixels(MAX_PIXELS)}, by its header; save it smaller") from None
    except UnidentifiedImageError:
        raise InputError(f"{path}: this is not a picture that can be read; give a JPEG or PNG photograph") from None
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{path}: not enough memory to open this picture; save it smaller") from None
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError, ... on broken files
        raise InputError(f"{path}: the picture is broken ({error}); save or download it again") from None


@dataclass(frozen=True)
class Clip:
    """Pictures of a clip: images uint8 [N, H, W, 3], upright; times float64 [N] in seconds from the start.

    numbers: int [N], which of the clip's frames these are; thumbnails: uint8 [M, 64, 64, 3] of every frame up to
    the last one looked at, for finding cuts; complete: False when the file broke off before its end.
    """

    path: Path
    images: np.ndarray
    times: np.ndarray
    numbers: np.ndarray
    thumbnails: np.ndarray
    complete: bool


def read_clip(path: Path | str, max_frames: int = 32, rate: float | None = None, max_side: int = 1920) -> Clip:
    """Frames of a clip's first video stream, at most `max_frames` of them, from its start.

    rate: pictures a second that are taken, by the frames' own times (default: every frame).
    The container's rotation and its pixel shape are applied; frames with a side over `max_side` are scaled
    down to it. A file that breaks off is read up to there and marked. Raises InputError, naming the file,
    for one that is missing, empty, no video, unreadable from the start, under 64 px a side or too large.
    """
    if max_frames < 1 or not (rate is None or rate > 0):
        raise InputError(f"max_frames must be 1 or more and rate over 0; got {max_frames} and {rate}")
    path = _existing_file(path, "clip")
    images, times, numbers, thumbnails, complete = [], [], [], [], True
    try:
        # an open file and no protocols: a playlist in disguise must not make ffmpeg open other files or the network
        with open(path, "rb") as handle, av.open(handle, options={"protocol_whitelist": "pipe"}) as container:
            if not container.streams.video:
                raise InputError(f"{path}: the file holds no video (sound only?); give an mp4, mov, webm or avi clip")
            stream = container.streams.video[0]
            _check_size(path, stream.codec_context.width, stream.codec_context.height)
            try:
                for number, frame in enumerate(container.decode(stream)):
                    if len(images) == max_frames or number == max_frames * MAX_SKIPPED:
                        break
                    thumbnails.append(_thumbnail(frame))
                    time = float((frame.pts or 0) * (frame.time_base or Fraction(0)))
                    if rate is None or not times or time - times[0] > len(times) / rate - 0.25 / rate:
                        numbers.append(number)
                        images.append(_upright(frame, stream.sample_aspect_ratio, max_side))
                        times.append(time)
            except av.FFmpegError:
                complete = False
    except InputError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: this is not a video that can be read ({reason}); give an mp4 clip") from None
    if not images:
        raise InputError(f"{path}: no frame of this video can be decoded; save or download it again")
    same = [image.shape == images[0].shape for image in images]
    if not all(same):
        raise InputError(f"{path}: the picture size changes inside the clip; save it with one size")
    _check_size(path, images[0].shape[1], images[0].shape[0])
    times = np.array(times)
    return Clip(path, np.stack(images), times - times[0], np.array(numbers), np.stack(thumbnails), complete)


def shrink(image: np.ndarray, max_side: int) -> np.ndarray:
    """uint8 [H, W, 3] scaled down so that neither side is over `max_side`; smaller pictures stay as they are."""
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def _existing_file(path: Path | str, kind: str) -> Path:
    path = Path(path)
    if "\0" in str(path) or not os.path.exists(path):
        raise InputError(f"{str(path)!r}: there is no such file; give the path of a {kind}")
    if not path.is_file():
        raise InputError(f"{path}: this is a folder or a device, not a file; give the path of a {kind}")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: the file may not be read; change its permissions")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); save or download it again")
    return path


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > 30_000:
        limit = f"limit {_megapixels(MAX_PIXELS)}, 30,000 px a side"
        raise InputError(f"{path}: {width} x {height} px is too large ({limit}); save it smaller")
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{path}: {width} x {height} px is too small; give one at least {MIN_SIDE} px a side")


def _megapixels(pixels: int) -> str:
    return f"{pixels // 1_000_000} megapixels"


def _to_rgb(image: Image.Image) -> np.ndarray:
    """uint8 RGB [H, W, 3] of a Pillow image of any mode."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _grey_to_rgb(np.asarray(image))
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, image).convert("RGB"))
    return np.asarray(_to_srgb(image))


def _grey_to_rgb(values: np.ndarray) -> np.ndarray:
    """8-bit RGB from a high-bit-depth grey array: by its full scale (1 for float, 2^16 - 1 or 2^8 - 1)."""
    values = np.nan_to_num(values.astype(np.float64))
    scale = next((full for full in (1.0, 255.0, 65535.0) if values.max(initial=0) <= full), values.max(initial=1))
    grey = np.clip(values / scale * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _to_srgb(image: Image.Image) -> Image.Image:
    """RGB by the embedded colour profile (phones write Display P3, print shops CMYK), plainly where there is none."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):  # a broken profile is no reason to refuse the picture
            pass
    return image.convert("RGB")


def _thumbnail(frame: av.VideoFrame) -> np.ndarray:
    return frame.reformat(THUMBNAIL, THUMBNAIL, "rgb24", interpolation="AREA").to_ndarray()


def _upright(frame: av.VideoFrame, aspect: Fraction | None, max_side: int) -> np.ndarray:
    """uint8 RGB [H, W, 3] of a decoded frame: its pixels (`aspect` wide) made square, its rotation applied."""
    width, height = frame.width * float(aspect or 1), float(frame.height)
    scale = min(1.0, max_side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = frame.to_ndarray(format="rgb24")
    if size != (frame.width, frame.height):
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
    # the display matrix turns the frame counter-clockwise, as rot90 does
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
