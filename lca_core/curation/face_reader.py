"""Facial actions and gaze read from a picture of a face: a small network that looks at both eyes and the mouth.

It was trained on digital humans, whose faces are known exactly (`benchmarks/reader.py`), to be wrong by as little as
possible in the mean: what it cannot tell it leaves at rest. The eyes' look actions follow from gaze and lids.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lca_core.body import ACTIONS
from lca_core.body.driving import GAZE
from lca_core.curation.face_parts import EYE_PX, MOUTH_PX, Parts, Places, chip_of, parts_of, places_of
from lca_core.curation.landmarks import calibration
from lca_core.motion.faces import look_actions, settled
from lca_core.tensor_files import load_tensors, save_tensors
from lca_core.threads import torch_on_one_thread

FILE = Path(__file__).with_name("face_reader.safetensors")
KIND = "lca_core face reader 1"
READ = tuple(name for name in ACTIONS if not name.startswith("eyeLook"))
SHAPE_AXES = 32
CHANNELS = (16, 32, 64, 96)
_EYE, _MOUTH, _HIDDEN = 96, 128, 160
_DROPPED = 0.1
_BATCH = 64  # faces that are read at once


class FaceReader(nn.Module):
    """The network. shape_axes [1434, 32]: what of a face mesh's shape it is told; gain, floor [44]: an action is
    clip(gain (found - floor), 0, 1), found the network's number: chosen on people it was not trained on."""

    def __init__(self):
        super().__init__()
        self.eye, self.mouth = _trunk(EYE_PX, _EYE), _trunk(MOUTH_PX, _MOUTH)
        told = 2 * _EYE + _MOUTH + 3 + SHAPE_AXES
        self.answer = nn.Sequential(
            nn.Dropout(_DROPPED), nn.Linear(told, _HIDDEN), nn.ReLU(), nn.Dropout(_DROPPED),
            nn.Linear(_HIDDEN, len(READ) + GAZE),
        )  # fmt: skip
        self.register_buffer("shape_axes", torch.zeros(3 * 478, SHAPE_AXES))
        self.register_buffer("gain", torch.ones(len(READ)))
        self.register_buffer("floor", torch.zeros(len(READ)))

    def seen(self, parts: Parts) -> tuple[Float[Tensor, "B 2 96"], Float[Tensor, "B 128"]]:
        """What the network makes of (eyes, mouths)."""
        eyes = self.eye(parts.eyes.flatten(0, 1)).unflatten(0, (-1, 2))
        return eyes, self.mouth(parts.mouth)

    def told(self, places: Places) -> Float[Tensor, "B 35"]:
        """Where faces look and what shape they have, as the network is told."""
        return torch.cat([places.ahead, places.shape.flatten(1) @ self.shape_axes], 1)

    def forward(
        self, eyes: Float[Tensor, "B 2 96"], mouths: Float[Tensor, "B 128"], told: Float[Tensor, "B 35"]
    ) -> Float[Tensor, "B 48"]:
        """Actions in the order of `READ`, not bounded yet, and gaze in radians."""
        return self.answer(torch.cat([eyes.flatten(1), mouths, told], 1))

    def numbers(self, parts: Parts, places: Places) -> Float[Tensor, "B 48"]:
        """The mean of what is read from faces and from their mirror images."""
        way, mirrored = (self(*self.seen(p), self.told(w)) for p, w in ((parts, places), mirror(parts, places)))
        return (way + mirrored_numbers(mirrored)) / 2

    def save(self, path: Path | str = FILE, **header: object) -> None:
        """Write the file, half precision, atomically; header: who it was trained on and how."""
        save_tensors(path, KIND, {name: t.half() for name, t in _kept(self).items()}, header)

    @classmethod
    def load(cls, path: Path | str = FILE) -> "FaceReader":
        """Read it; InputError for a file of another kind or shape."""
        _, tensors = load_tensors(path, KIND, "install the package again, or make it with benchmarks/reader.py")
        reader = cls()
        reader.load_state_dict({name: t.float() for name, t in tensors.items()}, strict=False)
        return reader.eval()


def _kept(reader: FaceReader) -> dict[str, Tensor]:
    return {name: t for name, t in reader.state_dict().items() if t.is_floating_point()}


def _trunk(px: int, out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip((3, *CHANNELS), CHANNELS):
        layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    side = px // 2 ** len(CHANNELS)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(CHANNELS[-1] * side**2, out), nn.ReLU())


@cache
def mirrored_actions() -> Int[Tensor, "44"]:
    """For every action of `READ` the number of the one of the other side."""
    return torch.tensor([READ.index(_other(name)) for name in READ])


def _other(name: str) -> str:
    for a, b in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(a):
            return name.removesuffix(a) + b
    return name


@cache
def mirrored_points() -> Int[Tensor, "478"]:
    """For every point of the face mesh the one that lies where its mirror image does."""
    mean = calibration().mesh_mean
    return torch.cdist((mean - mean.mean(0)) * torch.tensor([-1.0, 1, 1]), mean - mean.mean(0)).argmin(1)


def mirror(parts: Parts, places: Places) -> tuple[Parts, Places]:
    """The same faces in a mirror."""
    shape = places.shape[:, mirrored_points()] * torch.tensor([-1.0, 1, 1])
    flipped = Parts(parts.eyes.flip(1), parts.mouth.flip(-1))
    return flipped, places._replace(ahead=places.ahead * torch.tensor([-1.0, 1, 1]), shape=shape)


def mirrored_numbers(numbers: Float[Tensor, "B 48"]) -> Float[Tensor, "B 48"]:
    """Actions and gaze as of the faces in the mirror."""
    actions, gaze = numbers[:, : len(READ)], numbers[:, len(READ) :]
    return torch.cat([actions[:, mirrored_actions()], gaze[:, [2, 3, 0, 1]] * torch.tensor([-1.0, 1, -1, 1])], 1)


@cache
def reader() -> FaceReader:
    """The one that ships."""
    return FaceReader.load()


@torch_on_one_thread()
@torch.no_grad()
def read_faces(
    images: Sequence[np.ndarray], meshes: Sequence[np.ndarray]
) -> tuple[Float[np.ndarray, "F 52"], Float[np.ndarray, "F 4"]]:
    """(facial actions float32 [F, 52] in [0, 1], gaze [F, 4] radians) of faces in pictures uint8 [H, W, 3], each with
    its face mesh [478, 3] in the picture's pixels. Every picture is read alone."""
    numbers = [np.zeros((0, len(READ) + GAZE), np.float32)]
    for start in range(0, len(images), _BATCH):
        some = slice(start, start + _BATCH)
        chips, moved = zip(*(chip_of(*pair) for pair in zip(images[some], meshes[some], strict=True)))
        places = places_of(torch.from_numpy(np.stack(moved)))
        numbers.append(reader().numbers(parts_of(torch.from_numpy(np.stack(chips)), places), places).numpy())
    return faces_of(np.concatenate(numbers), reader())


def faces_of(
    numbers: Float[np.ndarray, "F 48"], network: FaceReader
) -> tuple[Float[np.ndarray, "F 52"], Float[np.ndarray, "F 4"]]:
    """(actions, gaze) that the network's numbers mean."""
    gaze = numbers[:, len(READ) :]
    found = (network.gain.numpy() * (numbers[:, : len(READ)] - network.floor.numpy())).clip(0, 1)
    actions = look_actions(gaze)
    actions[:, [ACTIONS.index(name) for name in READ]] = found
    return settled(actions), gaze
