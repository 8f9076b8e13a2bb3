"""Light that exists, as procedural environment maps: skies, weathers, rooms, lamps, stages and screens.

An environment map is linear radiance [HEIGHT, WIDTH, 3] in latitude-longitude layout, here without a scale: only
ratios within one map count. Each entry of ENVIRONMENTS draws its azimuths, heights and strengths from a generator.
Azimuth 0 is +Z, in front of the person, positive towards +X, the person's left; angles are radians.
"""

from collections.abc import Callable

import numpy as np

from lca_core.data.sphere import HEIGHT, WIDTH, direction, directions

# Linear RGB of black bodies, brightest channel 1, by colour temperature in kelvins.
_KELVIN = np.array([1900, 2700, 3200, 4000, 5000, 6500, 8000, 10000, 15000, 25000])
_BLACK_BODY = np.array(
    [
        [1.00, 0.23, 0.01],
        [1.00, 0.39, 0.10],
        [1.00, 0.48, 0.20],
        [1.00, 0.62, 0.38],
        [1.00, 0.78, 0.62],
        [1.00, 0.97, 0.98],
        [0.77, 0.81, 1.00],
        [0.60, 0.71, 1.00],
        [0.46, 0.61, 1.00],
        [0.38, 0.54, 1.00],
    ]
)


def lobe(toward: np.ndarray, width: float) -> np.ndarray:
    """A round lamp [h, w, 1] of angular radius about `width` in the unit direction `toward` [3], soft at its rim."""
    angle = np.arccos(np.clip(_D @ toward, -1, 1))
    return np.exp(-((angle / width) ** 2))[..., None]


_D = directions()
_UP = _D[..., 1:2]
_AZIMUTH = np.arctan2(_D[..., :1], _D[..., 2:])
_ELEVATION = np.arcsin(np.clip(_UP, -1, 1))


def kelvin(temperature: float) -> np.ndarray:
    """Linear RGB [3] of a black body, its brightest channel 1; between 1,900 and 25,000 kelvins."""
    mired = 1e6 / np.clip(temperature, 1900, 25000)
    return np.array([np.interp(-mired, -1e6 / _KELVIN, _BLACK_BODY[:, c]) for c in range(3)])


def _lamp(azimuth: float, elevation: float, width: float) -> np.ndarray:
    return lobe(direction(azimuth, elevation), width)


def _box(azimuth: float, elevation: float, half_width: float, half_height: float, soft: float = 0.04) -> np.ndarray:
    """A rectangular lamp or window [h, w, 1], soft at its edges."""
    a = np.abs((_AZIMUTH - azimuth + np.pi) % (2 * np.pi) - np.pi)
    e = np.abs(_ELEVATION - elevation)
    return 1 / (1 + np.exp((a - half_width) / soft)) / (1 + np.exp((e - half_height) / soft))


def _panel(x: float, z: float, half_x: float, half_z: float) -> np.ndarray:
    """A rectangle in the ceiling one unit above the face, its middle at x and z, mostly in units of that height."""
    over = np.maximum(_UP, 1e-3)
    px, pz = np.abs(_D[..., :1] / over - x), np.abs(_D[..., 2:] / over - z)
    edges = np.clip([px - half_x, pz - half_z], -1, 1) / 0.04
    return (_UP > 0.12) / (1 + np.exp(edges[0])) / (1 + np.exp(edges[1]))


def _dome(sky: np.ndarray | float, ground: np.ndarray | float) -> np.ndarray:
    """Sky (or ceiling) above and ground (or floor) below a soft horizon."""
    share = 1 / (1 + np.exp(-_UP / 0.06))
    return share * (np.ones(3) * sky) + (1 - share) * (np.ones(3) * ground)


def _noise(u: Callable, smooth: float, count: int = 40) -> np.ndarray:
    """Smooth noise [h, w, 1] over the sphere, mean about 0 and deviation 1: plane waves, `smooth` radians long."""
    waves = np.array([[u(-1, 1) for _ in range(3)] for _ in range(count)]) * 2.7 / smooth
    phases = np.array([u(0, 2 * np.pi) for _ in range(count)])
    return np.sqrt(2 / count) * np.cos(_D @ waves.T + phases).sum(-1, keepdims=True)


