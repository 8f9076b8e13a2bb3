"""Reader of NeuMan (Jiang et al. 2022): one hand-held clip a folder, its cameras found by COLMAP, an SMPL body fitted.

Two releases are in circulation, and both are read. Apple's first (ml-neuman) has poses in smpl_output_optimized.pkl
and, in alignments.npy, where each frame's body goes in COLMAP's world; its masks (segmentations/) are black on the
person. The one that came with HUGS (Kocabas et al. 2024) adds 4d_humans/, with newer poses in one .npz and masks
that are white on the person. What is in 4d_humans/ is taken where there is any.
"""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from scipy.spatial.transform import Rotation

from lca_core.body import BodyModel
from lca_core.curation.colmap import read_colmap
from lca_core.curation.decode import read_photo
from lca_core.curation.photos import plain_name
from lca_core.curation.sequences import Fitted, number_of, record, smpl_pose, spread, turned
from lca_core.data.numpy_pickles import read_numpy_pickle
from lca_core.data.records import Camera, Person
from lca_core.errors import InputError
from lca_core.profiles import Profile

LICENCE = "not stated for the data; the licence in ml-neuman is for Apple's software"
FITTED = Path("4d_humans", "smpl_optimized_aligned_scale.npz")
MASKS = {Path("4d_humans", "sam_segmentations"): 255, Path("segmentations"): 0}  # folder -> the person's value in it
_POSES = ("smpl_output_optimized.pkl", "smpl_output_romp.pkl")


def read_neuman(root: Path | str, profile: Profile, max_frames: int = 32, body: BodyModel | None = None) -> Person:
    """The person of one sequence (e.g. dataset/seattle), at most `max_frames` pictures evenly spread.

    body: ours, by default what `BodyModel.load` gives.

    COLMAP's unit is arbitrary; the fit has a scale s for every frame (COLMAP units a metre) that varies, for one
    camera cannot tell size from distance. The world is COLMAP's over the median of s, and turned so that the mean
    body stands upright along Y. Each body is placed so that it looks from its own camera as its fit does, at its size
    in metres. theta, root and what is approximate about them: `lca_core.curation.sequences`; gaze is zero.

    InputError names the file or folder: a tree that is not NeuMan's, missing or damaged files, counts or sizes that do
    not agree. Pickled files are read without running them (`lca_core.data.numpy_pickles`).
    """
    root = Path(root)
    if not (root / "images").is_dir() or not (root / "sparse").is_dir():
        raise InputError(f"{root}: a NeuMan sequence has the folders images/ and sparse/; give one, e.g. .../seattle")
    cameras = read_colmap(root / "sparse")
    names = sorted(cameras)
    missing = [name for name in names if not (root / "images" / name).is_file()]
    if not names or missing:
        what = f"{missing[0]}, which the reconstruction has, is missing" if missing else "the reconstruction is empty"
        raise InputError(f"{root / 'images'}: {what}; copy the sequence again")
    fits = _fits(root, names)
    unit = float(np.median(fits.scales))
    upright = _upright(fits.pelves)
    masks = _masks(root)
    chosen = [turned(_fitted(root, names[i], cameras[names[i]], masks, fits, i, unit), upright)
              for i in spread(len(names), max_frames)]  # fmt: skip
    meta = {"source": f"NeuMan, sequence {root.resolve().name}", "set": "neuman", "fitted": True, "licence": LICENCE}
    return record(chosen, profile, f"neuman-{plain_name(root.resolve())}", meta, body)


@dataclass(frozen=True)
class _Fits:
    """Of N frames: SMPL's joints [N, 23, 3]; how the pelvis is turned in COLMAP's world, N rotations; scales [N], where
    SMPL's origin is [N, 3] and its +Y points [N, 3], in COLMAP's world."""

    joints: np.ndarray
    pelves: Rotation
    scales: np.ndarray
    origins: np.ndarray
    upwards: np.ndarray


def _fits(root: Path, names: list[str]) -> _Fits:
    if (root / FITTED).is_file():
        return _fits_of_hugs(root / FITTED, len(names))
    for name in _POSES:
        if (root / name).is_file():
            return _fits_of_neuman(root / name, root / "alignments.npy", names)
    raise InputError(f"{root}: no fitted body; it is in {FITTED}, or in {_POSES[0]} with alignments.npy")


