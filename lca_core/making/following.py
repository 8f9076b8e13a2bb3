"""Somebody in a clip, followed: body, hands, head, mouth, lids and gaze become a motion that drives any avatar.

Each picture is looked at as curation does, one body is fitted to all of them together, the face is read from each
picture and against its own rest in the clip. What no picture shows is interpolated, and said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lca_core.body import ACTIONS, theta_slice
from lca_core.body.driving import GAZE, ROOT
from lca_core.curation.decode import read_clip
from lca_core.curation.detect import POSE_VISIBLE, Sighting, find_hands, find_people
from lca_core.curation.evidence import Seen
from lca_core.curation.fit import fit_body
from lca_core.curation.matte import person_matte
from lca_core.errors import InputError
from lca_core.making.expressions import faces_followed, head_turns
from lca_core.making.steadying import at_rate, filled, smoothed, unwound
from lca_core.motion.motions import Motion
from lca_core.motion.poses import arm, hand, leg
from lca_core.viewer.signals import rest

RATE, FPS = 12.5, 25  # pictures a second that are looked at; frames a second of the motion
_SIDE = 960  # px, of the pictures that are looked at
_LEAST = 0.3  # of the pictures must show the person
_BODY, _PLACE, _FACE = 0.08, 0.2, 0.04  # seconds over which joints, the pelvis' place, face and gaze are smoothed


@dataclass(frozen=True)
class Followed:
    """motion: FPS frames a second; said: sentences about what was not seen, for whoever gave the clip."""

    motion: Motion
    said: tuple[str, ...]


def follow(path: Path | str, seconds: float = 10.0, progress: bool = True) -> Followed:
    """Follow the person in a clip, in its first `seconds` at most; about a second of work a picture.

    Of several people the largest one is followed, and whoever is nearest to them in the next picture. InputError as
    `read_clip`, and where nobody, or hardly ever anybody, is seen.
    """
    most = max(round(seconds * RATE), 2)
    clip = read_clip(path, most, RATE, _SIDE)
    people: list[Sighting | None] = []
    several = 0
    for image in tqdm(clip.images, desc="looking at the clip", unit="picture", disable=not progress):
        found = find_people(image)
        several += len(found) > 1
        people.append(_same_person(found, next((p for p in reversed(people) if p is not None), None)))
    count, seen = len(people), sum(person is not None for person in people)
    if not seen:
        raise InputError(f"{path}: nobody was found in it; give a clip that shows one person, the face visible")
    if seen < _LEAST * count:
        raise InputError(
            f"{path}: a person was found in {seen} of {count} pictures only; give a clip that shows them all the time"
        )
    said = []
    if count == most:
        said.append(f"The first {clip.times[-1]:.1f} seconds are followed.")
    if several:
        said.append(f"{several} of {count} pictures show several people; the largest one was followed.")
    motion = _motion(clip.images, people, clip.times, said)
    return Followed(motion, tuple(said))


def _motion(
    images: Sequence[np.ndarray], people: Sequence[Sighting | None], times: np.ndarray, said: list[str]
) -> Motion:
    """The motion of a person in the pictures of these times, seconds; what was not seen is added to `said`."""
    posed = np.array([person is not None and person.pose is not None for person in people])
    faced = np.array([person is not None and person.mesh is not None for person in people])
    still, rate = rest(), RATE if len(times) < 2 else (len(times) - 1) / max(times[-1] - times[0], 1e-6)
    theta, root = np.repeat(still.theta, len(people), 0), np.repeat(still.root, len(people), 0)
    actions, gaze = np.zeros((len(people), len(ACTIONS)), np.float32), np.zeros((len(people), GAZE), np.float32)
    if faced.any():
        meshes = np.stack([people[i].mesh for i in np.flatnonzero(faced)])
        actions[faced], gaze[faced] = faces_followed([images[i] for i in np.flatnonzero(faced)], meshes)
        actions, gaze = (smoothed(filled(x, faced), rate, _FACE) for x in (actions, gaze))
        _note(said, faced, "face")
    else:
        said.append("No face could be read: mouth, lids and gaze stay at rest.")
    if posed.any():
        theta[posed], root[posed] = _bodies(images, people, np.flatnonzero(posed), times)
        theta[posed] = _without_hidden_limbs(theta[posed], [people[i].pose for i in np.flatnonzero(posed)],
                                             np.array(images[0].shape[1::-1]), said)  # fmt: skip
        theta, root = _steady(theta, posed, rate), _placed(root, posed, rate)
        _note(said, posed, "body")
    elif faced.any():
        head = theta_slice("head")
        theta[faced, head] = head_turns(meshes) / 2  # the neck turns as much again
        theta = _steady(theta, faced, rate)
        said.append("No body could be told: head and face alone are followed.")
    parts = (theta, root, gaze, actions)
    return Motion(*(at_rate(part, times, FPS) for part in parts))


def _bodies(
    images: Sequence[np.ndarray], people: Sequence[Sighting], posed: np.ndarray, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(theta [P, 138], root [P, 6]) of one body fitted to the pictures `posed`."""
    seen = [
        Seen(*images[i].shape[:2], people[i].pose, people[i].world, find_hands(images[i], people[i]), people[i].mesh,
             person_matte(images[i], people[i]))
        for i in posed
    ]  # fmt: skip
    fit = fit_body(seen, times[posed])
    return fit.theta, fit.root


