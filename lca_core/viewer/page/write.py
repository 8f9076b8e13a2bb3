"""An avatar as one HTML file that drives and draws it in a browser, and asks nobody for anything."""

import json
from functools import cache
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from lca_core.body import JOINT_NAMES, THETA_JOINTS
from lca_core.body.driving import TIED
from lca_core.body.layout import PARENTS
from lca_core.model import Avatar
from lca_core.paths import atomic_path, writable
from lca_core.viewer.page.likeness import likeness
from lca_core.viewer.page.motions import SIGNAL, whole_numbers
from lca_core.viewer.page.numbers import PageAvatar
from lca_core.viewer.page.packing import packed
from lca_core.viewer.signals import FPS, FRAMES, LOOPS, looped, rest
from lca_core.viewer.sliders import groups
from lca_core.viewer.views import views

_SCRIPTS = ("numbers.js", "skeleton.js", "body.js", "splats.js", "camera.js", "controls.js", "page.js")
_FOLDER = Path(__file__).parent


def write_page(avatar: Avatar, path: Path | str, title: str | None = None) -> dict[str, float]:
    """Write the page, atomically; returns how like the avatar it draws (`likeness`), which the page says too.

    title: heading of the page (default: whom the avatar is of). InputError where `path` cannot be written.
    """
    writable(path)
    page = PageAvatar.of(avatar)
    like = likeness(avatar, page)
    text = page_text(avatar, page, title or str(avatar.meta.get("id") or "An avatar"), like)
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return like


def page_text(avatar: Avatar, page: PageAvatar, title: str, like: dict[str, float]) -> str:
    """The page as HTML."""
    arrays = {
        **{name: part.numpy() for name, part in vars(page.distilled.condition).items()},
        "map": page.distilled.map.numpy(),
        "base": page.base.whole, "driven": page.driven.whole, "dirs": page.dirs.whole, "learned": page.learned.whole,
        "index": page.index, "joints": page.joints, "weights": page.weights,
        "motions": np.concatenate([whole_numbers(looped(name)) for name in LOOPS]),
    }  # fmt: skip
    layout, numbers = packed(arrays)
    about = (
        f"{len(page):,} Gaussians. The full avatar corrects them by a network; this page does so by "
        f"{len(page.driven.whole)} linear directions. In poses and faces it was not made from, its pictures agree with "
        f"the full avatar's to {like['body']:.1f} dB of psnr (body) and {like['head']:.1f} dB (head)."
    )
    header = json.dumps(_header(avatar, page, layout, like), separators=(",", ":")).replace("<", "\\u003c")
    return _template().render(
        title=title, about=about, header=header, numbers=numbers,
        style=(_FOLDER / "page.css").read_text(encoding="utf-8"),
        script="\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    )  # fmt: skip


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html")


def _header(avatar: Avatar, page: PageAvatar, layout: dict, like: dict[str, float]) -> dict:
    """All that is not a long array."""
    distilled, still = page.distilled, rest()
    return {
        "count": len(page),
        "arrays": layout,
        "base": {"scales": page.base.scales.tolist(), "middles": page.base.middles.tolist()},
        "driven": {
            "scales": page.driven.scales.tolist(), "offset": distilled.offset.tolist(),
            "low": distilled.low.tolist(), "high": distilled.high.tolist(),
        },
        "dirs": {"scales": page.dirs.scales.tolist()},
        "learned": {"scales": page.learned.scales.tolist(), "mix": page.mix.tolist()},
        "skeleton": {"joints": page.rest_joints.tolist(), "parents": list(PARENTS), "sources": _sources()},
        "signal": SIGNAL,
        "rest": {part: getattr(still, part)[0].tolist() for part, _, _ in SIGNAL},
        "motions": [{"name": name.capitalize(), "fps": FPS, "frames": FRAMES} for name in LOOPS],
        "groups": groups(),
        "views": _views(avatar),
        "likeness_db": like,
    }  # fmt: skip


def _sources() -> list[int]:
    """For every joint the place of its rotation in [theta's joints, at rest, root, left eye, right eye]."""
    n = len(THETA_JOINTS)
    special = {"pelvis": n + 1, "left_eye_smplhf": n + 2, "right_eye_smplhf": n + 3}
    names = [TIED.get(name, name) for name in JOINT_NAMES]
    return [THETA_JOINTS.index(name) if name in THETA_JOINTS else special.get(name, n) for name in names]


def _views(avatar: Avatar) -> dict[str, dict]:
    """What each of the page's views looks at: target, the field that fits there, and from how far."""
    found = views(avatar)
    names = {"Body": "Body", "Face": "Face", "Hand": "Left hand"}
    return {
        name: {
            "target": list(found[view].target), "field": list(found[view].field), "distance": found[view].distance
        }
        for name, view in names.items()
    }  # fmt: skip
