"""Control: does an avatar do what it is told, and what do expression codes hold?

Faces are judged on `expressions` (everybody makes faces, pairs of people the same ones), hands on the hand crops of
studio records. Gains are differences of psnr_fg, dB, to the same avatar left as it is: the canonical branch alone, or
fingers at rest.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image

from lca_core.body.driving import theta_slice
from lca_core.body.layout import ACTIONS, HAND_JOINTS
from lca_core.curation.faces import aligned, mean_mesh
from lca_core.curation.networks import face_mesh
from lca_core.data import Frame, Person, camera_tensors, pixels
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.protocols import Target
from lca_core.judges.metrics import over_white, psnr_fg
from lca_core.model import LCA, Avatar, recorded_head, target_driving
from lca_core.model.crops import upright_crop
from lca_core.splats import Gaussians, skin

READABLE = 0.7  # R2 from which on an action counts as read
FOLDS = 4
EYE_PX, EYE_SIDE = 20, 0.04  # pixels and metres of what is looked at of an eye
MESH_PX = 448  # face crops are enlarged to it for MediaPipe
_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
_FINGERS = [i for joint in HAND_JOINTS for i in range(*theta_slice(joint).indices(138)[:2])]


def codes_of(model: LCA, people: Sequence[Person]) -> Float[np.ndarray, "P F 128"]:
    """epsilon of every frame of records of faces."""
    return np.stack([
        np.concatenate([target_driving(model, frame, person.betas).epsilon.numpy() for frame in person.frames])
        for person in people
    ])  # fmt: skip


def landmarks_of(people: Sequence[Person]) -> Float[np.ndarray, "P F L"]:
    """MediaPipe's 478 face landmarks of every frame, brought onto their mean by similarity transforms.

    The mean where it finds no face. This is what a detector of expressions sees in the same pictures.
    """
    found = []
    for frame in (frame for person in people for frame in person.frames):
        image, alpha = (np.array(x, float) for x in (frame.face.image, frame.face.matte[..., None] / 255))
        grey = Image.fromarray((image * alpha + 128 * (1 - alpha)).round().astype(np.uint8))
        found.append(face_mesh(np.asarray(grey.resize((MESH_PX, MESH_PX), Image.Resampling.BICUBIC))))
    seen = torch.from_numpy(np.stack([mesh for mesh in found if mesh is not None])).double()
    mean = mean_mesh(seen)
    placed = iter(aligned(seen, mean).numpy())
    rows = np.stack([mean.numpy() if mesh is None else next(placed) for mesh in found])
    return rows.reshape(len(people), -1, rows[0].size)


def probe(people: Sequence[Person], codes: Float[np.ndarray, "P F D"]) -> dict[str, float]:
    """Action -> R2 with which a linear map reads it from the codes of `people`, on those whom it was not fitted on.

    Both people of a pair make the same faces, and nobody is read by a map fitted on either. Actions that never vary
    are left out.
    """
    actions = np.stack([np.stack([frame.actions for frame in person.frames]) for person in people])
    (read,) = _read(people, codes, actions, codes)
    return explained(actions.reshape(-1, len(ACTIONS)), read.reshape(-1, len(ACTIONS)))


def explained(actions: Float[np.ndarray, "n 52"], guessed: Float[np.ndarray, "n 52"]) -> dict[str, float]:
    """Action -> R2 of what was guessed; actions that never vary are left out."""
    spread = np.square(actions - actions.mean(0)).sum(0)
    score = 1 - np.square(actions - guessed).sum(0) / np.maximum(spread, 1e-12)
    return {name: float(r2) for name, r2, s in zip(ACTIONS, score, spread) if s > 1e-6}


def gaze_errors(model: LCA, avatars: Sequence[Avatar], people: Sequence[Person]) -> dict[str, dict[int, list[float]]]:
    """Degrees between the gaze that an avatar was given and the one its eyes show, by person.

    The eyes are read by ridge regression from the brightness of both, fitted on true pictures of other people.
    "avatar": of avatars driven into the frames of `people` (faces of `expressions`); "truth": of the true pictures,
    which is what the reading itself misses.
    """
    true, made = [], []
    for avatar, person in zip(avatars, people, strict=True):
        seen = [_eyes_seen(model, avatar, person, frame) for frame in person.frames]
        true.append([truth for truth, _ in seen])
        made.append([drawn for _, drawn in seen])
    gaze = np.stack([np.stack([frame.gaze for frame in person.frames]) for person in people])
    read = _read(people, np.array(true), gaze, np.array(true), np.array(made))
    result = {}
    for name, found in zip(("truth", "avatar"), read):
        off = np.degrees(_directions(found) - _directions(gaze))
        result[name] = {p.seed: np.linalg.norm(o, axis=-1).tolist() for p, o in zip(people, off)}
    return result


def _directions(gaze: np.ndarray) -> np.ndarray:
    """Mean yaw and pitch [..., 2] of both eyes, radians."""
    return gaze.reshape(*gaze.shape[:-1], 2, 2).mean(-2)


@torch.no_grad()
def _eyes_seen(model: LCA, avatar: Avatar, person: Person, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Brightness of both eyes, upright and freed of mean and contrast: (in the true picture, in the avatar's)."""
    picture, driving = frame.face, target_driving(model, frame, person.betas)
    head = recorded_head(model, frame, person.betas)
    images = over_white(*pixels(picture)), draw_like(avatar.drive(driving).map(lambda t: t[0]), picture)[0]
    camera = camera_tensors(picture.camera)
    chips = []
    for image in images:
        grey = image.mean(-1, keepdim=True)
        eyes = torch.stack([upright_crop(grey, *camera, eye, head.up, EYE_SIDE, EYE_PX)[..., 0] for eye in head.eyes])
        eyes = eyes - eyes.mean((1, 2), keepdim=True)
        chips.append((eyes / (eyes.std((1, 2), keepdim=True) + 0.02)).flatten().numpy())
    return chips[0], chips[1]