def _sky(azimuth: float, elevation: float, haze: float, ground: np.ndarray) -> np.ndarray:
    """A clear sky without its sun: deep blue overhead, pale at the horizon, glowing round the sun."""
    near = np.clip(_D @ direction(azimuth, elevation), 0, 1)[..., None]
    pale = np.exp(-np.clip(_UP, 0, 1) / (0.18 + 0.5 * haze))
    blue = (1 - haze) * kelvin(14000) + haze * kelvin(7000)
    sky = 0.6 * blue + 0.9 * pale * kelvin(7500) + (0.5 + haze) * near**6 * kelvin(6000)
    share = 1 / (1 + np.exp(-_UP / 0.05))
    return share * sky + (1 - share) * ground


def _sunny(height: tuple, strength: tuple, warmth: float, haze: tuple, ground: tuple, spread: float = 1.0) -> Callable:
    """A clear day with the sun at an elevation, strength and haze from these ranges; ground: RGB."""

    def make(u: Callable) -> np.ndarray:
        a, e, h = spread * u(-1.4, 1.4), u(*height), u(*haze)
        sun = u(*strength) * _lamp(a, e, 0.06 + 0.10 * h) * kelvin(warmth)
        return _sky(a, e, h, u(0.8, 1.2) * np.array(ground)) + (0.06 / (0.06 + 0.10 * h)) ** 2 * sun

    return make


def _clouded(top: float, uneven: float, temperature: float, ground: float) -> Callable:
    """A covered sky, `top` times brighter overhead than at the horizon, with clouds as strong as `uneven`."""

    def make(u: Callable) -> np.ndarray:
        side = 1 + 0.35 * (_D @ direction(u(-1.5, 1.5), 0.3))[..., None]
        clouds = np.exp(uneven * _noise(u, 0.8))
        return _dome(1.0, ground) * side * (1 + (top - 1) * np.clip(_UP, 0, 1)) * clouds * kelvin(temperature)

    return make


def _sunset(behind: bool) -> Callable:
    """The sun on the horizon, in front of the person or behind: a red disc, an orange band, a blue sky."""

    def make(u: Callable) -> np.ndarray:
        a = u(-0.6, 0.6) + np.pi * behind + 0.7 * u(-1, 1) * (not behind)
        near = 0.5 + 0.5 * np.cos(_AZIMUTH - a)
        band = np.exp(-((_ELEVATION / 0.3) ** 2)) * near**2
        sun = u(45, 90) * _lamp(a, u(0.05, 0.16), 0.08)
        return _dome(0.22 * kelvin(12000), 0.10 * kelvin(4000)) + 1.3 * band * kelvin(2700) + sun * kelvin(2500)

    return make


def _blue_hour(u: Callable) -> np.ndarray:
    glow = np.exp(-((_ELEVATION / 0.25) ** 2)) * (0.5 + 0.5 * np.cos(_AZIMUTH - u(-1.5, 1.5))) ** 3
    return _dome(0.5 * kelvin(20000), 0.12 * kelvin(9000)) + 0.9 * glow * kelvin(4500)


def _moon(u: Callable) -> np.ndarray:
    sky = _dome(0.10 * kelvin(15000), 0.03 * kelvin(9000))
    return sky + u(25, 40) * _lamp(u(-1.2, 1.2), u(0.5, 0.9), 0.07) * kelvin(9000)


def _shade(u: Callable) -> np.ndarray:
    """Under an eave or a tree: the open side is sky, the other a wall."""
    open_side = 1 / (1 + np.exp(-(_D @ direction(u(-1.1, 1.1), 0.35))[..., None] / 0.15))
    return (0.15 + open_side) * _dome(kelvin(8500), 0.3 * kelvin(5500))


