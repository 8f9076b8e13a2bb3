"""How well a body is fitted to casual clips: digital humans, whose true pose is known, as mp4 files.

Every frame in which one person is found counts, whatever the filters think of it.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from clips import SIZES, wild_shards, write_clip
from tqdm.auto import tqdm

from lca_core.body import JOINT_NAMES, BodyModel, full_pose, joint_transforms
from lca_core.curation.bodies import fit_frames
from lca_core.curation.crops import body_square, person_box
from lca_core.curation.stages import CuratedClip, CuratedFrame, Settings, cut_out, decode, find, split_shots
from lca_core.data import Camera, Frame, read_people
from lca_core.people.domains.domains import cast, stream
from lca_core.people.domains.performing import acted
from lca_core.people.domains.recording import Actor
from lca_core.workers import Worker, in_workers

BODY = 22  # joints without face and fingers
LIMBS = [JOINT_NAMES.index(f"{side}_{joint}") for side in ("left", "right")
         for joint in ("shoulder", "elbow", "wrist", "knee")]  # fmt: skip


@dataclass(frozen=True)
class Fitted:
    """Of one clip. found: share of its frames with one person whose pose was told; the rest one number a fitted frame:
    mpjpe_mm: of 22 joints after Procrustes alignment; reprojection_pct: mean distance of shoulders, elbows, wrists and
    knees from the truth in the picture, of the body's height there; action_error: mean over 52 facial actions, frames
    with a face mesh; resting_error: that of actions all zero; gaze_deg: of yaw and pitch; resting_gaze_deg: that of
    looking straight ahead; fit_seconds, seconds: of the fit, and of all that comes before it, a frame."""

    seed: int
    found: float
    mpjpe_mm: tuple[float, ...]
    reprojection_pct: tuple[float, ...]
    action_error: tuple[float, ...]
    resting_error: tuple[float, ...]
    gaze_deg: tuple[float, ...]
    resting_gaze_deg: tuple[float, ...]
    fit_seconds: float
    seconds: float


def measure_fits(seeds: Sequence[int], workers: int = 2) -> list[Fitted]:
    """Of the wild clips of these people, in the order of the seeds."""
    shards = dict(zip(seeds, wild_shards(seeds, workers)))
    fits = in_workers(_measure, Worker.ask, list(shards.items()), workers)
    return sorted(tqdm(fits, total=len(shards), desc="fitting", unit="clip"), key=lambda fit: fit.seed)


def _measure(item: tuple[int, Path]) -> Fitted:
    seed, shard = item
    (person,) = read_people(shard)
    with tempfile.TemporaryDirectory() as folder:
        path = write_clip(Path(folder, "clip.mp4"), [frame.body.image for frame in person.frames])
        started = time.perf_counter()
        clip = CuratedClip(path, Settings(SIZES))
        for stage in (decode, split_shots, find, cut_out):
            clip = stage(clip)
        before = time.perf_counter() - started
    seen = [(f.number, f) for f in clip.frames if f.person is not None and f.person.pose is not None]
    none = Fitted(seed, len(seen) / len(person.frames), *[()] * 6, 0.0, before / len(person.frames))
    if not seen:
        return none
    numbers, frames = zip(*seen)
    started = time.perf_counter()
    fitted = fit_frames(
        [f.image for f in frames],
        [f.person for f in frames],
        [f.matte for f in frames],
        SIZES,
        [f.time for f in frames],
    )
    seconds = (time.perf_counter() - started) / len(frames)
    theta, root, gaze, betas = _truth(seed, len(person.frames))
    true = _joints(theta[list(numbers)], root[list(numbers)], gaze[list(numbers)], betas)
    found = _joints(*(np.stack([getattr(f, name) for f in fitted.frames]) for name in ("theta", "root", "gaze")),
                    fitted.betas)  # fmt: skip
    body = BodyModel.load()
    tall = float(np.ptp(body.rest(torch.from_numpy(betas)[None])[0, :, 1].numpy()))
    faces = [(n, f) for n, f in zip(numbers, fitted.frames) if f.actions is not None]
    return Fitted(
        seed, none.found,
        mpjpe_mm=tuple(1000 * _aligned_error(a[:BODY], b[:BODY]) for a, b in zip(found, true)),
        reprojection_pct=tuple(
            100 * _apart(found[i], fitted.frames[i], frames[i], true[i], person.frames[n].body.camera, tall)
            for i, n in enumerate(numbers)
        ),
        action_error=tuple(float(np.abs(f.actions - person.frames[n].actions).mean()) for n, f in faces),
        resting_error=tuple(float(np.abs(person.frames[n].actions).mean()) for n, _ in faces),
        gaze_deg=tuple(float(np.degrees(np.abs(f.gaze - gaze[n]).mean())) for n, f in faces),
        resting_gaze_deg=tuple(float(np.degrees(np.abs(gaze[n]).mean())) for n, _ in faces),
        fit_seconds=seconds, seconds=none.seconds,
    )  # fmt: skip


def _truth(seed: int, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(theta [T, 138], root [T, 6], gaze [T, 4], betas [300]) of a wild clip, before a tracker's errors."""
    spec = cast(seed, "wild")
    _, (theta, root, gaze, _) = acted(stream(seed, "wild"), frames)
    return theta, Actor(spec).grounded(theta, root, gaze), gaze, spec.betas.astype(np.float32)


def _joints(theta: np.ndarray, root: np.ndarray, gaze: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """[T, 55, 3] metres."""
    body = BodyModel.load()
    rest = body.rest_joints(torch.from_numpy(betas)[None]).expand(len(theta), -1, -1)
    tensors = [torch.from_numpy(np.asarray(x, np.float32)) for x in (theta, root, gaze)]
    return joint_transforms(rest, full_pose(*tensors), tensors[1][:, 3:], body.parents)[1].numpy()


def _aligned_error(found: np.ndarray, true: np.ndarray) -> float:
    """Mean distance [J, 3] after the best turn, scale and move."""
    a, b = found - found.mean(0), true - true.mean(0)
    U, S, V = np.linalg.svd(a.T @ b)
    signs = np.array([1, 1, np.sign(np.linalg.det(U @ V))])
    scale = (S * signs).sum() / (a**2).sum()
    return float(np.linalg.norm(scale * a @ (U * signs) @ V - b, axis=1).mean())


def _apart(found: np.ndarray, fitted: Frame, seen: CuratedFrame, true: np.ndarray, taken: Camera, tall: float) -> float:
    """Mean distance of the limbs' joints in the picture, a share of the body's height there."""
    square = body_square(person_box(seen.matte), *seen.image.shape[:2])
    pixels = _project(found, fitted.body.camera) * (square.side / SIZES.body_px) + [square.left, square.top]
    height = tall * taken.K[0, 0] / (true[0] @ taken.viewmat[2, :3] + taken.viewmat[2, 3])
    return float(np.linalg.norm(pixels - _project(true, taken), axis=1)[LIMBS].mean() / height)


def _project(points: np.ndarray, camera: Camera) -> np.ndarray:
    places = points @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    return places[:, :2] / places[:, 2:] * camera.K[0, 0] + camera.K[:2, 2]
