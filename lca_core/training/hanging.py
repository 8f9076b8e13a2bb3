"""Learning how cloth hangs (`HangingCloth`): from cloth that was simulated, of which no picture is drawn.

People of `garment` are encoded from their photographs; in the photographs' poses each of their Gaussians lies near some
point of the simulated cloth, or near none. Where it does, it is to follow that point through clips of the same person:
how much farther than in the photographs it is from its skinned place then, in the axes of the T-pose, is what the
decoder has to say. Everybody else, people of the studio in clothes that are not loose among them, teaches it where
nothing hangs.

A skirt is made of Gaussians of both legs' skin and of the shells round them, which overlap and do not go quite alike,
so that prints blur in motion. A loss on neighbours that part, with what lies within the outline of cloth in all
photographs taken for loose, was tried and did no better.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from lca_core.body import joint_transforms
from lca_core.data import Frame, Person, read_people
from lca_core.data.scaling import at_sizes
from lca_core.data.streaming import index
from lca_core.errors import InputError
from lca_core.model import LCA, Avatar, ImageEncoder, driving_of, person_inputs
from lca_core.model.graphed import spread
from lca_core.model.hanging import SIGNAL, HangingCloth, pushes
from lca_core.model.parts import HANGING
from lca_core.model.photographs import Photographs
from lca_core.people.domains.swinging import EVERY, Swinging, cached_swinging, read_swinging
from lca_core.tensor_files import load_tensors, save_tensors
from lca_core.training.log import append_row, cut_log
from lca_core.training.schedules import cosine
from lca_core.training.survival import check_finite

STATE = "lca_core hanging state 1"
SHOWN = (4, 1, 4)  # photographs of a person's encodings: the first ones, one, and any four
_NEAR = 0.07  # metres from cloth, in the photographs' poses, within which a Gaussian is one of its
_OPAQUE = 0.3  # opacity from which a Gaussian counts
_POINTS = 1500  # of a person's, at most
_FOLDED = 0.25  # determinant of blended transforms under which nothing can be told in the axes of the T-pose
_LOOSE, _TIGHT, _MOMENTS = 6, 2, 8  # encodings in a step, and moments of a clip
_JITTER = (0.05, 0.02)  # of tokens, of the pose's rotations
_METRES = 10.0  # weight of a metre beside a doubt about what is loose
_KEPT = 100  # steps after which the state is written


class Clip(NamedTuple):
    """T moments of a person's: signal, what pushes cloth about (`pushes`); away: of M Gaussians, how much farther their
    cloth is from its skinned place than in the photographs, metres in the axes of the T-pose; turn: from these to the
    world; told: where that can be told."""

    signal: Float[Tensor, "T S"]
    away: Float[Tensor, "T M 3"]
    turn: Float[Tensor, "T M 3 3"]
    told: Bool[Tensor, "T M"]


@dataclass(frozen=True)
class Wearer:
    """One encoding of a person. tokens [G, D]; loose [P]: 1 where what hangs on the graph is loose cloth; solid [P]:
    how opaque it is; chosen [M]: numbers among the P of those that clips tell of; shown: `pushes` of the photographs.
    """

    tokens: Float[Tensor, "G D"]
    loose: Float[Tensor, " P"]
    solid: Float[Tensor, " P"]
    chosen: Int[Tensor, " M"]
    shown: Float[Tensor, "N S"]
    clips: Sequence[Clip] = ()


@torch.no_grad()
def wearers(
    person: Person, swinging: Swinging | None, model: LCA, part: HangingCloth, encoder: ImageEncoder
) -> list[Wearer]:
    """A person's encodings, by the photographs of SHOWN. swinging: of people of `garment`; None: nothing hangs."""
    person, found = at_sizes(person, model.profile), []
    moments = np.inf if swinging is None else len(swinging.poses[0])
    known = [frame for frame in person.frames if frame.instant * EVERY < moments]
    generator = np.random.default_rng([person.seed or 0, len(known)])
    for number, count in enumerate(SHOWN):
        chosen = sorted(generator.permutation(len(known))[:count]) if number else range(min(count, len(known)))
        frames = [known[i] for i in chosen]
        avatar = _encoded(person, frames, model, encoder)
        gaussians = avatar.canonical().map(lambda values: values[part.points.long()])
        if swinging is None:
            nothing = torch.zeros(len(part.points))
            found.append(
                Wearer(avatar.tokens, nothing, gaussians.opacities, torch.zeros(0).long(), torch.zeros(1, SIGNAL))
            )
        else:
            instants = sorted({frame.instant for frame in frames})
            found.append(_wearer(avatar, gaussians.means, gaussians.opacities, swinging, instants, part, generator))
    return found


def _encoded(person: Person, frames: Sequence[Frame], model: LCA, encoder: ImageEncoder) -> Avatar:
    inputs = person_inputs(frames, person.betas, encoder, model.profile.face_px)
    photographs = None
    if model.gradient_steps is not None:
        photographs = Photographs.of(frames, driving_of(model, frames, person.betas))
    return Avatar.encode(model, inputs, {"id": person.id}, photographs)


