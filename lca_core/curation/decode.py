"""The door: photographs and clips to plain arrays, or an error a person can act on.

Everything wrong with a file is found here, so that the later stages may trust what they get: uint8 RGB, upright, at
least `MIN_SIDE` pixels a side, not gigantic. No file but the one given is opened, and none, however it is made, may
hang or fill the memory: benchmarks/hostile.py tries.
"""

import ctypes
import hashlib
import io
import math
import os
import stat
import time
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from PIL import Image, ImageOps, UnidentifiedImageError

from lca_core.curation.colours import to_rgb
from lca_core.errors import InputError

MIN_SIDE = 64  # px: below this neither faces nor clothes can be told apart
THUMBNAIL = 64  # px, the size at which frames are compared with each other
MAX_PIXELS = 110_000_000  # a 108-megapixel camera passes, a decompression bomb does not
MAX_PIXELS_AT_ONCE = 40_000_000  # where the decoder holds the whole picture several times
MAX_PIXELS_FRAME = 36_000_000  # 8192 x 4320; a video decoder may hold 16 frames
MAX_SKIPPED = 240  # frames decoded for each that is taken: clips whose times do not advance end there
MAX_BYTES = 320_000_000  # of a photograph, all read at once by some decoders
MAX_GAP = 200_000_000  # bytes of a clip in which there is no frame
PATIENCE = 6.0  # seconds of computing for a photograph, or from one frame of a clip to the next

# Pillow would also open PostScript (by running Ghostscript), and ffmpeg playlists, or any text as a video of text.
PHOTO_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
PHOTO_FORMATS_AT_ONCE = ("WEBP", "AVIF")
CLIP_OPTIONS = {
    "format_whitelist": "mov,matroska,avi,mpegts,mpeg,asf,flv,ogg,gif",
    "protocol_whitelist": "pipe",  # neither other files nor the network
    "max_streams": "32",
    "max_pixels": str(MAX_PIXELS_FRAME),
}

try:
    # ffmpeg reserves 24 bytes for every frame that a clip claims to have: this allows a day, not gigabytes
    ctypes.CDLL(av._core.__file__).av_max_alloc(ctypes.c_size_t(128 * 2**20))
except (AttributeError, OSError):  # Windows finds a function only in its own library
    pass


def read_photo(path: Path | str) -> np.ndarray:
    """One photograph as uint8 RGB [H, W, 3], upright, from a JPEG, PNG, WebP, AVIF, TIFF, BMP or GIF file.

    The EXIF rotation is applied and an embedded colour profile is brought to sRGB. 16-bit, palette, grey and
    CMYK files become 8-bit RGB; transparency is laid on white; of an animation the first picture is taken.
    Raises InputError, naming the file and what to do, for one that is missing, empty, no picture, broken, under
    64 px a side, over 110 megapixels (WebP and AVIF: 40) or 320 MB, or too slow to open.
    """
    name = _shown(path)
    path, size = _existing_file(path, "photograph")
    if size > MAX_BYTES:
        raise InputError(f"{name}: {size / 1e6:.0f} MB is too large for a photograph; save it smaller")
    try:
        with warnings.catch_warnings(), _Watched(path) as file:
            warnings.simplefilter("ignore")  # Pillow warns of large sizes; they are judged here
            return _picture(file, name)
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"{name}: by its header over {_megapixels(MAX_PIXELS)}, too large; save it smaller") from None
    except UnidentifiedImageError:
        raise InputError(f"{name}: this is not a picture that can be read; give a JPEG or PNG photograph") from None
    except MemoryError:
        raise InputError(f"{name}: not enough memory to open this picture; save it smaller") from None
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError, ... on broken files
        raise InputError(f"{name}: the picture is broken or odd ({error}); save or download it again") from None


@dataclass(frozen=True)
class Clip:
    """Pictures of a clip: images uint8 [N, H, W, 3], upright; times float64 [N] in seconds from the start.

    numbers: int [N], which of the clip's frames these are; thumbnails: uint8 [M, 64, 64, 3] of every frame up to
    the last one looked at, for finding cuts; complete: False when the file broke off before its end, or frames of it
    are damaged.
    """

    path: Path
    images: np.ndarray
    times: np.ndarray
    numbers: np.ndarray
    thumbnails: np.ndarray
    complete: bool