def _canyon(u: Callable) -> np.ndarray:
    """A street between tall houses: a strip of sky overhead, sunlit house fronts on one side."""
    across = _D @ direction(u(-0.5, 0.5) + np.pi / 2 * np.sign(u(-1, 1)), 0)
    strip = np.exp(-((np.arctan2(across[..., None], _UP) / 0.45) ** 4)) * (_UP > 0)
    walls = 0.25 + 0.9 * np.clip(across, 0, 1)[..., None] * (_UP > -0.1)
    return 1.6 * strip * kelvin(11000) + walls * [1.0, 0.86, 0.72] * _dome(1.0, 0.4)


def _forest(gaps: float) -> Callable:
    """Leaves all round; `gaps`: how much sky, and sun, comes through them."""

    def make(u: Callable) -> np.ndarray:
        noise = _noise(u, 0.25, 60)
        leaves = _dome(np.array([0.30, 0.42, 0.14]), np.array([0.16, 0.17, 0.07])) * np.exp(0.45 * noise)
        holes = 1 / (1 + np.exp(-(noise - 1.9 + gaps) / 0.1)) * np.clip(2 * _UP + 0.2, 0, 1)
        sun = _lamp(u(-1.2, 1.2), u(0.7, 1.1), 0.35) * holes
        return 0.6 * leaves + 2.0 * holes * kelvin(7500) + u(12, 20) * gaps * sun * kelvin(5300)

    return make


def _beach(u: Callable) -> np.ndarray:
    a, e = u(-1.3, 1.3), u(0.5, 0.9)
    glitter = 4 * _box(a, -0.3, 0.25, 0.2, soft=0.1)
    return _sky(a, e, 0.15, np.array([0.75, 0.68, 0.52])) + (u(220, 320) * _lamp(a, e, 0.07) + glitter) * kelvin(5500)


def _street_lamps(u: Callable) -> np.ndarray:
    """Night in the street: sodium lamps overhead, small coloured lights at eye level."""
    env = _dome(0.035 * kelvin(15000), 0.05 * kelvin(2700))
    for side in (-1, 1):
        env = env + u(18, 30) * _lamp(side * u(0.4, 1.0), u(0.5, 0.9), 0.12) * kelvin(2400)
    for _ in range(14):
        tint = np.array([u(0.2, 1), u(0.2, 1), u(0.2, 1)])
        env = env + u(1, 5) * _lamp(u(-np.pi, np.pi), u(-0.1, 0.3), u(0.05, 0.1)) * tint
    return env


def _headlights(u: Callable) -> np.ndarray:
    a = u(0.2, 0.7) * np.sign(u(-1, 1))
    pair = _lamp(a - 0.16, -0.12, 0.07) + _lamp(a + 0.16, -0.12, 0.07)
    return _dome(0.03 * kelvin(15000), 0.05 * kelvin(6000)) + u(45, 60) * pair * kelvin(5500)


def _room(*windows: tuple, walls: float = 0.14, sky: float = 7500) -> Callable:
    """Windows (azimuth, elevation, half width, half height) on alternating random sides, warm walls otherwise."""

    def make(u: Callable) -> np.ndarray:
        flip, turn = np.sign(u(-1, 1)), u(-0.15, 0.15)
        room = walls * _dome(kelvin(5200), 0.6 * kelvin(4200))
        view = _dome(kelvin(sky), 0.45 * np.array([0.9, 1.0, 0.7]))
        light = sum(_box(flip * a + turn, e, w, h) for a, e, w, h in windows)
        return room + u(3, 4) * np.minimum(light, 1) * view

    return make


def _ceiling(panels: list[tuple], temperature: float, walls: float, tint: tuple = (1, 1, 1)) -> Callable:
    """Panels (x, z, half x, half z) in the ceiling of a room whose walls and floor throw `walls` back."""

    def make(u: Callable) -> np.ndarray:
        x, z = u(-0.3, 0.3), u(-0.3, 0.3)
        light = sum(_panel(px + x, pz + z, hx, hz) for px, pz, hx, hz in panels)
        return (walls * _dome(1.0, 0.8) + 6 * light) * kelvin(temperature) * tint

    return make


