"""How far digital humans' faces move: a few telling expressions from the front, measured by MediaPipe's face mesh.

Even light, 224 pixels, the camera before the face. Lengths are in distances between the eyes (IOD), each eye the middle
between its corners in the neutral picture. The network was not trained on digital humans: with faint brows or
under a fringe its brows stay where they were. So the brows' way is also taken from the geometry,
and what is left of a closed eye from the renderer's parts.
"""

import gc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from lca_core.body import full_pose
from lca_core.body.face_pulls import Face
from lca_core.body.sculpted import calm, sculpted_directions
from lca_core.body.sculpted_file import full_regions
from lca_core.curation import networks
from lca_core.curation.detect import MESH_PX
from lca_core.data import Frame, Person, Picture, write_shard
from lca_core.data.cameras import around, face_crop
from lca_core.data.light import Light, studio_light
from lca_core.data.srgb import to_linear
from lca_core.evaluation.humans import enlarged, skeleton
from lca_core.judges.summaries import Summary, summarise
from lca_core.motion.faces import EMOTIONS, face, looking
from lca_core.motion.poses import standing
from lca_core.paths import cache_dir
from lca_core.people.body.parts import PART_IDS
from lca_core.people.domains.processes import draw_missing
from lca_core.people.domains.rendering import RENDERING, digest_of
from lca_core.people.stage.human import DigitalHuman, full_body
from lca_core.people.stage.render import Stage
from lca_core.people.who.spec import PersonSpec, sample_person

