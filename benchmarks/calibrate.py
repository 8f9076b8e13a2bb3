"""Measure where MediaPipe's landmarks lie on our body, how far they are missed, how people pose, and the mean face.

Writes `lca_core/curation/landmarks.npz`, which body fitting reads. All from training digital humans, whose truth is
known; needed again when the body file, the networks or the digital humans change. What reads faces is trained by
`reader.py`, which needs this file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image
from tqdm.auto import tqdm

from lca_core.body import BodyModel, full_pose, joint_transforms
from lca_core.curation import networks
from lca_core.curation.faces import mean_mesh
from lca_core.curation.landmarks import (
    FACE,
    FACE_POINTS,
    FILE,
    LEFT_HAND,
    NAMES,
    POSE,
    RIGHT_HAND,
    Calibration,
    joints_of,
)
from lca_core.data import Frame, Person, Picture, read_people
from lca_core.motion.motions import MOTIONS, motion
from lca_core.motion.poses import STANCES, standing
from lca_core.people.domains.production import cached_people

PX = {"body": 512, "face": 448, "hand": 224}  # what pictures are enlarged to for the networks
_SPREAD = np.radians(4)  # added to every joint's spread: real people pose in more ways than ours


@dataclass
class Rows:
    """Equations A o = b for the offset of one landmark; metres at the landmark's depth."""

    A: list
    b: list

    def solve(self) -> tuple[np.ndarray, float]:
        """(offset [3], standard deviation along an axis of the picture), outliers aside (Huber's weights)."""
        A, b = np.stack(self.A).reshape(-1, 2, 3), np.stack(self.b).reshape(-1, 2)
        weights = np.ones(len(A))
        for _ in range(10):
            root = np.sqrt(weights)[:, None, None]
            offset = np.linalg.lstsq((A * root).reshape(-1, 3), (b * root[..., 0]).ravel(), rcond=None)[0]
            off = np.linalg.norm(A @ offset - b, axis=1)
            sd = np.median(off) / 1.1774  # of one axis, from the median length of two
            weights = np.minimum(1, 1.5 * sd / np.maximum(off, 1e-9))
        return offset, float(sd)


def looked_at(picture: Picture, kind: str) -> tuple[np.ndarray, float]:
    """(the square picture over grey, enlarged; how many times larger it is)."""
    image, alpha = np.array(picture.image, float), np.array(picture.matte)[..., None] / 255
    grey = Image.fromarray((image * alpha + 128 * (1 - alpha)).round().astype(np.uint8))
    return np.asarray(grey.resize((PX[kind],) * 2, Image.Resampling.BICUBIC)), PX[kind] / len(image)


def sightings(frame: Frame) -> Iterator[tuple[slice, Picture, np.ndarray, np.ndarray]]:
    """(which landmarks, the picture, pixels [n, 2], seen [n]) of all that the networks find in a frame."""
    image, scale = looked_at(frame.body, "body")
    if (body := networks.pose(image)) is not None:
        yield POSE, frame.body, body.landmarks[:, :2] / scale, body.landmarks[:, 3] > 0.5
    for part, picture in zip((LEFT_HAND, RIGHT_HAND), frame.hands):
        if picture is not None:
            image, scale = looked_at(picture, "hand")
            if (hand := networks.hand(image)) is not None:
                yield part, picture, hand[:, :2] / scale, np.ones(21, bool)
    if frame.face is not None:
        image, scale = looked_at(frame.face, "face")
        if (mesh := networks.face_mesh(image)) is not None:
            yield FACE, frame.face, mesh[list(FACE_POINTS), :2] / scale, np.ones(len(FACE_POINTS), bool)


