"""Light around a person: one even studio, everyday and unusual environments, and one light at a time.

Environments are scaled to about the same irradiance on a person's face, so that dark and light skin are both well
exposed; those that are dark in life stay darker.
"""

import numpy as np

from lca_core.data.environments import ENVIRONMENTS, lobe
from lca_core.data.sphere import Light, direction, directions, solid_angles, spiral
from lca_core.errors import InputError

LEVEL = 0.8  # what a white matt surface shows, of 1
# Levels of what is dark in life, where a face is meant to be seen, but not as by day.
DARK = {
    "backlit_sunset": 0.65, "blue_hour": 0.6, "moonlight": 0.45, "street_lamps": 0.55, "headlights": 0.6, "candle": 0.5,
    "fireplace": 0.55, "tv_glow": 0.45, "phone_glow": 0.5, "stage_spots": 0.65, "rim_light": 0.5, "storm": 0.65,
}  # fmt: skip
# Colour is the point of these; cameras balance the others nearly to white.
COLOURED = frozenset(
    {"neon_pair", "neon_signs", "party", "stage_spots", "candle", "fireplace", "tv_glow", "sunset", "golden_hour",
     "blue_hour", "moonlight", "street_lamps"}
)  # fmt: skip
_STAGED = COLOURED - {"sunset", "golden_hour", "blue_hour"} | {"rim_light", "split_light", "headlights", "phone_glow"}
# Lights that nothing is trained under, by name: what is made of a person is judged under them.
HELD_OUT_ENVIRONMENTS = (
    "beach", "golden_hour", "street", "two_windows", "corridor", "softbox_left", "neon_pair", "fireplace",
)  # fmt: skip
HELD_OUT_LAMPS = tuple(f"lamp_{i:02d}" for i in (2, 3, 8, 10, 15, 16, 19, 21))
CASUAL = tuple(name for name in ENVIRONMENTS if name not in _STAGED and name not in HELD_OUT_ENVIRONMENTS)
_LOBE = 0.12  # radians, of a directional light: wide enough to be smooth on the map's grid of 2.8 degrees


def studio_light() -> Light:
    """Even white light from everywhere, slightly stronger from above so that forms can be read."""
    up = directions()[..., 1:2]
    return normalised("studio", (0.75 + 0.35 * up) * np.ones(3), 0.9)


def environment(name: str, generator: np.random.Generator) -> Light:
    """The light of this name (a key of ENVIRONMENTS, ValueError otherwise), varied by `generator`."""
    if name not in ENVIRONMENTS:
        raise ValueError(f"no light is called {name!r}; choose one of {', '.join(ENVIRONMENTS)}")
    radiance = ENVIRONMENTS[name](generator.uniform)
    # White balance, as a camera would: take back most of the overall tint, leave a little of the mood.
    mean = (radiance * solid_angles()).sum((0, 1))
    radiance = radiance / (mean / mean.mean()) ** (0.45 if name in COLOURED else 0.75)
    return normalised(name, radiance, DARK.get(name, LEVEL) * generator.uniform(0.9, 1.1))


def casual_light(generator: np.random.Generator, name: str | None = None) -> Light:
    """One of the everyday lights CASUAL, or any environment's `name`. None of those held out is drawn."""
    return environment(name or str(generator.choice(CASUAL)), generator)


def exposed(light: Light, albedo: float) -> Light:
    """The light as a camera's automatic exposure leaves it: a little more for dark skin, a little less for light."""
    return Light(light.name, light.environment * np.float32(np.clip((0.25 / albedo) ** 0.5, 0.8, 2.2)))


def directional_light(
    toward: np.ndarray, color: tuple[float, float, float] = (1.0, 1.0, 1.0), name: str = "directional"
) -> Light:
    """One small lamp in the direction `toward` [3] (any length, ValueError when zero), black elsewhere.

    A white matt surface that faces it shows `color`, whatever the direction, so such lights can be added up: the
    picture under several is the sum of the pictures under each.
    """
    length = np.linalg.norm(toward)
    if not length > 0:
        raise ValueError("a light needs a direction that is not zero")
    toward = np.asarray(toward, float) / length
    lamp = lobe(toward, _LOBE)
    lamp = np.where(lamp > 1e-6, lamp, 0)
    facing = np.clip(directions() @ toward, 0, None)[..., None]
    shown = (lamp * facing * solid_angles()).sum() / np.pi
    return Light(name, (lamp / shown * np.asarray(color)).astype(np.float32))


def light_named(name: str, seed: int = 0) -> Light:
    """The light called "studio", one of OLAT ("lamp_05"), or one of ENVIRONMENTS ("sunset") as `seed` varies it.

    InputError for another name.
    """
    lamps = {lamp.name: lamp for lamp in OLAT}
    if name == "studio":
        return studio_light()
    if name not in lamps and name not in ENVIRONMENTS:
        raise InputError(
            f"no light is called {name!r}; choose studio, {OLAT[0].name} to {OLAT[-1].name}, or one of "
            f"{', '.join(ENVIRONMENTS)}"
        )
    return lamps[name] if name in lamps else environment(name, np.random.default_rng(seed))


def normalised(name: str, environment: np.ndarray, level: float = LEVEL) -> Light:
    """Scale a map so that a white matt surface, averaged over upright directions seen from in front, shows `level`."""
    d = directions(*environment.shape[:2])
    solid = solid_angles(*environment.shape[:2])
    normals = np.array([direction(a, e) for a in (-1.2, -0.6, 0, 0.6, 1.2) for e in (-0.2, 0.3)])
    cosines = np.clip(np.einsum("hwc,nc->nhw", d, normals), 0, None)[..., None]
    shown = (cosines * environment * solid).sum((1, 2)) / np.pi
    # Half the mean, half the brightest side: a camera protects the bright side of a face from burning out.
    shown = 0.5 * shown.mean() + 0.5 * shown.mean(1).max()
    return Light(name, (environment * (level / shown)).astype(np.float32))


# One light at a time, as a light stage takes them: white lamps spread evenly over the sphere, from the top down.
OLAT = tuple(directional_light(toward, name=f"lamp_{i:02d}") for i, toward in enumerate(spiral(24)))
