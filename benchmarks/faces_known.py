"""Face crops of digital humans with all that is known of them: what `reader.py` learns from.

Of each shard one file is kept, so that a run that was stopped goes on: the chip of every face in which MediaPipe finds
a mesh, the mesh, true actions and gaze, and where in the chip some vertices of the true face lie.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from lca_core.body import ACTIONS, JOINT_NAMES, BodyModel, full_pose, joint_transforms
from lca_core.body.model import blend
from lca_core.body.sculpted import calm, sculpted_directions
from lca_core.body.sculpted_file import full_regions
from lca_core.curation import networks
from lca_core.curation.face_parts import chip_of
from lca_core.curation.face_reader import READ
from lca_core.data import Frame, Person, read_people
from lca_core.data.cameras import project
from lca_core.people.domains.domains import cast, stream
from lca_core.people.domains.performing import acted
from lca_core.tensor_files import load_tensors, save_tensors

KIND = "lca_core faces known 1"
POINTS = 160  # vertices of the face that are followed; the eyeballs' middles and irises beside them
_MESH_PX = (256, 448)  # crops are enlarged to the first, where no mesh is found to the second
_LIPS, _LIDS = (1, 4, 6, 8), (0, 3, 6)  # rings of `full_regions` that are followed
_MOVES = 1e-3  # metres by which an action must move a vertex that is followed
_IRIS = 0.012  # metres before the eyeball's middle
_MOUTH = (0.03, 0.012)  # metres aside, and behind the lips: vertices there are the mouth's inside
_EYES = [JOINT_NAMES.index(f"{side}_eye_smplhf") for side in ("left", "right")]
_ROWS = [ACTIONS.index(name) for name in READ]


def known_faces(shards: Sequence[Path], cache_folder: Path) -> dict[str, torch.Tensor]:
    """Of all people of these shards, wild or studio: chips uint8 [N, 160, 160, 3], meshes [N, 478, 3] and points
    [N, 164, 2] in the chips' pixels, numbers [N, 48] as the reader gives them, seeds and wild [N]."""
    found = []
    for shard in tqdm(shards, desc="faces", unit="shard"):
        path = cache_folder / f"{shard.parent.name}-{shard.stem}.safetensors"
        if not path.exists():
            rows = [row for person in read_people(shard) for row in _faces_of(person)]
            if not rows:
                continue
            save_tensors(path, KIND, {n: torch.from_numpy(np.stack([row[n] for row in rows])) for n in rows[0]}, {})
        found.append(load_tensors(path, KIND, "delete it, to have it made again")[1])
    return {name: torch.cat([part[name] for part in found]) for name in found[0]}


def _faces_of(person: Person) -> list[dict[str, np.ndarray]]:
    faced = [i for i, frame in enumerate(person.frames) if frame.face is not None]
    if not faced:
        return []
    rows, (points, gaze) = [], _truth(person, faced)
    for i, place, looks in zip(faced, points, gaze):
        picture = person.frames[i].face
        mesh = _mesh_in(picture.image)
        if mesh is None:
            continue
        chip, moved = chip_of(picture.image, mesh)
        ends = mesh[[10, 152], :2], moved[[10, 152], :2]  # forehead and chin tell how the chip was cut
        scale = np.linalg.norm(np.ptp(ends[1], 0)) / np.linalg.norm(np.ptp(ends[0], 0))
        numbers = np.concatenate([person.frames[i].actions[_ROWS], looks])
        rows.append({
            "chips": chip, "meshes": moved, "numbers": numbers.astype(np.float32),
            "points": ((project(picture.camera, place) - ends[0][0]) * scale + ends[1][0]).astype(np.float32),
            "seeds": np.int64(person.seed), "wild": np.bool_(person.domain == "wild"),
        })  # fmt: skip
    return rows


