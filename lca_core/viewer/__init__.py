"""Looking at things: figures, sheets, videos, sliders, and the files an avatar is handed over in."""

from lca_core.viewer.figures import (
    avatar_figure,
    loss_curves,
    read_log,
    save_figure,
    save_picture,
    sheet,
    training_figure,
)
from lca_core.viewer.photos import avatar_from_photos, write_avatar
from lca_core.viewer.stage import (
    body_camera,
    clip,
    code_of,
    examples,
    head_camera,
    motion_driving,
    picture,
    pose,
    show,
    turntable,
)
from lca_core.viewer.video import write_mp4

__all__ = [
    "avatar_figure", "avatar_from_photos", "body_camera", "clip", "code_of", "examples", "head_camera", "loss_curves",
    "motion_driving", "picture", "pose", "read_log", "save_figure", "save_picture", "sheet", "show", "training_figure",
    "turntable", "write_avatar", "write_mp4",
]  # fmt: skip