def offsets(people: Sequence[Person], body: BodyModel) -> tuple[torch.Tensor, torch.Tensor]:
    """(offsets [L, 3], sd [L]) of all landmarks."""
    rows, joints = [Rows([], []) for _ in NAMES], joints_of().numpy()
    for person in tqdm(people, desc="landmarks", unit="person"):
        rest = body.rest_joints(torch.from_numpy(person.betas)[None])
        for frame in person.frames:
            theta, root, gaze = (torch.from_numpy(x)[None] for x in (frame.theta, frame.root, frame.gaze))
            moved = joint_transforms(rest, full_pose(theta, root, gaze), root[:, 3:], body.parents)[0][0].numpy()
            for part, picture, found, seen in sightings(frame):
                K, view = picture.camera.K, picture.camera.viewmat
                for i, pixel in zip(np.arange(len(NAMES))[part][seen], found[seen]):
                    turn = view[:3, :3] @ moved[joints[i], :3, :3]
                    joint = moved[joints[i], :3, :3] @ rest[0, joints[i]].numpy() + moved[joints[i], :3, 3]
                    at = view[:3, :3] @ joint + view[:3, 3]
                    ray = (pixel - K[:2, 2]) / K[0, 0]
                    rows[i].A.append(turn[:2] - ray[:, None] * turn[2])
                    rows[i].b.append(ray * at[2] - at[:2])
    solved = [row.solve() for row in rows]
    return torch.tensor(np.stack([o for o, _ in solved])).float(), torch.tensor([sd for _, sd in solved]).float()


def _other(name: str) -> str:
    """The landmark's name on the other side."""
    if "left" in name:
        return name.replace("left", "right")
    return name.replace("right", "left")


def mirrored(values: torch.Tensor, signs: tuple[float, ...] = (1.0,)) -> torch.Tensor:
    """The mean of values of all landmarks and of those of the other side, mirrored."""
    order = np.arange(len(NAMES))
    for i, name in enumerate(networks.POSE_NAMES):
        order[i] = networks.POSE_NAMES.index(_other(name))
    order[LEFT_HAND], order[RIGHT_HAND] = np.arange(len(NAMES))[RIGHT_HAND], np.arange(len(NAMES))[LEFT_HAND]
    face = FACE.start + np.array([3, 2, 1, 0, 5, 4, 6, 7, 8, 9, 11, 10])
    order[FACE] = face
    flipped = values[order] if values.ndim == 1 else values[order] * torch.tensor(signs)
    return (values + flipped) / 2


def poses(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """(mean [138], axes [138, 138]) of theta in the built-in stances and motions."""
    generator, found = np.random.default_rng(seed), []
    for stance in STANCES:
        found += [standing(generator, stance)[None] for _ in range(150)]
    for name in MOTIONS:
        found += [motion(name, generator, 12, 1.0).theta for _ in range(40)]
    theta = np.concatenate(found).astype(np.float64)
    spread = np.cov(theta.T) + _SPREAD**2 * np.eye(theta.shape[1])
    values, axes = np.linalg.eigh(spread)
    chosen = np.argsort(values)[::-1]
    return torch.from_numpy(theta.mean(0)).float(), torch.from_numpy(axes[:, chosen] * np.sqrt(values[chosen])).float()


def mean_face(people: Sequence[Person]) -> torch.Tensor:
    """The mean of all face meshes [478, 3]."""
    meshes = []
    for frame in tqdm([f for p in people for f in p.frames if f.face is not None], desc="faces", unit="face"):
        mesh = networks.face_mesh(looked_at(frame.face, "face")[0])
        if mesh is not None:
            meshes.append(torch.from_numpy(mesh))
    return mean_mesh(torch.stack(meshes).float())


def main(data: Path | None = None, people: int = 128, out: Path = FILE) -> None:
    """Measure all, on studio people of the training seeds, and write the file (three minutes once they are drawn).

    Args:
        data: Shards of studio people (default: drawn, or from the cache).
        people: How many.
        out: The file.
    """
    chosen = list(read_people(data or cached_people(range(5000, 5000 + people), "studio", "laptop")))[:people]
    body = BodyModel.load()
    found, sd = offsets(chosen, body)
    mean, axes = poses()
    known = Calibration(mirrored(found, (-1.0, 1.0, 1.0)), mirrored(sd), mean, axes, mean_face(chosen))
    known.save(out)
    for name, part in (("body", POSE), ("hands", slice(33, 75)), ("face", FACE)):
        print(f"{name}: missed by {1000 * known.sd[part].min():.0f} to {1000 * known.sd[part].max():.0f} mm")
    print(out)


if __name__ == "__main__":
    tyro.cli(main)