def _mesh_in(crop: np.ndarray) -> np.ndarray | None:
    for px in _MESH_PX:
        mesh = networks.face_mesh(np.asarray(Image.fromarray(crop).resize((px, px), Image.Resampling.BICUBIC)))
        if mesh is not None:
            return mesh * (len(crop) / px)
    return None


def _truth(person: Person, frames: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """(points [F, 164, 3] of the face in the world, gaze [F, 4]) of some frames, before a tracker's errors."""
    spec, taken = cast(person.seed, person.domain), [person.frames[i] for i in frames]
    betas = torch.from_numpy(spec.betas.astype(np.float32))[None]
    if person.domain == "wild":
        clip = acted(stream(person.seed, "wild"), len(person.frames))[1]
        theta, root, gaze = (x[list(frames)] for x in (clip.theta, clip.root, clip.gaze))
    else:
        theta, root, gaze = (np.stack([getattr(frame, n) for frame in taken]) for n in ("theta", "root", "gaze"))
    pose = full_pose(*(torch.from_numpy(np.asarray(x, np.float32)) for x in (theta, root, gaze)))
    if person.domain == "wild":  # on the floor, as whoever recorded them had put them
        body = BodyModel.load()
        root = np.array(root, np.float32)
        root[:, 4] = [-float(body(betas, None, p[None]).vertices[0, :, 1].min()) for p in pose]
    return _points(betas, pose, torch.from_numpy(root[:, 3:]), taken), gaze


def _points(betas: torch.Tensor, pose: torch.Tensor, shift: torch.Tensor, frames: Sequence[Frame]) -> np.ndarray:
    body, regions, index = _full(), full_regions(), followed()
    rest = calm(body.rest(betas)[0].numpy(), regions).astype(np.float32)
    moves = torch.from_numpy(sculpted_directions(rest, regions, body.exprdirs.numpy())[index].astype(np.float32))
    actions = torch.from_numpy(np.stack([frame.actions for frame in frames]))
    shaped = torch.from_numpy(rest[index]) + torch.einsum("vis,bs->bvi", moves, actions)
    joints = body.rest_joints(betas)
    transforms = joint_transforms(joints.expand(len(pose), -1, -1), pose, shift, body.parents)[0]
    turned = transforms[:, _EYES, :3]
    middles = (turned[..., :3] @ joints[0, _EYES, :, None])[..., 0] + turned[..., 3]
    eyes = torch.stack([middles, middles + _IRIS * turned[..., 2]], 2).flatten(1, 2)
    return torch.cat([blend(body.weights[index], transforms, shaped), eyes], 1).numpy()


@cache
def _full() -> BodyModel:
    return BodyModel.load(part="full")


@cache
def followed() -> list[int]:
    """The vertices that are followed: some of lips and lids, and then each time the one farthest from all before, of
    those that an action moves."""
    body, regions = _full(), full_regions()
    rest = calm(body.template.numpy(), regions).astype(np.float32)
    moved = np.linalg.norm(sculpted_directions(rest, regions, body.exprdirs.numpy()), axis=1).max(1)
    lips, lids = np.asarray(regions.lips), np.asarray(regions.lids)
    chosen = list(np.unique(np.concatenate([lips[list(_LIPS), ::2].ravel(), lids[:, list(_LIDS), ::4].ravel()])))
    skin = np.flatnonzero((np.arange(len(rest)) < 13380) & (moved > _MOVES))
    off = np.abs(rest[skin] - rest[lips[7, 19]])
    behind = rest[skin, 2] < rest[lips[7, 19], 2] - _MOUTH[1]
    skin = skin[~((off[:, :2] < _MOUTH[0]).all(1) & behind)]
    far = np.linalg.norm(rest[skin][:, None] - rest[chosen], axis=2).min(1)
    while len(chosen) < POINTS:
        chosen.append(skin[far.argmax()])
        far = np.minimum(far, np.linalg.norm(rest[skin] - rest[chosen[-1]], axis=1))
    return sorted(int(vertex) for vertex in chosen)
