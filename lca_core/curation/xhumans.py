"""Reader of X-Humans (Shen et al. 2023): scans of a person in motion, one rendered picture a frame, SMPL-X fitted.

A take is X_Humans/<subject>/<train or test>/<take>/ with render/image/color_000001.png, render/depth/
depth_000001.tiff, render/cameras.npz and SMPLX/mesh-f00001_smplx.pkl, as its README lays them out.
"""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from lca_core.body import BodyModel
from lca_core.curation.decode import read_photo
from lca_core.curation.photos import plain_name
from lca_core.curation.sequences import Fitted, number_of, record, spread
from lca_core.data.numpy_pickles import read_numpy_pickle
from lca_core.data.records import Camera, Person
from lca_core.errors import InputError
from lca_core.profiles import Profile

LICENCE = "X-Humans Terms of Use (ETH Zurich): non-commercial academic use only, no redistribution, no identification"
FAR = 10.0  # metres: what the depth pictures have behind the person is beyond it
HANDS = (
    "finger poses are SMPL-X's, which are added to a mean hand that is in the licensed model file; without it the "
    "fingers are straighter than they were"
)
# SMPL-X's pose in its own order, and how many numbers of each a file holds
POSE = {"global_orient": 3, "body_pose": 63, "jaw_pose": 3, "leye_pose": 3, "reye_pose": 3, "left_hand_pose": 45,
        "right_hand_pose": 45}  # fmt: skip


def read_xhumans(root: Path | str, profile: Profile, max_frames: int = 32, body: BodyModel | None = None) -> Person:
    """The person of one take (e.g. X_Humans/00036/train/Take1), at most `max_frames` frames evenly spread.

    body: ours, by default what `BodyModel.load` gives.

    The world is the scans' (metres, Y up) and the cameras are the renderer's, exact. Mattes are where the depth
    pictures have something nearer than `FAR`. theta, root and what is approximate about them:
    `lca_core.curation.sequences`; fingers: `HANDS`; gaze is that of SMPL-X's eyes; jaw and expression are left out.

    InputError names the file or folder: a tree that is not X-Humans', missing or damaged files, counts or sizes that
    do not agree. Pickled files are read without running them (`lca_core.data.numpy_pickles`).
    """
    root = Path(root)
    pictures = sorted((root / "render" / "image").glob("*.png"), key=number_of)
    if not pictures:
        raise InputError(
            f"{root}: a take of X-Humans has render/image/color_000001.png ...; give one, e.g. 00036/train/Take1"
        )
    cameras = _cameras(root / "render" / "cameras.npz", len(pictures))
    chosen = [_fitted(root, pictures[i], *cameras, i) for i in spread(len(pictures), max_frames)]
    place = root.resolve().parts[-3:]
    meta = {
        "source": f"X-Humans, {'/'.join(place)}",
        "set": "x-humans",
        "fitted": True,
        "licence": LICENCE,
        "hands": HANDS,
    }
    return record(chosen, profile, f"xhumans-{plain_name(Path('-'.join(place)))}", meta, body)


def _cameras(path: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(K [3, 3], viewmats [count, 4, 4]) in the pictures' order."""
    try:
        with np.load(path, allow_pickle=False) as file:
            K, viewmats = np.asarray(file["intrinsic"], np.float64), np.asarray(file["extrinsic"], np.float64)
    except (KeyError, ValueError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: it should hold intrinsic and extrinsic ({error}); copy it again") from None
    if K.shape != (3, 3) or viewmats.shape[1:] not in ((4, 4), (3, 4)):
        raise InputError(f"{path}: intrinsic is {K.shape} and extrinsic {viewmats.shape}, not [3, 3] and [N, 4, 4]")
    if len(viewmats) != count:
        raise InputError(f"{path}: {len(viewmats)} cameras for {count} pictures; one of the two is not whole")
    whole = np.tile(np.eye(4), (count, 1, 1))
    whole[:, :3] = viewmats[:, :3]
    return K, whole


def _fitted(root: Path, path: Path, K: np.ndarray, viewmats: np.ndarray, i: int) -> Fitted:
    image, number = read_photo(path), number_of(path)
    depth = _depth(root / "render" / "depth" / f"depth_{number:06d}.tiff", *image.shape[:2])
    pose, translation = _body(root / "SMPLX" / f"mesh-f{number:05d}_smplx.pkl")
    height, width = image.shape[:2]
    return Fitted(
        name=path.name,
        image=image,
        matte=np.where((depth > 0) & (depth < FAR), 255, 0).astype(np.uint8),
        camera=Camera(viewmats[i].astype(np.float32), K.astype(np.float32), width, height),
        pose=pose,
        origin=translation,
        upwards=np.array([0.0, 1.0, 0.0]),
    )


def _depth(path: Path, height: int, width: int) -> np.ndarray:
    """Metres along the view, float32 [height, width]; NaN becomes 0."""
    try:
        with Image.open(path) as file:
            size = file.size
            depth = np.asarray(file, np.float32) if size == (width, height) else None
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ... on broken files
        raise InputError(f"{path}: the depth picture is missing or broken ({error}); copy it again") from None
    if depth is None or depth.ndim != 2:
        raise InputError(
            f"{path}: {size[0]} x {size[1]} px, not one channel as large as its picture, {width} x {height}"
        )
    return np.nan_to_num(depth)


def _body(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(pose [55, 3], transl [3]) of one frame."""
    held = read_numpy_pickle(path)
    wanted = POSE | {"transl": 3}
    missing = [key for key in wanted if key not in held] if isinstance(held, dict) else list(wanted)
    if missing:
        raise InputError(f"{path}: it lacks {', '.join(missing)}; it should hold SMPL-X's parameters")
    try:
        numbers = {key: np.asarray(held[key], np.float64).reshape(count) for key, count in wanted.items()}
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: not SMPL-X's parameters of one frame ({error})") from None
    return np.concatenate([numbers[key] for key in POSE]).reshape(55, 3), numbers["transl"]
