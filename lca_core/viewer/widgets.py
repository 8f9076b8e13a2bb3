"""Sliders for an avatar in a notebook: pose, expression, gaze."""

import io

import ipywidgets as widgets
import numpy as np
from PIL import Image

from lca_core.model import Avatar
from lca_core.viewer.stage import body_camera, head_camera, pose, show

_EXPRESSIONS = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "browInnerUp", "eyeBlinkLeft", "eyeBlinkRight")


def avatar_sliders(avatar: Avatar, px: int = 256) -> widgets.Widget:
    """A body and a head view beside sliders; every change drives the avatar anew."""
    view = widgets.Image(format="png")

    def slider(name: str, low: float, high: float, value: float = 0.0) -> widgets.FloatSlider:
        return widgets.FloatSlider(
            value=value, min=low, max=high, step=0.05, description=name, continuous_update=True,
            style={"description_width": "9em"},
        )  # fmt: skip

    body = {
        "left arm": slider("left arm", -1.2, 1.4, -0.9), "right arm": slider("right arm", -1.2, 1.4, -0.9),
        "elbows": slider("elbows", 0.0, 2.0), "left knee": slider("left knee", 0.0, 1.6),
        "turn": slider("turn", -3.1, 3.1),
    }  # fmt: skip
    face = {name: slider(name, 0.0, 1.0) for name in _EXPRESSIONS}
    gaze = {"gaze yaw": slider("gaze yaw", -0.5, 0.5), "gaze pitch": slider("gaze pitch", -0.4, 0.4)}

    def draw(_=None) -> None:
        value = {name: s.value for name, s in (body | gaze).items()}
        driving = pose(
            avatar, {n: s.value for n, s in face.items()}, (value["gaze yaw"], value["gaze pitch"]), value["turn"],
            left_shoulder=(0.0, 0.0, value["left arm"]), right_shoulder=(0.0, 0.0, -value["right arm"]),
            left_elbow=(0.0, -value["elbows"], 0.0), right_elbow=(0.0, value["elbows"], 0.0),
            left_hip=(-value["left knee"], 0.0, 0.0), left_knee=(value["left knee"], 0.0, 0.0),
        )  # fmt: skip
        cameras = (body_camera(avatar, 0.0, px, reach=0.25), head_camera(avatar, 0.0, px))
        buffer = io.BytesIO()
        Image.fromarray(np.concatenate([show(avatar, driving, c) for c in cameras], 1)).save(buffer, "PNG")
        view.value = buffer.getvalue()

    columns = [widgets.VBox(list(group.values())) for group in (body, face, gaze)]
    for control in (body | face | gaze).values():
        control.observe(draw, "value")
    draw()
    return widgets.VBox([view, widgets.HBox(columns)])
