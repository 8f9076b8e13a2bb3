"""Light: how much nearer to the truth an avatar under a new light is than one left in that of its photographs.

People of `relit_held_out`: an avatar is made of the photographs, which one everyday light shows, and judged in another
moment under lamps and environments that nothing was trained under. Beside the avatar under the recorded light stand the
same one as it is ("unrelit"), and that times the colour which, of all colours, fits everybody best under a light of
this name ("mean_light"): what a picture editor could do who has seen the truth. And the decoder before it has learned
anything ("untrained"): it has the body's normals, and Lambert's law is built into it. How bright photographs are
exposed is nobody's to know, so each method is given one brightness a person, fitted in linear light on the photographs'
own light, which is not judged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from lca_core.data import Frame, Person, camera_tensors, pixels
from lca_core.data.sphere import Light
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import draw_like, frames_for
from lca_core.judges.metrics import psnr_fg
from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, ImageEncoder, target_driving
from lca_core.model.parts import LIGHT, PARTS
from lca_core.model.shading import eyes_of, to_linear, to_srgb
from lca_core.splats import Gaussians

METHODS = ("relit", "unrelit", "mean_light", "untrained")
_INSIDE = 0.95  # alpha and matte of pixels that no background shines through
Judged = dict[str, dict[int, dict[str, float]]]  # method -> person -> light -> psnr_fg, dB


@dataclass(frozen=True)
class Sitter:
    """An avatar, the same with a decoder that has learned nothing, whom it is of, and what it is judged on; brightness:
    by method, in linear light."""

    person: Person
    avatar: Avatar
    untrained: Avatar
    targets: tuple[Frame, ...]
    brightness: Mapping[str, float]


def sitter(model: LCA, encoder: ImageEncoder, person: Person, shown: Person | None = None) -> Sitter:
    """A person of `relit_held_out`, recorded with their lights; InputError for another, or where no light is told.

    shown: the same person in another domain, of whose photographs the avatar is made (default: their own); brightness
    is fitted on their own all the same.
    """
    count = person.meta.get("photographs", 0)
    if not 0 < count < len(person.frames):
        raise InputError(f"{person.id} has no photographs set apart; give people of domain relit_held_out")
    photographs, targets = person.frames[:count], person.frames[count:]
    if shown is None:
        avatar = encode_person(model, encoder, person, photographs)
    else:
        avatar = encode_person(model, encoder, shown, frames_for(model, shown)[0])
    found = {"unrelit": brightness(model, avatar, person, photographs, False)}
    found |= {"relit": brightness(model, avatar, person, photographs, True), "mean_light": found["unrelit"]}
    new = untrained(avatar)
    found |= {"untrained": brightness(model, new, person, photographs, True)}
    return Sitter(person, avatar, new, targets, found)


def untrained(avatar: Avatar) -> Avatar:
    """The avatar with a decoder of light that has learned nothing."""
    new = PARTS[LIGHT](avatar.tokens.shape[-1], avatar.raw.shape[-2]).eval().requires_grad_(False)
    return replace(avatar, parts=avatar.parts | {LIGHT: new.to(avatar.raw.device)})


def light_of(frame: Frame) -> Light:
    """The light that a frame was recorded under; InputError where it is not told."""
    if frame.environment is None:
        raise InputError(f"nothing tells the light {frame.light!r} of a frame; draw the people with --truth")
    return Light(frame.light, frame.environment.astype(np.float32))


def posed(model: LCA, avatar: Avatar, person: Person, frame: Frame, lit: bool) -> Gaussians:
    """Gaussians [N] as a frame shows them, under its light or as the photographs left them."""
    driving = target_driving(model, frame, person.betas)
    eye = eyes_of(camera_tensors(frame.body.camera, avatar.raw.device)[0])
    moved = avatar.drive(driving, light_of(frame), eye) if lit else avatar.drive(driving)
    return moved.map(lambda values: values[0])


def tinted(gaussians: Gaussians, gain: float | Float[Tensor, "3"]) -> Gaussians:
    """The same Gaussians, so much brighter in linear light."""
    colors = to_srgb(to_linear(gaussians.colors.clamp(0, 1)) * gain)
    return Gaussians(gaussians.means, gaussians.quats, gaussians.scales, gaussians.opacities, colors)


def _in_linear_light(gaussians: Gaussians, frame: Frame) -> tuple[Float[Tensor, "P 3"], Float[Tensor, "P 3"]]:
    """(drawn, true) pixels, of the person alone in both, in linear light."""
    (drawn, alpha), (truth, matte) = draw_like(gaussians, frame.body), pixels(frame.body, gaussians.means.device)
    inside = (alpha > _INSIDE) & (matte > _INSIDE)
    return to_linear(drawn[inside]), to_linear(truth[inside])


@torch.no_grad()
def brightness(model: LCA, avatar: Avatar, person: Person, frames: Sequence[Frame], lit: bool) -> float:
    """The factor on an avatar's light that fits these frames best, least squares over their pixels of the person."""
    both, square = 0.0, 0.0
    for frame in frames:
        drawn, true = _in_linear_light(posed(model, avatar, person, frame, lit), frame)
        both, square = both + float((drawn * true).sum()), square + float(drawn.square().sum())
    return both / square if square > 0 else 1.0