def read_clip(path: Path | str, max_frames: int = 32, rate: float | None = None, max_side: int = 1920) -> Clip:
    """Frames of a clip's first video stream, at most `max_frames` of them, from its start.

    rate: pictures a second that are taken, by the frames' own times (default: every frame). Read are mp4, mov, webm,
    mkv, avi, mpg, ts, wmv, flv, ogg and gif files. Frames are turned and mirrored as the container says, their pixels
    made square, and those with a side over `max_side` scaled down to it. A file that breaks off or is damaged is read
    up to there and marked. Raises InputError, naming the file and what to do, for one that is missing, empty, no video,
    unreadable from the start, under 64 px a side or over 36 megapixels, or whose frames change their size.
    """
    if max_frames < 1 or not (rate is None or rate > 0):
        raise InputError(f"max_frames must be 1 or more and rate over 0; got {max_frames} and {rate}")
    name = _shown(path)
    path, _ = _existing_file(path, "clip")
    images, times, numbers, thumbnails, complete = [], [], [], [], True
    try:
        with _Watched(path, MAX_GAP) as file, av.open(file, options=CLIP_OPTIONS, metadata_errors="replace") as opened:
            stream = _first_video(opened, name)
            try:
                for number, frame in enumerate(opened.decode(stream)):
                    if len(images) == max_frames or number == max_frames * MAX_SKIPPED:
                        break
                    file.renew()
                    thumbnails.append(_thumbnail(frame))
                    at = float((frame.pts or 0) * (frame.time_base or Fraction(0)))
                    if rate is None or not times or at - times[0] > (len(times) - 0.25) / rate:
                        numbers.append(number)
                        images.append(_upright(frame, stream.sample_aspect_ratio, max_side))
                        times.append(at)
            except av.FFmpegError:
                complete = False
            complete &= not file.spent
    except InputError:
        raise
    except av.FFmpegError:
        raise InputError(f"{name}: this is not a video that can be read, or it is broken; give an mp4 clip") from None
    except MemoryError:
        raise InputError(f"{name}: not enough memory for this clip; read fewer frames or save it smaller") from None
    except Exception as error:
        raise InputError(f"{name}: the clip is broken ({error}); save or download it again") from None
    if not images:
        limit = _megapixels(MAX_PIXELS_FRAME)
        raise InputError(f"{name}: no frame can be decoded, broken or over {limit}; save it again as an mp4")
    if any(image.shape != images[0].shape for image in images):
        raise InputError(f"{name}: the picture size changes inside the clip; save it with one size")
    _check_size(name, images[0].shape[1], images[0].shape[0], MAX_PIXELS_FRAME)
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


class _Watched(io.FileIO):
    """An open file that ends early, `spent`, at PATIENCE seconds of computing or `limit` bytes read since `renew`.

    tail: bytes that are read after its own.
    """

    def __init__(self, path: Path, limit: float = math.inf):
        super().__init__(path)
        self.limit, self.spent = limit, False
        self.tail, self.tail_read = b"", False
        self.renew()

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        self.tail_read = False
        return super().seek(place, whence)

    def renew(self) -> None:
        self.until, self.left = time.thread_time() + PATIENCE, self.limit

    def read(self, size: int = -1) -> bytes:
        self.spent |= self.left < 0 or time.thread_time() > self.until
        data = b"" if self.spent else super().read(size)
        if self.tail and not (self.spent or self.tail_read) and (size < 0 or len(data) < size):
            data, self.tail_read = data + self.tail, True
        self.left -= len(data)
        return data


def _existing_file(path: Path | str, kind: str) -> tuple[Path, int]:
    """(the path, its bytes) of a regular file that is there and may be read; pipes and devices are never opened."""
    name, path = _shown(path), Path(path)
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise InputError(f"{name}: there is no such file; give the path of a {kind}") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{name}: this is a folder, a pipe or a device, not a file; give the path of a {kind}")
    if not os.access(path, os.R_OK):
        raise InputError(f"{name}: the file may not be read; change its permissions")
    if status.st_size == 0:
        raise InputError(f"{name}: the file is empty (0 bytes); save or download it again")
    return path, status.st_size


def _shown(path: Path | str) -> str:
    """The path as a sentence can hold it: line breaks and control characters escaped."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def _check_size(name: str, width: int, height: int, limit: int) -> None:
    if width * height > limit or max(width, height) > 30_000:
        limits = f"limit {_megapixels(limit)}, 30,000 px a side"
        raise InputError(f"{name}: {width} x {height} px is too large ({limits}); save it smaller")
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{name}: {width} x {height} px is too small; give one at least {MIN_SIDE} px a side")


def _megapixels(pixels: int) -> str:
    return f"{pixels // 1_000_000} megapixels"


def _picture(file: _Watched, name: str) -> np.ndarray:
    """What `read_photo` gives, of an open file; decoders' own errors pass."""
    try:
        return _opened(file, name)
    except InputError:
        raise
    except Exception:
        if not file.spent and _lacks_end_only(file):
            return _opened(file, name)
        if file.spent:
            raise InputError(f"{name}: this picture takes too long to open; save it again as a plain JPEG") from None
        raise