def _wearer(
    avatar: Avatar,
    means: Float[Tensor, "P 3"],
    solid: Float[Tensor, " P"],
    swinging: Swinging,
    instants: Sequence[int],
    part: HangingCloth,
    generator: np.random.Generator,
) -> Wearer:
    weights = avatar.weights[part.points.long()]
    at = torch.tensor(instants) * EVERY
    transforms = _transforms(avatar, swinging, 0)[at]
    cloth = torch.from_numpy(swinging.cloth[0])[at]
    skinned = _blended(weights, transforms)
    placed = (skinned[..., :3] @ means[..., None])[..., 0] + skinned[..., 3]
    opaque = (solid > _OPAQUE).nonzero()[:, 0]
    far, nearest = (sum(map(torch.cdist, placed[:, opaque], cloth)) / len(at)).min(1)
    near = (far < _NEAR).nonzero()[:, 0]
    loose = torch.zeros(len(means)).index_fill_(0, opaque[near], 1.0)
    near = near[torch.from_numpy(np.sort(generator.permutation(len(near))[:_POINTS]))]
    vertex, chosen = nearest[near], opaque[near]
    before = _unposed(skinned[:, chosen], cloth[:, vertex])[0].mean(0)
    clips = []
    for number in range(len(swinging.poses)):
        transforms = _transforms(avatar, swinging, number)
        skinned = _blended(weights[chosen], transforms)
        place, told = _unposed(skinned, torch.from_numpy(swinging.cloth[number])[:, vertex])
        clips.append(Clip(pushes(transforms[..., :3, :3]), place - before, skinned[..., :3].contiguous(), told))
    return Wearer(avatar.tokens, loose, solid, chosen, pushes(_transforms(avatar, swinging, 0)[at][..., :3, :3]), clips)


def _transforms(avatar: Avatar, swinging: Swinging, number: int) -> Float[Tensor, "T 55 4 4"]:
    poses, shifts = (torch.from_numpy(values[number]) for values in (swinging.poses, swinging.shifts))
    return joint_transforms(avatar.rest_joints.expand(len(poses), -1, -1), poses, shifts)[0]


def _blended(weights: Float[Tensor, "M 55"], transforms: Float[Tensor, "T 55 4 4"]) -> Float[Tensor, "T M 3 4"]:
    return torch.einsum("mj,tjk->tmk", weights, transforms[:, :, :3].flatten(2)).unflatten(-1, (3, 4))


def _unposed(
    skinned: Float[Tensor, "T M 3 4"], places: Float[Tensor, "T M 3"]
) -> tuple[Float[Tensor, "T M 3"], Bool[Tensor, "T M"]]:
    """(where in the T-pose skinning takes these places from, whether it folds too much to tell)."""
    turn = skinned[..., :3]
    upright = turn + 1e-4 * torch.eye(3)
    return torch.linalg.solve(upright, (places - skinned[..., 3])[..., None])[..., 0], torch.linalg.det(turn) > _FOLDED


def astray(
    part: HangingCloth, wearer: Wearer, clip: Clip, moments: Int[Tensor, " t"], jitter: float = 0.0
) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"], Float[Tensor, "V 1"]]:
    """(how far from its cloth every Gaussian is that anything is told of, at some moments of a clip, metres; how far it
    is by skinning alone; the gates as logits). jitter: noise, tokens' share of which is _JITTER's."""
    tokens, signal = wearer.tokens, clip.signal[moments]
    if jitter:
        tokens = tokens + jitter * _JITTER[0] * tokens.std() * torch.randn_like(tokens)
        signal = signal + jitter * _JITTER[1] * torch.randn_like(signal)
    sure, cloth = part.worn(tokens)
    hung = part.hung(cloth, signal) - part.hung(cloth, wearer.shown).mean(0)
    said = spread(part.opened(sure) * hung, part.near[wearer.chosen], part.share[wearer.chosen])
    turn, away, told = clip.turn[moments], clip.away[moments], clip.told[moments]
    off, skinned = ((turn @ metres[..., None])[..., 0].norm(dim=-1)[told] for metres in (said - away, away))
    return off, skinned, sure


def doubt(part: HangingCloth, wearer: Wearer, sure: Float[Tensor, "V 1"]) -> Float[Tensor, ""]:
    """Cross entropy of what hangs on the nodes being loose, counting what is solid."""
    logits = spread(sure, part.near, part.share)[..., 0]
    return (F.binary_cross_entropy_with_logits(logits, wearer.loose, reduction="none") * wearer.solid).mean()