def _lamps(*lamps: tuple, dark: float) -> Callable:
    """Lamps (azimuth, elevation, width, strength, RGB or kelvins), mirrored or not; the room
    throws `dark` of their light back."""

    def make(u: Callable) -> np.ndarray:
        flip = np.sign(u(-1, 1))
        env = np.zeros((HEIGHT, WIDTH, 3))
        for a, e, width, strength, color in lamps:
            rgb = kelvin(color) if np.isscalar(color) else np.array(color)
            env += strength * u(0.85, 1.15) * _lamp(flip * a + u(-0.12, 0.12), e + u(-0.06, 0.06), width) * rgb
        mean = (env * np.cos(_ELEVATION)).mean((0, 1))
        return env + dark * mean * _dome(1.0, 0.6)

    return make


def _boxes(*boxes: tuple, dark: float = 0.12) -> Callable:
    """Soft boxes (azimuth, elevation, half width, half height, strength) at about daylight, in a dim studio."""

    def make(u: Callable) -> np.ndarray:
        light = sum(s * _box(a + u(-0.1, 0.1), e + u(-0.08, 0.08), w, h) for a, e, w, h, s in boxes)
        return (light + dark * _dome(1.0, 0.7)) * kelvin(u(5200, 7000))

    return make


def _ring(u: Callable) -> np.ndarray:
    angle = np.arccos(np.clip(_D @ direction(0, u(0.0, 0.12)), -1, 1))[..., None]
    return (8 * np.exp(-(((angle - 0.32) / 0.07) ** 2)) + 0.10) * kelvin(u(5000, 6500))


def _mirror_bulbs(u: Callable) -> np.ndarray:
    """A dressing table: warm bulbs on both sides and above."""
    places = [(0.65, e) for e in (-0.25, 0.05, 0.35, 0.6)] + [(0.25, 0.65)]
    bulbs = sum(_lamp(a, e, 0.09) + _lamp(-a, e, 0.09) for a, e in places)
    return (5 * bulbs + 0.1 * _dome(1.0, 0.8)) * kelvin(u(2900, 3600))


_OFFICE = [(x, z, 0.25, 0.5) for x in (-1.6, 0.0, 1.6) for z in (-1.8, 0.2, 2.2)]
_TUBES = [(0.0, z, 1.1, 0.07) for z in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)]
_GRASS, _SAND, _SNOW, _STONE = (0.16, 0.24, 0.08), (0.62, 0.45, 0.28), (1.5, 1.6, 1.75), (0.30, 0.28, 0.26)
_MAGENTA, _CYAN, _RED, _BLUE, _GREEN = (1, 0.05, 0.7), (0.03, 0.75, 1), (1, 0.06, 0.03), (0.06, 0.15, 1), (0.1, 1, 0.2)