def _without_hidden_limbs(
    theta: np.ndarray, poses: Sequence[np.ndarray], size: np.ndarray, said: list[str]
) -> np.ndarray:
    """The same, with arms that hang and legs that stand where hardly any picture of so many pixels [2] shows them."""
    seen = np.array([(p[:, 3] > POSE_VISIBLE) & (p[:, :2] >= 0).all(1) & (p[:, :2] < size).all(1) for p in poses])
    hanging = {side: arm(side, down=1.2, elbow=0.2) | hand(side, "relaxed") for side in ("left", "right")}
    standing = {side: leg(side, flex=0.02, knee=0.05) for side in ("left", "right")}
    theta, hidden = theta.copy(), []
    for name, limbs, landmarks in (
        ("arm", hanging, {"left": 15, "right": 16}),
        ("leg", standing, {"left": 25, "right": 26}),
    ):
        for side, landmark in landmarks.items():
            if seen[:, landmark].mean() < _LEAST:
                hidden.append(f"{side} {name}")
                for joint, turn in limbs[side].items():
                    theta[:, theta_slice(joint)] = turn
    if hidden:
        said.append(f"Hardly any picture shows the {', the '.join(hidden)}: at rest instead.")
    return theta


def _steady(theta: np.ndarray, known: np.ndarray, rate: float) -> np.ndarray:
    joints = unwound(theta[known].reshape(known.sum(), -1, 3))
    values = theta.copy()
    values[known] = joints.reshape(known.sum(), -1)
    return smoothed(filled(values, known), rate, _BODY)


def _placed(root: np.ndarray, known: np.ndarray, rate: float) -> np.ndarray:
    """The pelvis' turn, and its place about the middle of where it was: what a camera stood away from is lost."""
    assert root.shape[1] == ROOT
    values = root.copy()
    values[known, :3] = unwound(root[known, None, :3])[:, 0]
    values = filled(values, known)
    values[:, 3:] -= np.median(values[:, 3:], 0)
    return np.concatenate([smoothed(values[:, :3], rate, _BODY), smoothed(values[:, 3:], rate, _PLACE)], 1)


def _note(said: list[str], known: np.ndarray, what: str) -> None:
    if not known.all():
        said.append(f"{(~known).sum()} of {len(known)} pictures do not show the {what}: it was interpolated there.")


def _same_person(found: Sequence[Sighting], before: Sighting | None) -> Sighting | None:
    """Who is to be followed: the largest, or who is nearest to where they were one picture earlier."""
    if not found:
        return None
    if before is None:
        return found[0]
    return min(found, key=lambda one: float(np.linalg.norm(_head(one) - _head(before))))


def _head(person: Sighting) -> np.ndarray:
    return (person.face[:2] + person.face[2:]) / 2 if person.face is not None else person.pose[0, :2]
