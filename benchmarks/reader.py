"""Train what reads facial actions and gaze from pictures (`lca_core/curation/face_reader.safetensors`), and measure it.

It learns from digital humans of the training seeds, whose faces are known (`faces_known.py`): all layers in so many
epochs, then the last ones alone. One person in ten is held out to choose each action's gain and floor. `--measure` says
instead how wrong the reader that ships is on other people. A run that was stopped goes on after its last epoch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from faces_known import known_faces
from torch import nn
from torch.nn.functional import interpolate, smooth_l1_loss
from tqdm.auto import tqdm

from lca_core.body import ACTIONS
from lca_core.body.driving import GAZE
from lca_core.curation.face_parts import (
    EYE_PX,
    EYE_SIDE,
    MOUTH_PX,
    MOUTH_SIDE,
    Parts,
    Places,
    evened,
    parts_of,
    places_of,
    upright,
)
from lca_core.curation.face_reader import (
    FILE,
    READ,
    SHAPE_AXES,
    FaceReader,
    faces_of,
    mirror,
    mirrored_numbers,
    reader,
)
from lca_core.data.shards import shard_paths
from lca_core.paths import cache_dir
from lca_core.tensor_files import load_tensors, save_tensors

BATCH, RATE, DECAY = 32, 2e-3, 0.05
WARMING = 60  # steps
HELD_OUT = 10  # one person in so many chooses gains and floors
SIDES = (EYE_SIDE, EYE_SIDE, MOUTH_SIDE)
_WEIGHTS = {"gaze": 0.25, "points": 0.7}  # beside the actions' 1
_LOOK = math.radians(30)  # of gaze, that weighs as much as a whole action
_ROUND = (0.3, 0.02)  # errors below it count by their square: at first, and at the end
_SHIFT, _SCALE, _TURN = 0.035, 0.06, 0.07  # standard deviations: spans, logarithm, radians
_BLURRED, _COARSER = 0.35, 2.0  # share of batches, and by how much their pixels are coarser at most, beside 1
_KIND = "lca_core reader in training 1"


@dataclass(frozen=True)
class Known:
    """What `known_faces` found. points [N, P, 2]: in the chips; eyes: pairs of points that lie in a left eye's square
    and, mirrored, in a right one's [E] each; mouth: those in the mouth's [M]; mouth_mirror: their mirror images."""

    chips: torch.Tensor
    places: Places
    numbers: torch.Tensor
    points: torch.Tensor
    seeds: torch.Tensor
    wild: torch.Tensor
    eyes: tuple[torch.Tensor, torch.Tensor]
    mouth: torch.Tensor
    mouth_mirror: torch.Tensor

    @classmethod
    def of(cls, faces: dict[str, torch.Tensor]) -> "Known":
        """Points are sorted by where they lie in faces that look at the camera."""
        places, flip = places_of(faces["meshes"]), torch.tensor([-1.0, 1.0])
        ahead = places.ahead[:, 0].abs() < 0.3
        some = Places(*(values[ahead] for values in places))
        left, right, mouth = (
            within(faces["points"][ahead], some.middles[:, i], some.up, side * some.span).mean(0)
            for i, side in enumerate(SIDES)
        )
        lefts, mouths = (torch.where((at.abs() < 0.47).all(-1))[0] for at in (left, mouth))
        apart, partners = torch.cdist(left[lefts], right * flip).min(1)
        paired = apart < 0.03
        return cls(
            faces["chips"], places, faces["numbers"], faces["points"], faces["seeds"], faces["wild"],
            (lefts[paired], partners[paired]), mouths, torch.cdist(mouth[mouths] * flip, mouth[mouths]).argmin(1),
        )  # fmt: skip

    def at(self, faces: torch.Tensor) -> tuple[torch.Tensor, Places]:
        """(chips, places) of some of the faces."""
        return self.chips[faces], Places(*(values[faces] for values in self.places))


def within(points: torch.Tensor, middles: torch.Tensor, up: torch.Tensor, sides: torch.Tensor) -> torch.Tensor:
    """Where points [B, N, 2] lie in upright squares: from their middles [B, 2], in sides, y down."""
    across, off = torch.stack([-up[:, 1], up[:, 0]], -1), points - middles[:, None]
    return torch.stack([(off * across[:, None]).sum(-1), -(off * up[:, None]).sum(-1)], -1) / sides[:, None, None]


@dataclass(frozen=True)
class Example:
    """A batch as it is learned from: places of the faces as told; eyes [B, 2, E, 2] and mouth [B, M, 2]: where points
    lie in the squares."""

    parts: Parts
    places: Places
    numbers: torch.Tensor
    eyes: torch.Tensor
    mouth: torch.Tensor


def example(known: Known, faces: torch.Tensor, generator: torch.Generator) -> Example:
    """Some faces, moved, turned, lit and blurred at random, half of the batches in a mirror."""

    def normal(*size: int) -> torch.Tensor:
        return torch.randn(*size, generator=generator)

    count, flip = len(faces), torch.tensor([-1.0, 1.0])
    chips, places = known.at(faces)
    middles = places.middles + _SHIFT * places.span[:, None, None] * normal(count, 3, 2)
    sides = torch.tensor(SIDES) * places.span[:, None] * torch.exp(_SCALE * normal(count, 3))
    angle = _TURN * normal(count, 3)
    cosine, sine, up = angle.cos(), angle.sin(), places.up[:, None]
    up = torch.stack([cosine * up[..., 0] - sine * up[..., 1], sine * up[..., 0] + cosine * up[..., 1]], -1)
    pictures = chips.permute(0, 3, 1, 2).float() / 255
    left, right, mouth = (
        upright(pictures, middles[:, i], up[:, i], sides[:, i], px) for i, px in enumerate((EYE_PX, EYE_PX, MOUTH_PX))
    )
    light = Light.random(count, generator)
    eyes = torch.stack([light.on(left), light.mirrored.on(right.flip(-1))], 1)
    parts = Parts(evened(eyes), evened(light.on(mouth)))
    shape = places.shape + 0.004 * normal(*places.shape.shape)
    places = places._replace(shape=shape, ahead=places.ahead + 0.04 * normal(count, 3))
    numbers, points, lefts, rights = known.numbers[faces], known.points[faces], *known.eyes
    in_eyes = torch.stack([
        within(points[:, lefts], middles[:, 0], up[:, 0], sides[:, 0]),
        within(points[:, rights], middles[:, 1], up[:, 1], sides[:, 1]) * flip,
    ], 1)  # fmt: skip
    in_mouth = within(points[:, known.mouth], middles[:, 2], up[:, 2], sides[:, 2])
    if torch.rand(1, generator=generator) < 0.5:
        parts, places = mirror(parts, places)
        numbers, in_eyes = mirrored_numbers(numbers), in_eyes.flip(1)
        in_mouth = in_mouth[:, known.mouth_mirror] * flip
    return Example(parts, places, numbers, in_eyes, in_mouth)


@dataclass(frozen=True)
class Light:
    """Of a batch: curve [B, 1, 1, 1] by which middle tones are brighter, gain of colours [B, 3, 1, 1], slope of
    brightness across and down [B, 2], and how much coarser the pixels are."""

    curve: torch.Tensor
    gain: torch.Tensor
    slope: torch.Tensor
    coarser: float

    @classmethod
    def random(cls, count: int, generator: torch.Generator) -> "Light":
        """Any light that a face may be seen in."""
        blurred, coarser = torch.rand(2, generator=generator).tolist()
        return cls(
            0.35 * torch.randn(count, 1, 1, 1, generator=generator).clamp(-2, 2),
            torch.exp(0.12 * torch.randn(count, 3, 1, 1, generator=generator)),
            0.25 * torch.randn(count, 2, generator=generator),
            1 + _COARSER * coarser * (blurred < _BLURRED),
        )

    @property
    def mirrored(self) -> "Light":
        """The same in a mirror."""
        return Light(self.curve, self.gain, self.slope * torch.tensor([-1.0, 1.0]), self.coarser)

    def on(self, pictures: torch.Tensor) -> torch.Tensor:
        """Square pictures [B, 3, n, n] in this light."""
        px = pictures.shape[-1]
        if self.coarser > 1.15:
            small = interpolate(pictures, size=max(8, round(px / self.coarser)), mode="bilinear", antialias=True)
            pictures = interpolate(small, size=px, mode="bilinear")
        at, (aside, down) = torch.linspace(-1, 1, px), self.slope[:, :, None, None, None].unbind(1)
        lit = pictures * (1 + self.curve * (1 - pictures))
        return lit * (self.gain * torch.exp(aside * at + down * at[:, None]))


class Training:
    """The reader, two maps that must find points of eyes and mouth in what it makes of them, and the optimiser."""

    def __init__(self, known: Known, chosen: torch.Tensor):
        self.known, self.chosen, self.reader = known, chosen, FaceReader()
        shape = known.places.shape[chosen].flatten(1)
        _, size, axes = torch.linalg.svd(shape - shape.mean(0), full_matrices=False)
        self.reader.shape_axes.copy_(axes[:SHAPE_AXES].T / (size[:SHAPE_AXES] / len(shape) ** 0.5))
        self.in_eyes = nn.Linear(self.reader.eye[-2].out_features, 2 * len(known.eyes[0]))
        self.in_mouth = nn.Linear(self.reader.mouth[-2].out_features, 2 * len(known.mouth))
        self.modules = nn.ModuleDict({"reader": self.reader, "eyes": self.in_eyes, "mouth": self.in_mouth})
        self.parameters = list(self.modules.parameters())
        self.optimizer = torch.optim.AdamW(self.parameters, RATE, weight_decay=DECAY)

    def epoch(self, number: int, epochs: int) -> dict[str, float]:
        """Learn once from every face; returns the mean of each term."""
        generator = torch.Generator().manual_seed(number)
        torch.manual_seed(number)  # of what is dropped
        order = self.chosen[torch.randperm(len(self.chosen), generator=generator)]
        batches = [batch for batch in order.split(BATCH) if len(batch) == BATCH] or [order]
        sums = dict.fromkeys(("actions", "gaze", "points"), 0.0)
        self.modules.train()
        for i, batch in enumerate(tqdm(batches, desc=f"epoch {number}", unit="batch", leave=False)):
            step = number * len(batches) + i
            share = step / (epochs * len(batches))
            for group in self.optimizer.param_groups:
                group["lr"] = RATE * min(1, (step + 1) / WARMING) * (0.5 + 0.5 * math.cos(math.pi * share))
            terms = self.terms(example(self.known, batch, generator), _ROUND[0] * (1 - share) + _ROUND[1])
            self.optimizer.zero_grad()
            sum(_WEIGHTS.get(name, 1.0) * term for name, term in terms.items()).backward()
            nn.utils.clip_grad_norm_(self.parameters, 2.0)
            self.optimizer.step()
            sums = {name: total + terms[name].item() / len(batches) for name, total in sums.items()}
        return sums

    def terms(self, given: Example, rounded: float) -> dict[str, torch.Tensor]:
        """What is wrong: errors below `rounded` count by their square, larger ones as they are."""
        eyes, mouths = self.reader.seen(given.parts)
        found = self.reader(eyes, mouths, self.reader.told(given.places))
        pairs = {
            "actions": (found[:, : len(READ)], given.numbers[:, : len(READ)]),
            "gaze": (found[:, len(READ) :] / _LOOK, given.numbers[:, len(READ) :] / _LOOK),
        }
        terms = {name: smooth_l1_loss(*pair, beta=rounded) for name, pair in pairs.items()}
        points = (self.in_eyes(eyes), given.eyes), (self.in_mouth(mouths), given.mouth)
        terms["points"] = sum(smooth_l1_loss(a.unflatten(-1, (-1, 2)), b, beta=0.05) for a, b in points)
        return terms

    def settle(self, views: int = 2, rounds: int = 60, batch: int = 256) -> None:
        """Learn the last layers anew, from what the others make of every face, seen `views` times: a hundredth of the
        work of an epoch each round."""
        generator, rows, wanted = torch.Generator().manual_seed(0), [], []
        self.modules.eval()
        with torch.no_grad():
            for some in tqdm(self.chosen.repeat(views).split(64), desc="settling", unit="batch", leave=False):
                given = example(self.known, some, generator)
                eyes, mouths = self.reader.seen(given.parts)
                rows.append(torch.cat([eyes.flatten(1), mouths, self.reader.told(given.places)], 1))
                wanted.append(given.numbers)
        inputs, numbers = torch.cat(rows), torch.cat(wanted)
        weights = torch.ones(numbers.shape[1])
        weights[len(READ) :] = _WEIGHTS["gaze"] * len(READ) / GAZE / _LOOK
        answer, steps = self.reader.answer.train(), rounds * -(-len(inputs) // batch)
        optimizer = torch.optim.AdamW(answer.parameters(), RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        torch.manual_seed(0)  # of what is dropped
        for _ in range(rounds):
            for some in torch.randperm(len(inputs), generator=generator).split(batch):
                loss = (weights * (answer(inputs[some]) - numbers[some]).abs()).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()

    def save(self, path: Path, done: int) -> None:
        """Write all that the next epoch needs."""
        tensors = {f"modules.{name}": t for name, t in self.modules.state_dict().items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{name}": t for name, t in state.items()}
        save_tensors(path, _KIND, tensors, {"done": done, "faces": len(self.chosen)})

    def resume(self, path: Path) -> int:
        """Go on from a file; returns how many epochs are done."""
        header, tensors = load_tensors(path, _KIND, "delete it, to begin anew")
        self.modules.load_state_dict({n.removeprefix("modules."): t for n, t in tensors.items() if n[0] == "m"})
        state = self.optimizer.state_dict()
        for name, t in tensors.items():
            if name.startswith("optimizer."):
                _, i, key = name.split(".")
                state["state"].setdefault(int(i), {})[key] = t
        self.optimizer.load_state_dict(state)
        return header["done"]


@torch.no_grad()
def numbers_of(network: FaceReader, known: Known, faces: torch.Tensor) -> np.ndarray:
    """What a network reads of some faces [F, 48]."""
    found = []
    network.eval()
    for some in faces.split(128):
        chips, places = known.at(some)
        found.append(network.numbers(parts_of(chips, places), places))
    return torch.cat(found).numpy()


def bound(network: FaceReader, found: np.ndarray, true: np.ndarray) -> None:
    """Choose gains and floors by the mean absolute error; an action that is nearer at rest is left there."""
    tries = [(0.0, 0.0), *((g, f) for g in np.arange(0.5, 1.6, 0.1) for f in np.arange(-0.04, 0.2, 0.02))]
    for i in range(len(READ)):
        errors = [np.abs((g * (found[:, i] - f)).clip(0, 1) - true[:, i]).mean() for g, f in tries]
        network.gain[i], network.floor[i] = tries[int(np.argmin(errors))]


def report(network: FaceReader, known: Known, faces: torch.Tensor, each: bool = False) -> str:
    """How wrong a network is on some faces, beside a face at rest."""
    found, gaze = faces_of(numbers_of(network, known, faces), network)
    numbers = known.numbers[faces].numpy()
    true, looks = faces_of(numbers, FaceReader())
    off, lines = np.degrees(np.abs(gaze - looks)), []
    for name, some in (("studio", ~known.wild[faces].numpy()), ("wild", known.wild[faces].numpy())):
        if some.any():
            lines.append(
                f"{name}: {some.sum()} faces, actions {np.abs(found - true)[some].mean():.4f} (at rest "
                f"{true[some].mean():.4f}), gaze {off[some].mean():.2f} deg "
                f"(ahead {np.degrees(np.abs(looks[some])).mean():.2f})"
            )
    if each:
        errors = zip(ACTIONS, true.mean(0), np.abs(found - true).mean(0))
        lines += [f"{name:20s} at rest {rest:.4f} read {error:.4f}" for name, rest, error in errors]
    return "\n".join(lines)


def main(
    data: tuple[Path, ...],
    epochs: int = 24,
    out: Path = FILE,
    cache: Path | None = None,
    measure: bool = False,
    each: bool = False,
) -> None:
    """Train on, or with --measure judge by, the studio and wild people of some shards.

    Args:
        data: Folders of shards, or shards.
        epochs: How often every face is learned from.
        out: The file.
        cache: Where faces and the state of training are kept (default: the cache).
        measure: Judge the reader that ships instead.
        each: Judge every action by itself, too.
    """
    folder = cache or cache_dir("reader")
    shards = [shard for path in data for shard in shard_paths(path)]
    known = Known.of(known_faces(shards, folder))
    everybody = torch.arange(len(known.seeds))
    if measure:
        print(report(reader(), known, everybody, each))
        return
    held = known.seeds % HELD_OUT == HELD_OUT - 1
    torch.manual_seed(0)  # of the first weights
    training, state = Training(known, everybody[~held]), folder / "training.safetensors"
    done = training.resume(state) if state.exists() else 0
    for number in range(done, epochs):
        terms = training.epoch(number, epochs)
        training.save(state, number + 1)
        print(f"epoch {number}: {terms}\n{report(training.reader, known, everybody[held])}", flush=True)
    training.settle()
    bound(training.reader, numbers_of(training.reader, known, everybody[held]), known.numbers[held].numpy())
    print(report(training.reader, known, everybody[held], each))
    people = _counted(known, everybody[~held]), _counted(known, everybody[held])
    training.reader.save(out, epochs=epochs, trained_on=people[0], held_out=people[1])
    print(out)


def _counted(known: Known, faces: Sequence[int]) -> dict[str, int]:
    seeds = known.seeds[faces].tolist()
    return {"people": len(set(seeds)), "faces": len(seeds), "first": min(seeds), "last": max(seeds)}


if __name__ == "__main__":
    tyro.cli(main)