def fit_hanging(
    part: HangingCloth, loose: Sequence[Wearer], tight: Sequence[Wearer], out: Path, steps: int, lr: float,
    seed: int = 0, resume: bool = False, people: Sequence[str] = (),
) -> None:  # fmt: skip
    """Train the part in place; writes log.csv and, every _KEPT steps, state.safetensors into `out`. resume: go on from
    that state, to the same weights as if it had not stopped. people: who they are. InputError for a state of another
    run, or of other people."""
    optimizer = torch.optim.AdamW(part.parameters(), lr, weight_decay=0.03)
    names, begun = [name for name, _ in part.named_parameters()], 0
    facts = {"steps": steps, "lr": lr, "seed": seed, "loose": len(loose), "tight": len(tight),
             "people": list(people)}  # fmt: skip
    state = out / "state.safetensors"
    if resume and state.exists():
        header, tensors = load_tensors(state, STATE, "start without --resume")
        if header.get("facts") != facts:
            raise InputError(f"{state} is of another run, of other people or settings; start without --resume")
        begun = header["step"]
        for name, parameter in zip(names, part.parameters()):
            parameter.data.copy_(tensors[name])
            optimizer.state[parameter] = {
                "step": torch.tensor(float(begun)), "exp_avg": tensors[f"{name}.mean"],
                "exp_avg_sq": tensors[f"{name}.square"],
            }  # fmt: skip
    else:
        (out / "log.csv").unlink(missing_ok=True)
    cut_log(out / "log.csv", begun)
    bar = tqdm(range(begun, steps), initial=begun, total=steps, desc="hanging cloth", unit="step")
    for step in bar:
        rng = np.random.default_rng([seed, step])
        torch.manual_seed(int(rng.integers(1 << 31)))
        off, skinned, doubts = [], [], []
        for _ in range(_LOOSE):
            wearer = loose[rng.integers(len(loose))]
            clip = wearer.clips[rng.integers(len(wearer.clips))]
            moments = torch.from_numpy(rng.integers(0, len(clip.signal), _MOMENTS))
            metres, without, sure = astray(part, wearer, clip, moments, jitter=1.0)
            told = max(1, len(metres))  # in a wide stride of few Gaussians nothing may be
            off.append(metres.sum() / told)
            skinned.append(without.sum() / told)
            doubts.append(doubt(part, wearer, sure))
        for wearer in (tight[rng.integers(len(tight))] for _ in range(_TIGHT if tight else 0)):
            doubts.append(doubt(part, wearer, part.worn(wearer.tokens)[0]))
        off, skinned, doubts = (torch.stack(values).mean() for values in (off, skinned, doubts))
        loss = _METRES * off + doubts
        check_finite(f"step {step}", {"loss": float(loss)}, {}, "give a lower learning rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(part.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = lr * cosine(step, steps, max(1, steps // 20))
        optimizer.step()
        row = {"step": step, "loss": float(loss), "mm": 1000 * float(off), "skinned_mm": 1000 * float(skinned),
               "doubt": float(doubts)}  # fmt: skip
        append_row(out / "log.csv", row)
        bar.set_postfix(mm=f"{row['mm']:.1f}", of=f"{row['skinned_mm']:.1f}")
        if (step + 1) % _KEPT == 0 and step + 1 < steps:
            tensors = dict(zip(names, part.parameters()))
            for name, parameter in zip(names, part.parameters()):
                moments = optimizer.state[parameter]
                tensors |= {f"{name}.mean": moments["exp_avg"], f"{name}.square": moments["exp_avg_sq"]}
            save_tensors(state, STATE, tensors, {"step": step + 1, "facts": facts})
    state.unlink(missing_ok=True)


def train_hanging(
    shards: Iterable[Path], out: Path, model: LCA, encoder: ImageEncoder, *, steps: int, lr: float, seed: int = 0,
    resume: bool = False, workers: int = 2,
) -> list[str]:  # fmt: skip
    """Train the model's part `hanging` in place on the people of these shards, and say who they were.

    Everything else of the model stays as it is. Clips of swinging cloth are simulated where the cache has none.
    InputError without people of `garment`, or for a resumed run that is of others.
    """
    part = model.parts.pop(HANGING)  # people are encoded as though nothing hung
    loose, tight, ids = [], [], []
    seeds = [entry.seed for entry in index(list(shards)) if entry.domain == "garment" and entry.seed is not None]
    clips = dict(zip(seeds, cached_swinging(seeds, workers)))
    for person in tqdm(read_people(shards), desc="encode", unit="person"):
        hangs = person.domain == "garment" and person.seed in clips
        if not hangs and (person.domain == "garment" or any(frame.cloth for frame in person.frames)):
            continue  # something is loose of which nothing is known
        found = wearers(person, read_swinging(clips[person.seed]) if hangs else None, model, part, encoder)
        if hangs:  # an encoding that has nothing where the cloth is has nothing to learn from
            loose += [one for one in found if len(one.chosen)]
        else:
            tight += found
        ids.append(person.id)
    if not loose:
        raise InputError("nobody is in clothes whose cloth can be simulated; give a folder of garment people, too")
    fit_hanging(part, loose, tight, out, steps, lr, seed, resume, ids)
    model.parts[HANGING] = part
    return ids