# Each makes a map [HEIGHT, WIDTH, 3] from u(low, high), a source of uniform random numbers.
ENVIRONMENTS: dict[str, Callable[[Callable], np.ndarray]] = {
    "noon_sun": _sunny((1.0, 1.25), (500, 700), 5800, (0.05, 0.2), _STONE),
    "morning_sun": _sunny((0.4, 0.65), (260, 420), 5000, (0.1, 0.3), _GRASS),
    "side_sun": _sunny((0.3, 0.6), (420, 640), 5000, (0.05, 0.2), _GRASS, spread=1.15),
    "hazy_sun": _sunny((0.5, 0.9), (110, 170), 5300, (0.7, 1.0), _STONE),
    "golden_hour": _sunny((0.12, 0.25), (220, 340), 3000, (0.2, 0.4), (0.30, 0.20, 0.10)),
    "sunset": _sunset(behind=False),
    "backlit_sunset": _sunset(behind=True),
    "blue_hour": _blue_hour,
    "moonlight": _moon,
    "overcast": _clouded(3.0, 0.0, 7000, 0.20),
    "bright_clouds": _clouded(1.8, 0.55, 6600, 0.30),
    "storm": _clouded(1.2, 1.1, 8500, 0.10),
    "fog": _clouded(1.1, 0.0, 6800, 0.60),
    "snow_sun": _sunny((0.3, 0.6), (300, 450), 5500, (0.05, 0.2), _SNOW),
    "snow_clouds": _clouded(1.6, 0.2, 7200, 1.6),
    "shade": _shade,
    "street": _canyon,
    "forest": _forest(gaps=0.4),
    "dappled_forest": _forest(gaps=1.2),
    "desert": _sunny((0.7, 1.1), (480, 680), 5200, (0.15, 0.35), _SAND),
    "beach": _beach,
    "street_lamps": _street_lamps,
    "headlights": _headlights,
    "window": _room((0.9, 0.15, 0.45, 0.5)),
    "two_windows": _room((1.1, 0.15, 0.35, 0.5), (-1.5, 0.15, 0.35, 0.5)),
    "many_windows": _room(*((a, 0.2, 0.25, 0.55) for a in (-2.2, -1.4, -0.6, 0.2, 1.0, 1.8)), walls=0.2),
    "doorway": _room((0.1, -0.05, 0.28, 0.75), walls=0.08),
    "skylight": _ceiling([(0.4, 0.5, 0.6, 0.6)], 8000, 0.18, (1.0, 0.98, 0.95)),
    "office": _ceiling(_OFFICE, 4300, 0.35),
    "corridor": _ceiling(_TUBES, 4200, 0.22, (0.92, 1.0, 0.88)),
    "kitchen": _lamps((0.5, 0.9, 0.2, 12, 2900), (-0.5, 0.9, 0.2, 12, 2900), (0.0, 1.1, 0.2, 9, 3200), dark=0.9),
    "table_lamp": _lamps((1.0, 0.0, 0.3, 10, 2700), (-2.2, 0.5, 0.3, 3, 2900), dark=0.55),
    "candle": _lamps((0.3, -0.35, 0.12, 30, 1950), dark=0.08),
    "fireplace": _lamps((0.7, -0.3, 0.35, 10, 2100), (0.5, -0.45, 0.2, 8, 1900), dark=0.15),
    "tv_glow": _lamps((0.15, -0.02, 0.30, 10, 14000), dark=0.07),
    "phone_glow": _lamps((0.0, -0.65, 0.22, 14, 9000), (2.4, 0.2, 0.3, 1.0, 2700), dark=0.08),
    "dressing_table": _mirror_bulbs,
    "softbox_left": _boxes((0.95, 0.35, 0.45, 0.45, 6.0)),
    "softbox_right": _boxes((-0.95, 0.35, 0.45, 0.45, 6.0)),
    "softbox_top": _boxes((0.0, 0.95, 0.8, 0.3, 8.0), (0.0, -0.7, 0.6, 0.2, 1.6)),
    "softbox_pair": _boxes((0.9, 0.3, 0.4, 0.5, 5.0), (-0.9, 0.3, 0.4, 0.5, 4.0)),
    "ring_light": _ring,
    "rim_light": _boxes(*((a, 0.3, 0.25, 0.8, 14.0) for a in (-2.5, 2.5)), (0.0, 0.3, 0.5, 0.4, 1.6), dark=0.1),
    "split_light": _lamps((1.5, 0.2, 0.15, 40, 5600), dark=0.18),
    "rembrandt": _lamps((0.85, 0.75, 0.14, 40, 4800), dark=0.16),
    "neon_pair": _lamps((1.05, 0.1, 0.4, 8, _MAGENTA), (-1.05, 0.1, 0.4, 8, _CYAN), dark=0.06),
    "neon_signs": _lamps(
        (0.8, 0.3, 0.2, 14, _RED), (-0.6, 0.0, 0.3, 9, _BLUE), (2.6, 0.4, 0.3, 20, _MAGENTA), dark=0.08
    ),
    "stage_spots": _lamps(
        (0.35, 0.8, 0.10, 60, 3200), (-2.6, 0.7, 0.14, 70, _BLUE), (2.6, 0.7, 0.14, 70, _RED), dark=0.03
    ),
    "party": _lamps((1.2, 0.6, 0.2, 16, _GREEN), (-0.9, 0.5, 0.2, 20, _MAGENTA), (0.1, 0.3, 0.3, 4, 3200), dark=0.06),
}  # fmt: skip