@torch.no_grad()
def mean_lights(model: LCA, sitters: Sequence[Sitter]) -> dict[str, Float[Tensor, "3"]]:
    """Light -> the factor by channel that, on the unrelit avatars of all at once, fits it best."""
    both: dict[str, Tensor] = {}
    square: dict[str, Tensor] = {}
    for one in sitters:
        for frame in one.targets:
            unlit = tinted(posed(model, one.avatar, one.person, frame, False), one.brightness["mean_light"])
            drawn, true = _in_linear_light(unlit, frame)
            both[frame.light] = both.get(frame.light, 0) + (drawn * true).sum(0)
            square[frame.light] = square.get(frame.light, 0) + drawn.square().sum(0)
    return {light: both[light] / square[light].clamp(min=1e-9) for light in both}


@torch.no_grad()
def judge(model: LCA, sitters: Sequence[Sitter], lights: Mapping[str, Float[Tensor, "3"]]) -> Judged:
    """psnr_fg of every method under every light; lights: `mean_lights`."""
    result: Judged = {method: {one.person.seed: {} for one in sitters} for method in METHODS}
    for one in tqdm(sitters, desc="relighting", unit="person"):
        for frame in one.targets:
            unlit, lit = (posed(model, one.avatar, one.person, frame, lit) for lit in (False, True))
            plain = posed(model, one.untrained, one.person, frame, True)
            shown = {"relit": lit, "unrelit": unlit, "mean_light": unlit, "untrained": plain}
            for method, gaussians in shown.items():
                gain = one.brightness[method] * (lights[frame.light] if method == "mean_light" else 1.0)
                drawn = draw_like(tinted(gaussians, gain), frame.body)[0]
                value = psnr_fg(drawn, *pixels(frame.body, drawn.device))
                result[method][one.person.seed][frame.light] = float(value)
    return result


def evaluate_relighting(people: Iterable[Person], model: LCA, encoder: ImageEncoder) -> Judged:
    """psnr_fg of every method for people of `relit_held_out`; all avatars are kept meanwhile."""
    sitters = [sitter(model, encoder, person) for person in people]
    return judge(model, sitters, mean_lights(model, sitters))


def gains(judged: Judged) -> dict[str, dict[int, list[float]]]:
    """ "environment_gain_db" and "lamp_gain_db" (relit less unrelit), "over_mean_light_db" (relit less mean light) and
    "over_untrained_db" (relit less untrained), person by person, one number a light."""
    result: dict[str, dict[int, list[float]]] = {}
    for seed, relit in judged["relit"].items():
        for light, value in relit.items():
            kind = "lamp_gain_db" if light.startswith("lamp_") else "environment_gain_db"
            over = {kind: "unrelit", "over_mean_light_db": "mean_light", "over_untrained_db": "untrained"}
            for name, method in over.items():
                result.setdefault(name, {}).setdefault(seed, []).append(value - judged[method][seed][light])
    return result
