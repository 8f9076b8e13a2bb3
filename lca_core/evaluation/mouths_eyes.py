"""Mouths and eyes: how near to the truth they come when a face does something, boxes of some centimetres at a time.

Later frames of studio records, whose facial actions are known, are drawn by avatars of the person's photographs: driven
by those actions, and with the face left at rest. A picture counts for the mouth where a jaw drops, a mouth smiles,
puckers or funnels by STRONG or more, for the eyes where both lids do. Boxes stand upright on the head and are of one
size in metres, so that no face near the camera weighs more than one far away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from lca_core.body import ACTIONS, Driving
from lca_core.data import Frame, Person, Picture, camera_tensors, pixels
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import draw_like
from lca_core.judges.metrics import MOST_DB, over_white
from lca_core.model import LCA, Avatar, recorded_head, target_driving
from lca_core.model.crops import upright_crop

STRONG = 0.4
_MOUTH = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker", "mouthFunnel")
_EYES = ("eyeBlinkLeft", "eyeBlinkRight")


@dataclass(frozen=True)
class Box:
    """A square of `side` metres, `below` metres under the middle between the eyes, `px` pixels wide when compared."""

    below: float
    side: float
    px: int = 32


MOUTH, EYES = Box(0.068, 0.075), Box(0.0, 0.11)
BOXES = {"mouth": MOUTH, "eyes": EYES}


def does(frame: Frame, box: str) -> bool:
    """Whether what a box shows does something in a frame; InputError where nobody knows."""
    if frame.actions is None:
        raise InputError(f"what a face does in frame {frame.instant} is not told; give people of the studio")
    amounts = {name: float(frame.actions[ACTIONS.index(name)]) for name in (*_MOUTH, *_EYES)}
    if box == "mouth":
        return max(amounts[name] for name in _MOUTH) >= STRONG
    return min(amounts[name] for name in _EYES) >= STRONG


def signals(model: LCA, avatar: Avatar, person: Person, frame: Frame) -> dict[str, Driving]:
    """What drives an avatar into a frame: "told", by the true actions, and "rest", with its face left at rest."""
    driving = target_driving(model, frame, person.betas)
    actions = torch.from_numpy(frame.actions)[None].to(driving.epsilon)
    return {
        name: replace(driving, epsilon=avatar.action_map(told))
        for name, told in (("told", actions), ("rest", torch.zeros_like(actions)))
    }


def seen_in(
    image: Float[Tensor, "H W 3"], picture: Picture, model: LCA, person: Person, frame: Frame, box: Box
) -> Float[Tensor, "px px 3"]:
    """What a box shows of an image that was taken as `picture` was."""
    head = recorded_head(model, frame, person.betas)
    eyes, up = head.eyes.reshape(2, 3), head.up.reshape(3)
    viewmat, K = camera_tensors(picture.camera)
    return upright_crop(image, viewmat, K, eyes.mean(0) - box.below * up, up, box.side, box.px)


@torch.no_grad()
def compare(model: LCA, avatar: Avatar, person: Person, frames: Sequence[Frame]) -> dict[str, dict[str, list[float]]]:
    """box -> "told" and "rest" -> psnr in dB, one number for each picture of a face that does something there."""
    found: dict[str, dict[str, list[float]]] = {}
    for frame in frames:
        boxes = {} if frame.face is None else {name: box for name, box in BOXES.items() if does(frame, name)}
        if not boxes:
            continue
        truth = over_white(*pixels(frame.face))
        for signal, driving in signals(model, avatar, person, frame).items():
            drawn = draw_like(avatar.drive(driving).map(lambda t: t[0]), frame.face)[0]
            for name, box in boxes.items():
                a, b = (seen_in(image, frame.face, model, person, frame, box) for image in (drawn, truth))
                value = float((-10 * (a - b).square().mean().clamp(min=1e-12).log10()).clamp(max=MOST_DB))
                found.setdefault(name, {}).setdefault(signal, []).append(value)
    return found
