"""Light from all around: a map of the sphere, its directions, and how it is carried round somebody."""

from dataclasses import dataclass

import numpy as np

HEIGHT, WIDTH = 64, 128  # pixels of a map


@dataclass(frozen=True)
class Light:
    """environment: float32 [h, w, 3] linear radiance; row 0 is straight up, column as `directions` says."""

    name: str
    environment: np.ndarray


def directions(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Unit world directions [h, w, 3] of the pixel centres of an environment map, in mitsuba's layout."""
    theta = (np.arange(height) + 0.5) / height * np.pi
    phi = (np.arange(width) + 0.5) / width * 2 * np.pi
    theta, phi = np.meshgrid(theta, phi, indexing="ij")
    return np.stack([np.sin(theta) * np.sin(phi), np.cos(theta), -np.sin(theta) * np.cos(phi)], -1)


def direction(azimuth: float, elevation: float) -> np.ndarray:
    """Unit vector [3] of an azimuth and an elevation."""
    return np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])


def solid_angles(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Steradians [h, 1, 1] of a map's pixels, row by row."""
    rows = np.sin((np.arange(height) + 0.5) / height * np.pi)
    return (rows / rows.sum() * 4 * np.pi / width)[:, None, None]


def spiral(count: int) -> np.ndarray:
    """Unit directions [count, 3] spread evenly over the sphere, along a spiral from the top to the bottom."""
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    return np.stack([direction(a, np.arcsin(1 - (2 * i + 1) / count)) for i, a in enumerate(turn)])


def turned(light: Light, azimuth: float) -> Light:
    """The light carried round the person by `azimuth` radians, positive towards the person's left, a share of a pixel
    at a time."""
    shift = -azimuth / (2 * np.pi) * light.environment.shape[1]
    whole = int(np.floor(shift))
    before, after = (np.roll(light.environment, whole + i, axis=1) for i in (0, 1))
    return Light(light.name, (before + (shift - whole) * (after - before)).astype(np.float32))
