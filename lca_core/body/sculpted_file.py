"""The body file with a sculpted face: the free body's shapes and joints, calm at rest, `body.sculpted`'s actions."""

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from lca_core.body.build import FACE, VERSION, body_file, regressor
from lca_core.body.face_regions import FaceRegions, face_regions
from lca_core.body.layout import ACTIONS
from lca_core.body.sculpted import calm, sculpted_directions
from lca_core.paths import atomic_path, cache_dir

SCULPTED_VERSION = 1  # raise when what `body.sculpted` makes changes


@lru_cache(maxsize=1)
def full_regions() -> FaceRegions:
    """The regions of the free body's face, from the cache or found (seconds, once)."""
    path = cache_dir("body") / f"face-{VERSION}-{SCULPTED_VERSION}.npz"
    if not path.exists():
        with np.load(body_file("full")) as file:
            skin = file["f_group"][::2] == "body"
            regions = face_regions(file["v_template"].astype(float), file["quads"][skin], file["weights"])
        with atomic_path(path) as partial:
            np.savez_compressed(partial, **asdict(regions))
    with np.load(path) as file:
        return FaceRegions(**file)


def sculpted_file(part: str) -> Path:
    """Path of the sculpted body file of a part ("body" or "full"), made on first use (seconds)."""
    path = cache_dir("body") / f"sculpted-{part}-{VERSION}-{SCULPTED_VERSION}.npz"
    if not path.exists():
        _make(body_file(part), path)
    return path


def _make(plain: Path, path: Path) -> None:
    with np.load(body_file("full")) as file:
        template, source = file["v_template"], file["shapedirs"][..., 300 : 300 + len(ACTIONS)]
    regions = full_regions()
    rest = calm(template, regions)
    directions = sculpted_directions(rest, regions, source)
    with np.load(plain) as file:
        arrays = {name: file[name] for name in file.files}
    index, shapes = arrays["base_index"], arrays["shapedirs"][..., : FACE.stop].astype(float)
    joints = arrays["J_regressor"] @ arrays["v_template"]
    joint_dirs = np.einsum("jv,vis->jis", arrays["J_regressor"], shapes)
    arrays["v_template"] = rest[index]
    arrays["shapedirs"][..., 300 : 300 + len(ACTIONS)] = directions[index]
    arrays["J_regressor"] = regressor(rest[index], shapes, directions[index].astype(float), joints, joint_dirs)
    with atomic_path(path) as partial:
        np.savez_compressed(partial, **arrays)