def _fits_of_hugs(path: Path, count: int) -> _Fits:
    shapes = {"global_orient": 3, "body_pose": 69, "transl": 3, "scale": 1}
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {key: np.atleast_1d(np.asarray(file[key], np.float64)) for key in shapes}
    except (KeyError, ValueError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: it should hold {', '.join(shapes)} ({error}); copy it again") from None
    for key, width in shapes.items():
        if found[key].size != count * width or len(found[key]) != count:
            raise InputError(
                f"{path}: {key} is {found[key].shape}, the {count} pictures need [{count}, {width}]; one is not whole"
            )
    scales = _positive(path, found["scale"].reshape(count))
    upwards = np.tile([0.0, 1.0, 0.0], (count, 1))
    pelves = Rotation.from_rotvec(found["global_orient"].reshape(count, 3))
    return _Fits(found["body_pose"].reshape(count, 23, 3), pelves, scales, found["transl"].reshape(count, 3), upwards)


def _fits_of_neuman(poses_in: Path, alignments_in: Path, names: list[str]) -> _Fits:
    """From ROMP's poses and every picture's matrix [4, 3]: a row vector [x y z 1] of SMPL's, times it, is COLMAP's."""
    held = read_numpy_pickle(poses_in)
    person = next(iter(held.values()), None) if isinstance(held, dict) else None
    if not isinstance(person, dict) or "pose" not in person:
        raise InputError(f"{poses_in}: not NeuMan's dict of one person's 'pose' and 'betas'; copy it again")
    alignments = np.asarray(read_numpy_pickle(alignments_in))
    alignments = alignments.item() if alignments.size == 1 else None
    if not isinstance(alignments, dict) or not set(names) <= set(alignments):
        raise InputError(
            f"{alignments_in}: it should hold a matrix for each of the {len(names)} pictures; copy it again"
        )
    if len(person["pose"]) != len(names):
        raise InputError(
            f"{poses_in}: {len(person['pose'])} poses for {len(names)} pictures; one of the two is not whole"
        )
    try:
        poses = np.stack([np.asarray(pose, np.float64).reshape(24, 3) for pose in person["pose"]])
        matrices = np.stack([np.asarray(alignments[name], np.float64).reshape(4, 3) for name in names])
    except (ValueError, TypeError) as error:
        raise InputError(f"{poses_in} and {alignments_in}: poses are [72], matrices [4, 3] ({error})") from None
    linear = matrices[:, :3].transpose(0, 2, 1)
    scales = _positive(alignments_in, np.cbrt(np.linalg.det(linear)))
    turns = Rotation.from_matrix(linear / scales[:, None, None])
    return _Fits(
        poses[:, 1:], turns * Rotation.from_rotvec(poses[:, 0]), scales, matrices[:, 3], turns.apply([0, 1, 0])
    )


def _positive(path: Path, scales: np.ndarray) -> np.ndarray:
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise InputError(f"{path}: a frame's scale is {scales.min()}; scales are positive. Copy the file again")
    return scales


def _upright(pelves: Rotation) -> np.ndarray:
    """The smallest turn [3, 3] of COLMAP's world, whose up is arbitrary, that stands the mean body along +Y."""
    up = pelves.apply([0.0, 1.0, 0.0]).mean(0)
    up /= max(float(np.linalg.norm(up)), 1e-6)
    axis, cosine = np.cross(up, [0.0, 1.0, 0.0]), up[1]
    sine = float(np.linalg.norm(axis))
    axis = axis / sine if sine > 1e-6 else np.array([1.0, 0.0, 0.0])
    return Rotation.from_rotvec(np.arctan2(sine, cosine) * axis).as_matrix()


def _masks(root: Path) -> dict[int, tuple[Path, int]]:
    """Frame number -> (mask, the person's value in it); HUGS numbers its masks mask_0007.png, NeuMan 00007.png."""
    for folder, person in MASKS.items():
        if found := sorted((root / folder).glob("*.png")):
            return {number_of(path): (path, person) for path in found}
    raise InputError(f"{root}: no masks; they are in {' or '.join(map(str, MASKS))}")


def _fitted(root: Path, name: str, camera: Camera, masks: dict, fits: _Fits, i: int, unit: float) -> Fitted:
    path = root / "images" / name
    image = read_photo(path)
    if image.shape[:2] != (camera.height, camera.width):
        raise InputError(
            f"{path}: {image.shape[1]} x {image.shape[0]} px, its camera {camera.width} x {camera.height}; give the "
            "undistorted pictures that belong to sparse/"
        )
    if number_of(path) not in masks:
        raise InputError(f"{path}: no mask has its number; masks are in {' or '.join(map(str, MASKS))}")
    mask_path, person = masks[number_of(path)]
    mask = read_photo(mask_path)[..., 0]
    if mask.shape != image.shape[:2]:
        raise InputError(f"{mask_path}: {mask.shape[1]} x {mask.shape[0]} px, its picture has another size")
    viewmat = camera.viewmat.astype(np.float64)
    centre = -viewmat[:3, :3].T @ viewmat[:3, 3]
    viewmat[:3, 3] /= unit
    # Seen from the camera the body is where its own scale puts it; the camera is where the clip's scale puts it.
    origin = (fits.origins[i] - centre) / fits.scales[i] + centre / unit
    return Fitted(
        name=name,
        image=image,
        matte=mask if person else 255 - mask,
        camera=Camera(viewmat.astype(np.float32), camera.K, camera.width, camera.height),
        pose=smpl_pose(np.concatenate([fits.pelves[i].as_rotvec()[None], fits.joints[i]])),
        origin=origin,
        upwards=fits.upwards[i],
    )
