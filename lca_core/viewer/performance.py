"""What is asked of an avatar that somebody plays with: plain numbers, without an avatar and without a window."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

import numpy as np

from lca_core.errors import InputError
from lca_core.motion.faces import settled
from lca_core.motion.motions import Motion
from lca_core.viewer.signals import LOOPS, looped, moment, rest
from lca_core.viewer.sliders import groups
from lca_core.viewer.views import VIEWS

_HELD = ("theta", "gaze")  # parts of a signal that are held to what sliders or motions alone reach


@dataclass(frozen=True)
class Performance:
    """What is asked for.

    sliders: values by name (`sliders.groups`; radians, or shares of an action), those not named being at rest; motion:
    one of `signals.LOOPS`, or "", standing; seconds: since it began. view: one of `views.VIEWS`; azimuth, elevation:
    radians round it; zoom: 1 shows it as large as it fits. light: a name that `light_named` knows, or "", that of the
    photographs; light_turn: radians by which it has gone round the person. InputError for a name that is none.
    """

    sliders: Mapping[str, float] = field(default_factory=dict)
    motion: str = ""
    seconds: float = 0.0
    view: str = "Body"
    azimuth: float = 0.3
    elevation: float = 0.06
    zoom: float = 1.0
    light: str = ""
    light_turn: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "sliders", MappingProxyType(dict(self.sliders)))  # nobody changes it afterwards
        unknown = [name for name in self.sliders if name not in sliders_by_name()]
        if unknown:
            raise InputError(f"no slider is called {', '.join(unknown)}; there are {', '.join(sliders_by_name())}")
        if self.motion and self.motion not in LOOPS:
            raise InputError(f"no motion that goes round is called {self.motion!r}; choose one of {', '.join(LOOPS)}")
        if self.view not in VIEWS:
            raise InputError(f"no view is called {self.view!r}; choose one of {', '.join(VIEWS)}")

    def signal(self) -> Motion:
        """One frame: the motion's moment, and what sliders add to it.

        Every slider is held to its range, and every angle of joints and eyes to what the sliders alone, or the motions
        alone, reach: two that turn the same joint do not break it. Facial actions are `settled`: a face can make them.
        """
        base = moment(self.motion, self.seconds) if self.motion else rest()
        parts = {name: part[0].astype(np.float64) for name, part in base._asdict().items()}
        for name, value in self.sliders.items():
            slider = sliders_by_name()[name]
            change = float(np.clip(value, slider["low"], slider["high"])) - slider["value"]
            for part, place, amount in slider["moves"]:
                parts[part][place] += change * amount
        for part in _HELD:
            parts[part] = np.clip(parts[part], *reach()[part])
        parts["actions"] = settled(np.clip(parts["actions"], 0, 1))
        return Motion(**{name: part.astype(np.float32)[None] for name, part in parts.items()})


@cache
def sliders_by_name() -> dict[str, dict]:
    """All sliders of all groups."""
    return {slider["name"]: slider for group in groups() for slider in group["sliders"]}


@cache
def reach() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(least, most) of every number of theta and gaze, at rest, under each slider alone and in every motion."""
    signals = [rest(), *(looped(name) for name in LOOPS)]
    bounds = {}
    for part in _HELD:
        all_frames = np.concatenate([getattr(signal, part) for signal in signals]).astype(np.float64)
        bounds[part] = (all_frames.min(0), all_frames.max(0))
    start = {part: getattr(rest(), part)[0] for part in _HELD}
    for slider in sliders_by_name().values():
        for part, place, amount in slider["moves"]:
            if part in _HELD:
                low, high = bounds[part]
                ends = [start[part][place] + amount * (slider[end] - slider["value"]) for end in ("low", "high")]
                low[place], high[place] = min(low[place], *ends), max(high[place], *ends)
    return bounds
