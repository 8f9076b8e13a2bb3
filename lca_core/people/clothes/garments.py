"""How each kind of garment is cut: measures of a person, lines that end a garment, room between cloth and skin.

Cutting lines are functions of points [n, 3] in metres, positive inside the garment. A hem is their zero set, so it
is a curve through triangles and not a row of whole ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lca_core.people.clothes.figure import GOWNS, Figure
from lca_core.people.clothes.tailoring import smoothstep
from lca_core.people.who.spec import Garment

Line = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Cut:
    """A garment of the upper body. reach: of its sleeves, share of the arm, None without sleeves; hem: height of its
    lower end; neck: (width beside the neck, depth in front, depth behind), metres; room: (shoulders, hem, cuffs),
    metres of cloth from the skin; slope: how steeply it follows the trunk inwards, see Hang; rib: metres of ribbing
    that gathers hem and cuffs, 0 without; collar: one of "", "band", "shirt", "coat", "hood"; open: worn open in
    front."""

    reach: float | None
    hem: float
    neck: tuple[float, float, float]
    room: tuple[float, float, float]
    slope: float
    rib: float = 0.0
    collar: str = "band"
    open: bool = False


def upper_cut(garment: Garment, figure: Figure) -> Cut:
    """How a top, the upper part of a dress, or a coat is cut."""
    f, long, deep, loose, kind = figure, garment.length, garment.neck, garment.loose, garment.kind
    hem = f.hip_y + f.torso * (0.08 - 0.20 * long)
    crew, high = (0.010, 0.022 + 0.02 * deep, 0.010), (0.006, 0.016, 0.006)
    scoop = (0.022 + 0.03 * deep, 0.04 + 0.07 * deep, 0.016 + 0.02 * deep)
    snug, easy = 0.55 - 0.4 * loose, 0.22 - 0.2 * loose
    cuts = {
        "tshirt": Cut(0.27 + 0.20 * long, hem, crew if deep < 0.6 else scoop, (0.009, 0.014 + 0.03 * loose,
                      0.014 + 0.024 * loose), easy),
        "long_sleeve": Cut(0.96, hem, crew if deep < 0.7 else scoop, (0.009, 0.012 + 0.02 * loose,
                           0.008 + 0.006 * loose), snug),
        "tank": Cut(None, hem, (0.034 + 0.012 * deep, 0.07 + 0.07 * deep, 0.03 + 0.04 * deep),
                    (0.007, 0.009 + 0.022 * loose, 0.0), snug),
        "polo": Cut(0.30 + 0.14 * long, hem, high, (0.009, 0.014 + 0.022 * loose, 0.016 + 0.016 * loose), easy,
                    collar="shirt"),
        "shirt": Cut(0.98, hem - 0.04 * f.torso, high, (0.010, 0.016 + 0.028 * loose, 0.012), easy, collar="shirt"),
        "blouse": Cut(0.36 + 0.60 * long, hem, scoop, (0.009, 0.016 + 0.024 * loose, 0.020 + 0.016 * loose), snug,
                      rib=0.03),
        "sweater": Cut(0.98, hem + 0.02 * f.torso, crew, (0.012, 0.022 + 0.03 * loose, 0.020 + 0.012 * loose), easy,
                       rib=0.055),
        "hoodie": Cut(0.98, hem + 0.02 * f.torso, high, (0.013, 0.026 + 0.03 * loose, 0.024 + 0.012 * loose), 0.02,
                      rib=0.055, collar="hood"),
        "dress": Cut(0.24 + 0.14 * long if deep < 0.5 else None, f.waist_y, scoop,
                     (0.007, 0.008 + 0.006 * loose, 0.018), 0.9, collar="band"),
        "jacket": Cut(0.98, f.hip_y - f.torso * (0.04 + 0.10 * long), (0.014, 0.035, 0.008), (0.018, 0.026, 0.024),
                      0.25, collar="coat", open=True),
        "coat": Cut(0.99, f.knee_y + f.leg * (0.16 - 0.22 * long), (0.016, 0.040, 0.008), (0.018, 0.032, 0.024), 0.15,
                    collar="coat", open=True),
    }  # fmt: skip
    cut = cuts["dress" if kind in GOWNS else kind]
    return replace(cut, room=_sized(cut.room, f), rib=cut.rib * f.size)


def _sized(room: tuple[float, ...], figure: Figure) -> tuple[float, ...]:
    """Room between cloth and skin as a person of this size has it; what cloth needs at the least stays."""
    return tuple(min(value, 0.006) + figure.size * max(value - 0.006, 0.0) for value in room)


def neckline(cut: Cut, figure: Figure) -> Line:
    """An ellipse about the neck seen from the front, deeper before than behind, with no corners."""
    width, front, back = (figure.size * value for value in cut.neck)
    half = figure.collar_half + width

    def line(p):
        forward = smoothstep(-0.03, 0.05, (p[:, 2] - figure.collar_middle[2]) / figure.size)
        depth = back + (front - back) * forward
        below = np.minimum(figure.above_collar(p), 0) / depth
        return (np.hypot(p[:, 0] / half, below) - 1) * np.minimum(half, depth)

    return line


def sleeve_end(cut: Cut, figure: Figure) -> Line:
    """The cuff, or the armhole of a garment without sleeves."""
    f = figure
    below_arm = lambda p: 4 * np.maximum(f.armpit_y - 0.03 * f.size - p[:, 1], 0)  # noqa: E731 the trunk stays whole
    if cut.reach is not None:
        end = f.shoulder[0] + cut.reach * f.arm
        return lambda p: end - np.abs(p[:, 0]) + below_arm(p)

    def armhole(p):
        drop = (f.shoulder[1] + 0.02 * f.size - p[:, 1]) / (f.shoulder[1] + 0.02 * f.size - f.armpit_y)
        under = np.square(np.maximum(f.armpit_y + 0.02 * f.size - p[:, 1], 0)) / (0.008 * f.size)
        return f.shoulder[0] - f.size * (0.036 - 0.020 * drop.clip(0, 1.2) ** 2) - np.abs(p[:, 0]) + under

    return armhole


def opening(cut: Cut, figure: Figure) -> Callable[[np.ndarray], np.ndarray]:
    """Half the width of what shows between the fronts of an open coat, at heights y."""
    f = figure
    heights = [f.knee_y, f.hip_y, f.waist_y, f.armpit_y, f.neck[1]]
    widths = np.array([0.080, 0.055, 0.042, 0.046, 0.050]) * f.size
    return lambda y: np.interp(y, heights, widths)


def front_edge(cut: Cut, figure: Figure) -> Line:
    """The edges of the fronts of an open coat."""
    half = opening(cut, figure)
    return lambda p: np.maximum(np.abs(p[:, 0]) - half(p[:, 1]), figure.axis_z - 0.02 - p[:, 2])


def lower_end(garment: Garment, figure: Figure) -> float:
    """Height of the lower end of trousers, shorts, a skirt or a dress."""
    f, length = figure, garment.length
    above_sole = f.ankle[1] - 0.022 * f.size
    return {
        "trousers": above_sole, "jeans": above_sole, "leggings": f.ankle[1] + 0.02 * f.size,
        "joggers": f.ankle[1] + 0.012 * f.size, "shorts": f.knee_y + f.leg * (0.24 - 0.2 * length),
        "skirt": f.knee_y + f.leg * (0.22 - 0.45 * length), "pleated_skirt": f.knee_y + f.leg * (0.22 - 0.3 * length),
        "dress": f.knee_y + f.leg * (0.16 - 0.26 * length), "long_dress": f.ankle[1] + f.leg * (0.16 - 0.14 * length),
    }[garment.kind]  # fmt: skip


@dataclass(frozen=True)
class LegCut:
    """Legs of a garment. room: (seat, knee, hem) metres of cloth from the skin; straight: 0 follows the leg, 1 falls
    straight from the thigh; rib: metres of ribbing at the hem."""

    room: tuple[float, float, float]
    straight: float
    rib: float = 0.0


def leg_cut(garment: Garment, figure: Figure) -> LegCut:
    """How trousers are cut."""
    loose = garment.loose
    cut = {
        "trousers": LegCut((0.006, 0.016 + 0.016 * loose, 0.016 + 0.026 * loose), 0.75 + 0.25 * loose),
        "jeans": LegCut((0.005, 0.010 + 0.014 * loose, 0.012 + 0.022 * loose), 0.45 + 0.5 * loose),
        "leggings": LegCut((0.005, 0.0035, 0.0035), 0.0),
        "joggers": LegCut((0.009, 0.020 + 0.014 * loose, 0.024 + 0.010 * loose), 0.75, 0.05),
        "shorts": LegCut((0.006, 0.024 + 0.022 * loose, 0.024 + 0.022 * loose), 0.8),
    }[garment.kind]
    return replace(cut, room=_sized(cut.room, figure), rib=cut.rib * figure.size)


class Folds:
    """Gentle wrinkles, metres >= 0 outwards at points [n, 3]; the same for the same seed."""

    def __init__(self, rng: np.random.Generator):
        self._waves = rng.normal(size=(6, 3)) * [24, 14, 24]
        self._phase = rng.uniform(0, 2 * np.pi, 6)
        self._lean = rng.uniform(-0.6, 0.6)

    def cloth(self, p: np.ndarray) -> np.ndarray:
        """All over: 0..1, soft lumps of about 10 cm."""
        return 0.5 + np.sin(p @ self._waves.T + self._phase).mean(1)

    def rings(self, along: np.ndarray, around: np.ndarray, period: float) -> np.ndarray:
        """Across a limb, as at a bent elbow or over a shoe: 0..1."""
        phase = 2 * np.pi * along / period + 1.3 * np.sin(around + self._phase[0]) + self._lean * around
        return np.square(0.5 + 0.5 * np.sin(phase + 0.6 * np.sin(2 * around + self._phase[1])))

    def hanging(self, angle: np.ndarray, count: int) -> np.ndarray:
        """Down a skirt: about -1..1 by direction, roughly `count` folds around."""
        wave = sum(np.sin((count + k) * angle + phase) for k, phase in zip((-2, 0, 1, 3), self._phase, strict=False))
        return wave / 2.4
