"""A live avatar in a notebook: pictures by our own rasteriser, with sliders, presets, motions, camera and light.

Widgets only say what is asked for (`Performance`); a thread of its own draws the newest of that, so that neither a
dragged slider nor a slow machine makes a queue. Motions tick in the browser: nothing is drawn for a closed page. The
picture itself is dragged to turn the camera (`turned`).
"""

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import ipywidgets as widgets
import numpy as np
from PIL import Image

from lca_core.data.environments import ENVIRONMENTS
from lca_core.errors import InputError
from lca_core.model import Avatar
from lca_core.viewer.live import PX, Live
from lca_core.viewer.newest import Newest
from lca_core.viewer.performance import Performance
from lca_core.viewer.signals import LOOPS
from lca_core.viewer.sliders import groups, in_words
from lca_core.viewer.turned import TurnedPicture
from lca_core.viewer.views import VIEWS

_TICK = 33  # milliseconds between two pictures of a motion
_STAND, _AS_PHOTOGRAPHED = "Stand", "as photographed"
_PANEL = 340, 460  # px, least and most width of the controls: beside the picture where JupyterLab has room for them
_FIRST_FACES = ("neutral", "smile", "laugh", "surprise", "sadness", "anger", "kiss", "wink")  # of the presets: buttons
_PARTS_OF_FACES = {
    "Eyes": "eye", "Brows": "brow", "Mouth": "mouth", "Jaw": "jaw", "Cheeks, nose, tongue": ("cheek", "nose", "tongue")
}  # fmt: skip


