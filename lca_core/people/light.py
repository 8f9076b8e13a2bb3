"""Light around a person: one even studio, and a family of casual skies, windows and lamps, all procedural.

A light is an environment map: linear radiance, latitude-longitude, metres of no concern. Every one is scaled
to the same irradiance on a person's skin, so that dark and light skin are both well exposed.
"""

from dataclasses import dataclass

import numpy as np

HEIGHT, WIDTH = 64, 128
CASUAL = ("sun", "low_sun", "overcast", "window", "sunset", "softbox", "shade", "lamps")


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


def studio_light() -> Light:
    """Even white light from everywhere, slightly stronger from above so that forms can be read."""
    up = directions()[..., 1:2]
    return normalised("studio", (0.75 + 0.35 * up) * np.ones(3), 0.9)


def casual_light(generator: np.random.Generator, name: str | None = None) -> Light:
    """One light of the casual family, chosen by `generator` unless `name` (one of CASUAL) is given."""
    name = name or str(generator.choice(CASUAL))
    d = directions()
    # The key light is mostly on the side of the face (+Z), as people photograph each other.
    azimuth = generator.normal(0, 1.0)
    sky, ground = _tint(generator, 0.08), _tint(generator, 0.10) * generator.uniform(0.15, 0.4)
    dome = _dome(d, sky, ground)
    if name == "sun":
        key = _lobe(d, azimuth, generator.uniform(0.6, 1.1), 0.14)
        env = 0.5 * dome * [0.80, 0.92, 1.15] + generator.uniform(25, 60) * key * [1.0, 0.95, 0.85]
    elif name == "low_sun":
        key = _lobe(d, azimuth, generator.uniform(0.25, 0.5), 0.16)
        env = 0.5 * dome * [0.85, 0.95, 1.10] + generator.uniform(18, 40) * key * [1.0, 0.88, 0.70]
    elif name == "overcast":
        env = dome * (0.6 + 0.8 * np.clip(d[..., 1:2], 0, 1)) * [0.96, 1.0, 1.05]
    elif name == "window":
        key = _box(d, azimuth + generator.choice([-1.0, 1.0]) * 0.7, 0.25, 0.55, 0.6)
        env = 0.35 * dome * [1.05, 1.0, 0.92] + generator.uniform(3.5, 6.0) * key * [0.95, 1.0, 1.08]
    elif name == "sunset":
        key = _lobe(d, azimuth, generator.uniform(0.10, 0.3), 0.25)
        glow = np.exp(-((d[..., 1:2] / 0.35) ** 2))
        env = 0.4 * dome * [0.9, 0.9, 1.15] + (0.35 * glow + generator.uniform(8, 18) * key) * [1.15, 0.80, 0.55]
    elif name == "softbox":
        key = _box(d, azimuth, 0.5, 0.45, 0.45) + 0.45 * _box(d, azimuth + 1.6, 0.2, 0.4, 0.5)
        env = 0.25 * dome + generator.uniform(4, 7) * key
    elif name == "shade":
        side = 0.5 + 0.5 * (d @ _direction(azimuth, 0.4))[..., None]
        env = dome * (0.35 + side**2) * [0.93, 1.0, 1.04]
    elif name == "lamps":
        env = 0.35 * dome * [1.1, 1.0, 0.85]
        for _ in range(int(generator.integers(2, 5))):
            key = _lobe(d, generator.uniform(-np.pi, np.pi), generator.uniform(0.5, 1.2), 0.25)
            env = env + generator.uniform(4, 12) * key * [1.12, 0.97, 0.76]
    else:
        raise ValueError(f"no casual light is called {name!r}")
    # White balance, as a camera would: take back most of the overall tint, leave a little of the mood.
    solid = np.sin((np.arange(HEIGHT) + 0.5) / HEIGHT * np.pi)[:, None, None]
    mean = (env * solid).sum((0, 1)) / solid.sum() / WIDTH
    env = env / (mean / mean.mean()) ** 0.7
    return normalised(name, env * generator.uniform(0.85, 1.12))


def normalised(name: str, environment: np.ndarray, level: float = 0.8) -> Light:
    """Scale a map so that a white matt surface, averaged over upright directions seen from in front, shows `level`."""
    d = directions(*environment.shape[:2])
    solid = np.sin(np.arccos(d[..., 1:2]))
    solid = solid / solid.sum() * 4 * np.pi
    normals = np.array([_direction(a, e) for a in (-1.2, -0.6, 0, 0.6, 1.2) for e in (-0.2, 0.3)])
    cosines = np.clip(np.einsum("hwc,nc->nhw", d, normals), 0, None)[..., None]
    shown = (cosines * environment * solid).sum((1, 2)) / np.pi
    # Half the mean, half the brightest side: a camera protects the bright side of a face from burning out.
    shown = 0.5 * shown.mean() + 0.5 * shown.mean(1).max()
    return Light(name, (environment * (level / shown)).astype(np.float32))


def _direction(azimuth: float, elevation: float) -> np.ndarray:
    """Unit vector; azimuth 0 is +Z (in front of the person), positive towards +X."""
    return np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])


def _tint(generator: np.random.Generator, spread: float) -> np.ndarray:
    return np.clip(1 + generator.normal(0, spread, 3), 0.6, 1.4)


def _dome(d: np.ndarray, sky: np.ndarray, ground: np.ndarray) -> np.ndarray:
    share = 1 / (1 + np.exp(-d[..., 1:2] / 0.08))
    return share * sky + (1 - share) * ground


def _lobe(d: np.ndarray, azimuth: float, elevation: float, width: float) -> np.ndarray:
    """A round lamp of angular radius about `width` radians, soft at its rim."""
    angle = np.arccos(np.clip(d @ _direction(azimuth, elevation), -1, 1))
    return np.exp(-((angle / width) ** 2))[..., None]


def _box(d: np.ndarray, azimuth: float, elevation: float, half_width: float, half_height: float) -> np.ndarray:
    """A rectangular lamp or window, soft at its edges."""
    a = np.arctan2(d[..., 0], d[..., 2]) - azimuth
    a = (a + np.pi) % (2 * np.pi) - np.pi
    e = np.arcsin(np.clip(d[..., 1], -1, 1)) - elevation
    inside = 1 / (1 + np.exp((np.abs(a) - half_width) / 0.05)) / (1 + np.exp((np.abs(e) - half_height) / 0.05))
    return inside[..., None]