def _opened(file: _Watched, name: str) -> np.ndarray:
    with Image.open(file, formats=PHOTO_FORMATS) as opened:
        at_once = opened.format in PHOTO_FORMATS_AT_ONCE
        _check_size(name, *opened.size, MAX_PIXELS_AT_ONCE if at_once else MAX_PIXELS)
        opened.decodermaxblock = 1024  # a kilobyte of JPEG can already hold a dozen scans of all pixels
        ImageOps.exif_transpose(opened, in_place=True)
        return to_rgb(opened)


def _lacks_end_only(file: _Watched) -> bool:
    """Whether a JPEG lacks its end marker and nothing else; it then has one in `tail`.

    No decoder says whether the last pixels are there. So bytes are put where they would be: where pixels are missing,
    these show in the picture; where none is, they are passed over, as all that stands before a marker.
    """
    file.renew()
    file.seek(0)
    if file.read(3) != b"\xff\xd8\xff":
        return False
    file.seek(-1, os.SEEK_END)
    half = file.read(1) == b"\xff"  # of the marker
    tails = [b"\xd9" if half else b"\xff\xd9"]
    tails += [b"\0" * half + bytes(range(*steps)) + b"\xff\xd9" for steps in ((165, 250, 3), (249, 16, -5))]
    pictures = set()
    try:
        for tail in reversed(tails):  # the plain one stays
            file.tail = tail
            with Image.open(file, formats=("JPEG",)) as opened:
                opened.decodermaxblock = 1024
                pictures.add(hashlib.sha256(opened.tobytes()).digest())
    except Exception:  # it is broken in another way
        return False
    file.renew()
    return len(pictures) == 1


def _first_video(opened: av.container.InputContainer, name: str) -> av.VideoStream:
    """The stream that is looked at: not the cover of an album, of a known code and of a fair size."""
    streams = [stream for stream in opened.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise InputError(f"{name}: the file holds no video (sound only?); give an mp4, mov, webm or avi clip")
    context = streams[0].codec_context
    if context is None:
        raise InputError(f"{name}: this video is coded in a way not known here; save it as an mp4 (H.264)")
    if not context.width or not context.height:
        limit = _megapixels(MAX_PIXELS_FRAME)
        raise InputError(f"{name}: the frames have no size, or one over {limit}; save or download the clip again")
    _check_size(name, context.width, context.height, MAX_PIXELS_FRAME)
    # a damaged frame is an error, not patched up from its neighbours; threads would swallow it
    context.options = {"max_pixels": CLIP_OPTIONS["max_pixels"], "err_detect": "explode"}
    streams[0].thread_type = "NONE"
    return streams[0]


def _thumbnail(frame: av.VideoFrame) -> np.ndarray:
    return frame.reformat(THUMBNAIL, THUMBNAIL, "rgb24", interpolation="AREA").to_ndarray()


def _upright(frame: av.VideoFrame, aspect: Fraction | None, max_side: int) -> np.ndarray:
    """uint8 RGB [H, W, 3] of a decoded frame: its pixels (`aspect` wide) made square, turned and mirrored as shown."""
    width, height = frame.width * float(aspect or 1), float(frame.height)
    scale = min(1.0, max_side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    kept = size == (frame.width, frame.height)
    image = frame.reformat(*size, "rgb24", interpolation="BILINEAR" if kept else "LANCZOS").to_ndarray()
    return np.ascontiguousarray(_displayed(image, _display_matrix(frame)))


def _display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d): a pixel at (x, y) is shown at (a x + c y, b x + d y), but for a shift. Identity where not told."""
    told = frame.side_data.get(SideData.DISPLAYMATRIX)
    if told is None:
        return 1, 0, 0, 1
    a, b, _, c, d = np.frombuffer(bytes(told), np.int32)[:5].tolist()
    return a, b, c, d


def _displayed(image: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """An image [H, W, 3] turned by quarters and mirrored as the nearest display matrix to this one says."""
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):  # across becomes down
        image, across, down = image.swapaxes(0, 1), c, b
    else:
        across, down = a, d
    return image[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]