def _read(people: Sequence[Person], told: np.ndarray, wanted: np.ndarray, *given: np.ndarray) -> list[np.ndarray]:
    """What linear maps from `told` [P, F, D] to `wanted` [P, F, T] read from each of `given` [P, F, D].

    Ridge regression in `FOLDS` folds of pairs of people, the ridge chosen by a fold within those fitted on: nobody's
    numbers are read by a map that was fitted on them or on the other of their pair.
    """
    told, wanted, given = told.astype(float), wanted.astype(float), [x.astype(float) for x in given]
    fold_of = np.unique([person.seed // 2 for person in people], return_inverse=True)[1] % FOLDS
    read = [np.empty_like(wanted) for _ in given]
    for fold in range(FOLDS):
        held = fold_of == fold
        inner = fold_of == (fold + 1) % FOLDS
        outer = ~held & ~inner
        errors = [
            np.square(_apply(_fit(told[outer], wanted[outer], ridge), told[inner]) - wanted[inner]).mean()
            for ridge in _RIDGES
        ]
        fit = _fit(told[~held], wanted[~held], _RIDGES[int(np.argmin(errors))])
        for numbers, found in zip(given, read):
            found[held] = _apply(fit, numbers[held])
    return read


def _fit(codes: np.ndarray, actions: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = codes.reshape(-1, codes.shape[-1]), actions.reshape(-1, actions.shape[-1])
    mean, scale = x.mean(0), x.std(0) + 1e-9
    z = (x - mean) / scale
    weight = np.linalg.solve(z.T @ z + ridge * len(z) * np.eye(z.shape[1]), z.T @ (y - y.mean(0)))
    return weight / scale[:, None], mean, y.mean(0)


def _apply(fit: tuple[np.ndarray, np.ndarray, np.ndarray], codes: np.ndarray) -> np.ndarray:
    weight, mean, offset = fit
    return (codes - mean) @ weight + offset


def face_gains(model: LCA, avatar: Avatar, own: Person, other: Person | None = None, told: bool = False) -> list[float]:
    """dB that a driven face is nearer to the truth than the canonical one, for every face but the neutral one.

    own: the avatar's person making faces; other: who makes the same ones and lends the codes (default: the person);
    told: the codes come from the true actions through the avatar's action map instead.
    """
    gains = []
    for frame, source in list(zip(own.frames, (other or own).frames))[1:]:
        driving = target_driving(model, frame, own.betas)
        if told:
            driving = replace(driving, epsilon=avatar.action_map(torch.from_numpy(frame.actions)[None]))
        elif other is not None:
            driving = replace(driving, epsilon=target_driving(model, source, other.betas).epsilon)
        still = skin(avatar.canonical(), avatar.weights, avatar.transforms(driving)[0])
        gains.append(_nearer(avatar.drive(driving).map(lambda t: t[0]), still, frame.face))
    return gains


def hand_gains(model: LCA, avatar: Avatar, person: Person, targets: Sequence[Target]) -> list[float]:
    """dB that driven fingers are nearer to the truth than fingers at rest, for every hand crop of the targets."""
    gains = []
    for frame in (target.frame for target in targets):
        driving = target_driving(model, frame, person.betas)
        theta = driving.theta.clone()
        theta[:, _FINGERS] = 0
        moved, still = (avatar.drive(d).map(lambda t: t[0]) for d in (driving, replace(driving, theta=theta)))
        gains += [_nearer(moved, still, hand) for hand in frame.hands if hand is not None]
    return gains


def _nearer(one: Gaussians, other: Gaussians, picture) -> float:
    truth = pixels(picture)
    first, second = (float(psnr_fg(draw_like(gaussians, picture)[0], *truth)) for gaussians in (one, other))
    return first - second
