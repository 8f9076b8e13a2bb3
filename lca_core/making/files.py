"""The files an avatar is handed over in."""

import shutil
import tempfile
from pathlib import Path

from lca_core.data import Person
from lca_core.model import Avatar
from lca_core.paths import writable_folder
from lca_core.splats import write_ply
from lca_core.viewer.figures import avatar_figure, save_figure
from lca_core.viewer.stage import body_camera, clip, motion_driving
from lca_core.viewer.video import write_mp4

FILES = ("avatar.safetensors", "avatar.ply", "sheet.png", "walk.mp4")


def write_avatar(
    avatar: Avatar, person: Person, out: Path | str, frames: int = 50, progress: bool = True
) -> list[Path]:
    """Write avatar.safetensors, avatar.ply (canonical), sheet.png and walk.mp4 into `out`.

    All four are made in a hidden folder first, so that an error leaves nothing half-written behind.
    """
    out = writable_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    # inside `out`: the folder it is in need not be writable, a container's mounted one is not
    with tempfile.TemporaryDirectory(prefix=".avatar-", dir=out) as name:
        made = Path(name)
        avatar.save(made / "avatar.safetensors")
        write_ply(made / "avatar.ply", avatar.canonical())
        save_figure(avatar_figure(person, avatar), made / "sheet.png")
        camera = body_camera(avatar, 0.5, 320, reach=0.15)
        write_mp4(made / "walk.mp4", clip(avatar, motion_driving(avatar, "walk", frames), camera, progress))
        for file in FILES:
            shutil.move(made / file, out / file)
    return [out / file for file in FILES]
