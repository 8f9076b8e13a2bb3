"""Cameras of a COLMAP reconstruction (Schoenberger and Frahm 2016): cameras and images, as text or binary.

The format is COLMAP's documented one (colmap.github.io/format.html): a picture's quaternion (w first) and translation
take the world to the camera, x right, y down, z forward; pixel centres are at +0.5, as ours.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from lca_core.data.records import Camera
from lca_core.errors import InputError

# A camera model's number in binary files, and how many numbers it has: focal lengths, principal point, distortion.
MODELS = {"SIMPLE_PINHOLE": (0, 3), "PINHOLE": (1, 4), "SIMPLE_RADIAL": (2, 4), "RADIAL": (3, 5), "OPENCV": (4, 8),
          "OPENCV_FISHEYE": (5, 8), "FULL_OPENCV": (6, 12)}  # fmt: skip
_ONE_FOCAL = ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")


def read_colmap(folder: Path | str) -> dict[str, Camera]:
    """Picture name -> its camera, in the reconstruction's own unit of length.

    folder: with cameras.txt and images.txt, or cameras.bin and images.bin (text first). InputError, naming the file:
    missing, damaged, or with a lens whose distortion is not zero.
    """
    readers = {".txt": (_text_lenses, _text_pictures), ".bin": (_lenses, _pictures)}
    for ending in readers:
        cameras, images = Path(folder, f"cameras{ending}"), Path(folder, f"images{ending}")
        if cameras.is_file() and images.is_file():
            break
    else:
        raise InputError(f"{folder}: no cameras.txt with images.txt, nor the same as .bin; give COLMAP's sparse folder")
    lenses_in, pictures_in = readers[ending]
    lenses = _whole(cameras, lambda path: {number: _lens(path, *rest) for number, *rest in lenses_in(path)})
    return _whole(images, lambda path: {name: _camera(lenses, *rest) for name, *rest in pictures_in(path)})


def _whole(path: Path, read: Callable[[Path], dict]) -> dict:
    try:
        return read(path)
    except InputError:
        raise
    except (ValueError, KeyError, IndexError, struct.error, OSError) as error:
        raise InputError(f"{path}: not a whole COLMAP file ({error!r}); copy or convert it again") from None


def _lens(path: Path, model: str, width: int, height: int, numbers: np.ndarray) -> tuple[np.ndarray, int, int]:
    """(K [3, 3], width, height) of a camera without distortion."""
    if model not in MODELS or len(numbers) != MODELS[model][1]:
        raise InputError(
            f"{path}: camera model {model} with {len(numbers)} numbers is not known; undistort with COLMAP"
        )
    focal = [numbers[0], *numbers] if model in _ONE_FOCAL else numbers
    fx, fy, cx, cy, *distortion = focal
    if np.any(np.abs(distortion) > 1e-6):
        raise InputError(
            f"{path}: the pictures are distorted ({model}); run `colmap image_undistorter` and give its folder"
        )
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), width, height


def _camera(lenses: dict, pose: np.ndarray, lens: int) -> Camera:
    K, width, height = lenses[lens]
    viewmat = np.eye(4)
    viewmat[:3, :3] = Rotation.from_quat(pose[:4], scalar_first=True).as_matrix()
    viewmat[:3, 3] = pose[4:]
    return Camera(viewmat.astype(np.float32), K.astype(np.float32), width, height)


def _text_lenses(path: Path) -> Iterator[tuple[int, str, int, int, np.ndarray]]:
    for line in _lines(path):
        if line:
            number, model, width, height, *numbers = line.split()
            yield int(number), model, int(width), int(height), np.array(numbers, float)


def _text_pictures(path: Path) -> Iterator[tuple[str, np.ndarray, int]]:
    for line in _lines(path)[::2]:  # between them: the points seen in the picture, an empty line where there are none
        if line:
            _, *pose, lens, name = line.split(maxsplit=9)
            yield name, np.array(pose, float), int(lens)


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def _lenses(path: Path) -> Iterator[tuple[int, str, int, int, np.ndarray]]:
    data, names = path.read_bytes(), {number: (name, count) for name, (number, count) in MODELS.items()}
    (count,), at = struct.unpack_from("<Q", data), 8
    for _ in range(count):
        lens, model, width, height = struct.unpack_from("<iiQQ", data, at)
        if model not in names:
            raise InputError(f"{path}: camera model number {model} is not known; undistort with COLMAP")
        name, numbers = names[model]
        yield lens, name, width, height, np.array(struct.unpack_from(f"<{numbers}d", data, at + 24))
        at += 24 + 8 * numbers


def _pictures(path: Path) -> Iterator[tuple[str, np.ndarray, int]]:
    data = path.read_bytes()
    (count,), at = struct.unpack_from("<Q", data), 8
    for _ in range(count):
        _, *pose, lens = struct.unpack_from("<i7di", data, at)
        end = data.index(b"\0", at + 64)
        yield data[at + 64 : end].decode(), np.array(pose), lens
        (points,) = struct.unpack_from("<Q", data, end + 1)
        at = end + 9 + 24 * points