def jpeg(image: np.ndarray) -> bytes:
    """A picture uint8 [H, W, 3] as a JPEG file, good enough that a face's edges stay."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()


class LiveViewer(widgets.HBox):
    """An avatar that is played with: the picture on the left, what moves it on the right.

    px: side of the picture. clock: seconds, by which motions go on.
    """

    def __init__(self, avatar: Avatar, px: int = PX, clock: Callable[[], float] = time.monotonic):
        self._live, self._clock = Live(avatar, px), clock
        self._newest, self._quiet, self._began = Newest(self._draw, self._say), False, None
        self._played = 0.0  # seconds of the motion that have gone by when it stands still
        self.sliders: dict[str, widgets.FloatSlider] = {}
        self._rest: dict[str, float] = {}  # values of the sliders, as they show them
        self._angles: set[str] = set()
        size = f"{px}px"
        self.message = widgets.Label(layout=widgets.Layout(max_width=size))
        tabs, camera = self._tabs(), self._camera(size)
        self.image = self._picture(px)
        stage = widgets.VBox([self.image, camera, self._motions(), *self._lights(), self.message])
        stage.layout = widgets.Layout(flex="0 0 auto", width=f"{px + 8}px")
        panel = widgets.VBox([tabs, self._back()])
        panel.layout = widgets.Layout(flex=f"1 1 {_PANEL[0]}px", max_width=f"{_PANEL[1]}px")
        super().__init__([stage, panel], layout=widgets.Layout(flex_flow="row wrap"))
        self._ask()
        self.wait()  # the first picture is there when the viewer is

    def performance(self) -> Performance:
        """What the widgets ask for now."""
        values = {name: self._value(name) for name, slider in self.sliders.items() if slider.value != self._rest[name]}
        motion = self.motion.value
        lit = self.light is not None and self.light.value != _AS_PHOTOGRAPHED
        return Performance(
            values, "" if motion == _STAND else motion, self._seconds(), self.view.value,
            float(np.radians(self.azimuth.value)), float(np.radians(self.elevation.value)), self.zoom.value,
            self.light.value if lit else "", float(np.radians(self.light_turn.value)) if lit else 0.0,
        )  # fmt: skip

    def wait(self, seconds: float | None = None) -> None:
        """Until the newest picture is there; TimeoutError after `seconds`."""
        self._newest.wait(seconds)

    def set(self, values: Mapping[str, float]) -> None:
        """Move several sliders, and draw once; values: radians, or shares of an action. InputError for a wrong name."""
        Performance(values)
        with self._together():
            for name, value in values.items():
                self.sliders[name].value = np.degrees(value) if name in self._angles else value

    def reset(self) -> None:
        """Everything back to rest, seen as at first."""
        with self._together():
            for name, slider in self.sliders.items():
                slider.value = self._rest[name]
            self.motion.value, self.view.value = _STAND, VIEWS[0]
            start = Performance()
            self.azimuth.value, self.elevation.value = (round(np.degrees(x)) for x in (start.azimuth, start.elevation))
            self.zoom.value = start.zoom
            if self.light is not None:
                self.light.value, self.light_turn.value = _AS_PHOTOGRAPHED, 0

    def _draw(self, asked: Performance) -> None:
        self.image.value = jpeg(self._live.picture(asked))
        if self.message.value:
            self.message.value = ""

    def _say(self, error: Exception) -> None:
        self.message.value = str(error) if isinstance(error, InputError) else f"This cannot be drawn: {error!r}"

    def _ask(self, _: object = None) -> None:
        if not self._quiet:
            self.image.camera = self._camera_values()  # where a drag goes on from
            self._newest.ask(self.performance())

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Many changes that are drawn once."""
        self._quiet, before = True, self._quiet
        try:
            yield
        finally:
            self._quiet = before
        self._ask()

    def _value(self, name: str) -> float:
        value = self.sliders[name].value
        return float(np.radians(value)) if name in self._angles else value

    # The stage: camera, motions, light.

    def _camera(self, size: str) -> widgets.Widget:
        start = Performance()
        self.view = widgets.ToggleButtons(options=VIEWS, value=start.view, style={"button_width": "auto"})
        self.azimuth = _slider("Turn", -180, 180, round(np.degrees(start.azimuth)), 1, ".0f", size)
        self.elevation = _slider("Above", -60, 80, round(np.degrees(start.elevation)), 1, ".0f", size)
        self.zoom = _slider("Nearer", 0.5, 3.0, start.zoom, 0.05, ".2f", size)
        for control in (self.view, self.azimuth, self.elevation, self.zoom):
            control.observe(self._ask, "value")
        return widgets.VBox([self.view, self.azimuth, self.elevation, self.zoom])

    def _picture(self, px: int) -> TurnedPicture:
        """The picture, a drag of which moves the sliders of the camera."""
        limits = {"elevation": [self.elevation.min, self.elevation.max], "zoom": [self.zoom.min, self.zoom.max]}
        picture = TurnedPicture(px=px, camera=self._camera_values(), limits=limits)

        def dragged(change: dict) -> None:
            if change["new"] != self._camera_values():
                with self._together():
                    self.azimuth.value, self.elevation.value, self.zoom.value = change["new"]

        picture.observe(dragged, "camera")
        return picture

    def _camera_values(self) -> list[float]:
        return [self.azimuth.value, self.elevation.value, self.zoom.value]

    def _motions(self) -> widgets.Widget:
        options = [(_STAND, _STAND), *((in_words(name), name) for name in LOOPS)]
        self.motion = widgets.Dropdown(options=options, description="Motion", style={"description_width": "4em"})
        self.play = widgets.Play(min=0, max=10**9, interval=_TICK, show_repeat=False)
        self.play.observe(self._ask, "value")
        self.play.observe(self._started, "playing")
        self.motion.observe(self._chosen, "value")
        return widgets.HBox([self.motion, self.play])

    def _chosen(self, change: dict) -> None:
        """Another motion: it begins, and plays."""
        self._played, self._began = 0.0, None
        with self._together():
            moves = change["new"] != _STAND
            if self.play.playing != moves:
                self.play.playing = moves
            elif moves:
                self._began = self._clock()

    def _started(self, change: dict) -> None:
        self._played = self._seconds()
        self._began = self._clock() if change["new"] else None
        self._ask()

    def _seconds(self) -> float:
        return self._played + (0.0 if self._began is None else self._clock() - self._began)

    def _lights(self) -> list[widgets.Widget]:
        """None for an avatar that knows nothing of light."""
        self.light = None
        if not self._live.knows_light:
            return []
        names = [_AS_PHOTOGRAPHED, "studio", *ENVIRONMENTS]
        self.light = widgets.Dropdown(options=names, description="Light", style={"description_width": "4em"})
        self.light_turn = _slider("round", 0, 360, 0, 5, ".0f", "16em")
        for control in (self.light, self.light_turn):
            control.observe(self._ask, "value")
        return [widgets.HBox([self.light, self.light_turn])]

    # The panel: sliders and presets.

    def _tabs(self) -> widgets.Tab:
        """A tab for each group of sliders; it is looked at where they move something."""
        layout = widgets.Layout(width="auto")
        children, looks, tables = [], [], groups()
        for group in tables:
            for slider in group["sliders"]:
                self._add(slider, layout)
            sliders = [self.sliders[slider["name"]] for slider in group["sliders"]]
            inside = [self._faces(group)] if group["name"] == "Face" else sliders
            rows = [self._presets(group)] if group["presets"] else []
            box = widgets.VBox([*rows, *inside], layout=widgets.Layout(height="520px", overflow="hidden auto"))
            children.append(box)
            looks.append({"Body": "Body", "Fingers": "Left hand"}.get(group["name"], "Face"))
        self.tabs = widgets.Tab(children, titles=[group["name"] for group in tables])
        self.tabs.observe(lambda change: setattr(self.view, "value", looks[change["new"]]), "selected_index")
        return self.tabs

    def _add(self, slider: dict, layout: widgets.Layout) -> None:
        name, scale = slider["name"], 180 / np.pi if slider["angle"] else 1.0
        low, high, value = (scale * slider[end] for end in ("low", "high", "value"))
        step, form = (1.0, ".0f") if slider["angle"] else (0.01, ".2f")
        made = widgets.FloatSlider(
            value=value, min=low, max=high, step=step, description=slider["label"], readout_format=form, layout=layout,
            style={"description_width": "10.5em"},
        )  # fmt: skip
        self._rest[name] = made.value
        if slider["angle"]:
            self._angles.add(name)
        self.sliders[name] = made
        made.observe(lambda _: self._moved(name), "value")

    def _moved(self, name: str) -> None:
        """A slider was moved: where it moves the hand that is not looked at, look at the other."""
        side = name.split("_")[0].capitalize()
        seen, other = self.view.value, f"{side} hand"
        if seen.endswith("hand") and other in VIEWS and self.tabs.selected_index == 1 and seen != other:
            with self._together():
                self.view.value = other
        else:
            self._ask()

    def _faces(self, group: dict) -> widgets.Widget:
        """The 52 actions, folded by the part of the face they move."""
        parts = []
        for starts in _PARTS_OF_FACES.values():
            names = [slider["name"] for slider in group["sliders"] if slider["name"].startswith(starts)]
            if isinstance(starts, str):  # what the fold is called needs no saying again
                for name in names:
                    self.sliders[name].description = in_words(name.removeprefix(starts))
            parts.append(widgets.VBox([self.sliders[name] for name in names]))
        return widgets.Accordion(parts, titles=list(_PARTS_OF_FACES), selected_index=2)

    def _presets(self, group: dict) -> widgets.Widget:
        """Buttons for the first presets, a list for the rest; each sets all sliders of its group."""
        presets = group["presets"]
        first = [in_words(name) for name in _FIRST_FACES] if group["name"] == "Face" else list(presets)

        def taken(name: str) -> None:
            rest = {slider["name"]: slider["value"] for slider in group["sliders"]}
            self.set(rest | presets[name])

        buttons = []
        for name in first:
            buttons.append(widgets.Button(description=name, layout=widgets.Layout(width="auto")))
            buttons[-1].on_click(lambda _, name=name: taken(name))
        row = widgets.HBox(buttons, layout=widgets.Layout(flex_flow="row wrap", flex="0 0 auto"))
        rest = [name for name in presets if name not in first]
        if not rest:
            return row
        more = widgets.Dropdown(options=[("more ...", ""), *((name, name) for name in rest)])
        more.layout = widgets.Layout(width="auto", flex="0 0 auto")
        more.observe(lambda change: change["new"] and taken(change["new"]), "value")
        return widgets.VBox([row, more], layout=widgets.Layout(flex="0 0 auto"))

    def _back(self) -> widgets.Widget:
        button = widgets.Button(description="Everything back to rest", layout=widgets.Layout(width="auto"))
        button.on_click(lambda _: self.reset())
        return button


def _slider(
    name: str, low: float, high: float, value: float, step: float, form: str, width: str
) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=name, readout_format=form,
        style={"description_width": "4em"}, layout=widgets.Layout(width=width),
    )  # fmt: skip