PX, SIDE = 224, 0.23  # pixels of a crop, metres it shows at the face
SAMPLES_PER_PIXEL = 8
DOMAIN = "expressive"
# Faces that are drawn of everybody: facial actions by name.
DRAWN = {
    "neutral": {},
    "smile": {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0},
    "jaw": {"jawOpen": 1.0},
    "blink": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    "brows": {"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0},
    "pucker": {"mouthPucker": 1.0},
    "funnel": {"mouthFunnel": 1.0},
    "frown": {"mouthFrownLeft": 1.0, "mouthFrownRight": 1.0},
} | {name: {name: 1.0} for name in EMOTIONS}
_HEAD_DEPTH, _BELOW_EYES = 0.06, 0.03  # metres from between the eyes to the middle of what a crop shows
# Landmarks of MediaPipe's face mesh; "left" is the person's.
_EYES = {"right": (33, 133), "left": (362, 263)}
_LIDS = {"right": (159, 145), "left": (386, 374)}
_MOUTH_CORNERS, _INNER_LIPS, _OUTER_LIPS = (61, 291), (13, 14), (0, 17)
_BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
_STEADY = (33, 133, 362, 263, 168, 6, 197, 195)  # corners of the eyes and the bridge of the nose


@dataclass(frozen=True)
class Expressiveness:
    """What one person's face does, in IOD unless said otherwise.

    smile_widening: how much wider the mouth gets; smile_lift: how far its corners rise; jaw_opening: between the inner
    lips; lid_closing: opening of the closed lids over that at rest; brow_travel_mesh: mean way of the mesh's brows up;
    neutral_level: height of the mouth's corners over the middle of the lips at rest; brow_travel: mean way up of the
    skin that brows grow on; eye_shown: pixels of the eyes when closed over those at rest; found: share of the faces
    that are not neutral in which the mesh was found. nan where a mesh was missing.
    """

    person: str
    smile_widening: float
    smile_lift: float
    jaw_opening: float
    lid_closing: float
    brow_travel_mesh: float
    neutral_level: float
    brow_travel: float
    eye_shown: float
    found: float


_OF_MESHES = ("smile_widening", "smile_lift", "jaw_opening", "lid_closing", "brow_travel_mesh", "neutral_level")
MEASURES = (*_OF_MESHES, "brow_travel", "eye_shown")


def expressive(spec: PersonSpec, faces: Mapping[str, Mapping[str, float]] = DRAWN) -> Person:
    """Faces of one person, facial actions by name, as a record: body and face are the same picture, in their order.

    Without hat and glasses, which hide what is measured. The eyes look ahead, but where a face is one of the eyes'
    look actions alone.
    """
    spec = replace(spec, hat=None, glasses=None)
    human, stage, frames = DigitalHuman.build(spec), None, []
    theta, root = standing(np.random.default_rng(0), "calm"), np.zeros(6, np.float32)
    bones = skeleton(spec.betas, theta, root, np.zeros(4, np.float32))
    centre = bones.eyes.mean(0) - _HEAD_DEPTH * bones.forward - _BELOW_EYES * bones.up
    corners = centre + SIDE / 2 * np.array([[-1, -1, 0], [1, 1, 0]])
    camera = face_crop(around(corners, 0.0, 0.0, 1.5, PX), centre, PX, SIDE)
    for instant, amounts in enumerate(faces.values()):
        gaze = looking(next(iter(amounts), ""))
        pose = full_pose(*(torch.from_numpy(x) for x in (theta, root, gaze))).numpy()
        actions = sum((face(name, amount) for name, amount in amounts.items()), face("neutral"))
        parts = human.pose(pose, root[3:], actions)
        if stage is None:
            stage = Stage(parts, _exposed(spec))
        else:
            stage.move(parts)
        shot = stage.shoot([camera], SAMPLES_PER_PIXEL, seed=instant, truth=True)[0]
        picture = Picture(shot.image, shot.matte, camera, shot.truth)
        frames.append(Frame(picture, picture, theta, root, gaze, actions, instant, "studio"))
    gc.collect()  # frees the scene, so that the next one finds its compiled kernels again
    meta = {"looks": spec.meta(), "actions": "truth", "licence": "CC0-1.0"}
    return Person(f"{DOMAIN}-{spec.seed:06d}", DOMAIN, spec.seed, spec.betas.astype(np.float32), tuple(frames), meta)


def _exposed(spec: PersonSpec) -> Light:
    """Even light, as much of it as shows any skin well: a photographer's exposure."""
    light, albedo = studio_light(), float(to_linear(np.round(255 * np.array(spec.skin.color))).mean())
    return Light(light.name, light.environment * np.float32(np.clip((0.25 / albedo) ** 0.5, 0.8, 1.7)))


def cached_expressive(seeds: Sequence[int], workers: int = 2, progress: bool = True) -> list[Path]:
    """Shards in the cache with the faces of these people, one person each and in this order, drawn on first use."""
    folder = cache_dir("people", f"{DOMAIN}-{digest_of(RENDERING, PX, SIDE, SAMPLES_PER_PIXEL, DRAWN)}")
    return draw_missing(folder, DOMAIN, seeds, _draw, workers, progress)


def _draw(seed: int, path: Path) -> None:
    write_shard(path, [expressive(sample_person(seed))])


def expressiveness(person: Person) -> Expressiveness:
    """Measure a record that `expressive` made."""
    meshes = {name: _mesh(frame.face.image) for name, frame in zip(DRAWN, person.frames, strict=True)}
    found = float(np.mean([mesh is not None for name, mesh in meshes.items() if name != "neutral"]))
    name = str(person.id if person.seed is None else person.seed)
    eyes = {name: np.sum(f.face.truth.parts == PART_IDS["eye"]) for name, f in zip(DRAWN, person.frames)}
    return Expressiveness(name, *measured(meshes), brow_travel(person.betas), eyes["blink"] / eyes["neutral"], found)


def brow_travel(betas: np.ndarray) -> float:
    """Mean way up, in distances between the eyeballs, of the skin of the brows of a body of this shape [300]."""
    regions, body = full_regions(), full_body()
    rest = calm(body.rest(torch.from_numpy(np.asarray(betas, np.float32))[None])[0].numpy(), regions)
    directions = sculpted_directions(rest, regions, body.exprdirs.numpy())
    x, y = np.abs(regions.offset[:, 0]), regions.offset[:, 1]
    brows = regions.outside & (x > 12) & (x < 46) & (y > 15) & (y < 25) & (regions.offset[:, 2] > 0)
    raised = directions[brows, 1] @ sum(face(name) for name in DRAWN["brows"])
    return float(raised.mean() / Face(rest, regions).eyes_apart)


def measured(meshes: dict[str, np.ndarray | None]) -> tuple[float, ...]:
    """Values of _OF_MESHES from meshes [478, 2] by the names of DRAWN; x to the right and y down."""
    rest = meshes["neutral"]
    if rest is None:
        return (np.nan,) * len(_OF_MESHES)
    apart = _eyes_apart(rest)

    def of(name: str, measure) -> float:
        mesh = meshes[name]
        return float("nan") if mesh is None else measure(_steadied(mesh, rest))

    level = _middle_of_lips(rest) - rest[list(_MOUTH_CORNERS), 1].mean()
    return (
        of("smile", lambda mesh: (_mouth_width(mesh) - _mouth_width(rest)) / apart),
        of("smile", lambda mesh: (rest[list(_MOUTH_CORNERS), 1] - mesh[list(_MOUTH_CORNERS), 1]).mean() / apart),
        of("jaw", lambda mesh: np.linalg.norm(np.subtract(*mesh[list(_INNER_LIPS)])) / apart),
        of("blink", lambda mesh: _opening(mesh) / _opening(rest)),
        of("brows", lambda mesh: (rest[list(_BROWS), 1] - mesh[list(_BROWS), 1]).mean() / apart),
        float(level / apart),
    )


def _mesh(image: np.ndarray) -> np.ndarray | None:
    crop, scale = enlarged(image, MESH_PX)
    mesh = networks.face_mesh(crop)
    return None if mesh is None else mesh[:, :2] / scale


def _eyes_apart(mesh: np.ndarray) -> float:
    left, right = (mesh[list(corners)].mean(0) for corners in _EYES.values())
    return float(np.linalg.norm(left - right))


def _mouth_width(mesh: np.ndarray) -> float:
    return float(np.linalg.norm(np.subtract(*mesh[list(_MOUTH_CORNERS)])))


def _middle_of_lips(mesh: np.ndarray) -> float:
    return float(mesh[list(_INNER_LIPS), 1].mean())


def _opening(mesh: np.ndarray) -> float:
    return float(np.mean([np.linalg.norm(np.subtract(*mesh[list(pair)])) for pair in _LIDS.values()]))


def _steadied(mesh: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """The mesh shifted so that eyes and nose lie where they lay at rest: the network moves them a little."""
    return mesh + (rest[list(_STEADY)] - mesh[list(_STEADY)]).mean(0)


def summaries(people: Iterable[Expressiveness]) -> dict[str, Summary]:
    """Means over people with their intervals, of MEASURES and of face_mesh_rate_extreme."""
    people = list(people)
    generator = np.random.default_rng
    result = {}
    for name in MEASURES:
        values = {one.person: [getattr(one, name)] for one in people if np.isfinite(getattr(one, name))}
        result[name] = summarise(values, generator(0))
    result["face_mesh_rate_extreme"] = summarise({one.person: [one.found] for one in people}, generator(0))
    return result
