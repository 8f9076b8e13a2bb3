"""A face in a clip: what lips, lids, brows and irises do, against what is rest in that clip.

One picture cannot tell a wide mouth from a smile, nor a narrow eye from a lid that closes; a clip shows the same face
at rest as well. So a few distances on the face mesh, over the distance of the outer corners of the eyes, are compared
with their own low or high percentiles over the clip. What a whole action changes of them was measured on face crops of
digital humans (jaw, lips), or is anatomy (lids that meet; an eyeball of 12 mm under a slit of 30 mm). Actions that
such distances do not tell stay at rest.

Where there are pictures, the reader of single ones (`lca_core.curation.face_reader`) says more, and more rightly, of
digital humans; it misses blinks of real eyes, which distances over a clip show. So the two are put together.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from lca_core.body import ACTIONS
from lca_core.curation.face_reader import read_faces
from lca_core.curation.faces import aligned
from lca_core.curation.landmarks import calibration
from lca_core.motion.faces import look_actions, settled

# Of the face mesh. Eyes: inner and outer corner, pairs of points of the lids, the iris' middle; brows: inner, outer.
_EYES = {
    "Left": (362, 263, ((386, 374), (385, 380), (387, 373)), 473),
    "Right": (133, 33, ((159, 145), (158, 153), (160, 144)), 468),
}
_BROWS = {"Left": (336, 334), "Right": (107, 105)}
_CORNERS = {"Left": 291, "Right": 61}
_LIPS, _NOSE = (13, 14), 1
_SPAN = (33, 263)  # outer corners of the eyes
_JAW, _CLOSED_LIPS = 0.31, (0.02, 0.1)  # lips part so far, over the span, for a whole jawOpen; and at rest, from and to
_SMILE, _LIFT, _PUCKER = 0.138, 0.065, 0.16  # the mouth widens, its corners rise, it narrows
_RESTING_WIDTH = (0.5, 0.61)  # of a mouth over the span, in nine people of ten
_BARED = 0.3  # of a jaw that opens, by which a smile alone parts the lips
_BROW_UP = 0.07
_LIDS_MEET, _NARROWEST = 0.3, 0.22  # share of the open eye's slit that a closed one has; an open one's, over its width
# Of a whole action, what may be noise and is left out: brows are seen badly, and a face that twitches is worse than one
# that is still.
_NOISE = {"jaw": 0.1, "lids": 0.35, "mouth": 0.3, "brows": 0.6}
_EYEBALL = 2.5  # widths of the slit in a radius of the eyeball: sine of the gaze for a shift of the iris
# Percentiles over a clip: lips that touch or pucker no more, a mouth that does not smile, rest, eyes that are open.
_SHUT, _UNSMILING, _STILL, _OPEN = 10, 30, 50, 85
_GAZE_LIMIT = np.radians(26)


def faces_in_clip(
    meshes: Float[np.ndarray, "F 478 3"],
) -> tuple[Float[np.ndarray, "F 52"], Float[np.ndarray, "F 4"]]:
    """(facial actions in [0, 1], gaze in radians: yaw and pitch of the left eye, then of the right) of face meshes in
    pixels, all of one clip.

    Both eyes are taken to look the same way, and straight ahead for as long as anywhere else.
    """
    mesh = aligned(torch.from_numpy(np.asarray(meshes, np.float32)), calibration().mesh_mean).double().numpy()
    span = _apart(mesh, *_SPAN)
    actions = np.zeros((len(mesh), len(ACTIONS)))

    def put(name: str, values: np.ndarray, noise: float) -> None:
        actions[:, ACTIONS.index(name)] = np.clip((values - noise) / (1 - noise), 0, 1)

    width = _apart(mesh, *_CORNERS.values()) / span
    unsmiling, unpuckered = (np.clip(np.percentile(width, p), *_RESTING_WIDTH) for p in (_UNSMILING, _SHUT))
    wider = width - unsmiling
    put("mouthPucker", (unpuckered - width) / _PUCKER, _NOISE["mouth"])
    raised, smiles = {}, []
    for side, corner in _CORNERS.items():
        lift = _from_rest(_above(mesh, corner, _NOSE) / span, _UNSMILING)
        smiles.append(np.clip(0.7 * wider / _SMILE + 0.3 * lift / _LIFT, 0, 1))
        put(f"mouthSmile{side}", smiles[-1], _NOISE["mouth"])
        inner, outer, lids, _ = _EYES[side]
        slit = np.mean([_apart(mesh, *pair) for pair in lids], 0) / _apart(mesh, inner, outer)
        closed = (1 - slit / max(np.percentile(slit, _OPEN), _NARROWEST)) / (1 - _LIDS_MEET)
        put(f"eyeBlink{side}", closed, _NOISE["lids"])
        brow_inner, brow_outer = _BROWS[side]
        raised[side] = _from_rest(_above(mesh, brow_inner, inner) / span)
        put(f"browOuterUp{side}", _from_rest(_above(mesh, brow_outer, outer) / span) / _BROW_UP, _NOISE["brows"])
    put("browInnerUp", np.mean(list(raised.values()), 0) / _BROW_UP, _NOISE["brows"])
    parted = _apart(mesh, *_LIPS) / span
    opened = (parted - np.clip(np.percentile(parted, _SHUT), *_CLOSED_LIPS)) / _JAW
    put("jawOpen", opened - _BARED * np.mean(smiles, 0), _NOISE["jaw"])
    gaze = _gaze(mesh)
    return settled(np.maximum(actions, look_actions(gaze))), gaze


def faces_followed(
    images: Sequence[np.ndarray], meshes: Float[np.ndarray, "F 478 3"]
) -> tuple[Float[np.ndarray, "F 52"], Float[np.ndarray, "F 4"]]:
    """(facial actions, gaze), as `faces_in_clip`, of a clip's pictures uint8 [H, W, 3] and the face meshes in them.

    Actions are read from each picture; an eye is as closed as the picture or the clip says, and looks where both say on
    average.
    """
    read, seen = read_faces(images, meshes)
    told, looked = faces_in_clip(meshes)
    gaze = ((seen + looked) / 2).astype(np.float32)
    actions = np.where([name.startswith("eyeLook") for name in ACTIONS], look_actions(gaze), read)
    lids = [ACTIONS.index(f"eyeBlink{side}") for side in _EYES]
    actions[:, lids] = np.maximum(read[:, lids], told[:, lids])
    return settled(actions), gaze


def head_turns(meshes: Float[np.ndarray, "F 478 3"]) -> Float[np.ndarray, "F 3"]:
    """How heads are turned from facing the camera: axis-angle; x to their left, y up, z forward."""
    mean = calibration().mesh_mean.double().numpy()
    turns = []
    for mesh in np.asarray(meshes, np.float64):
        a, b = mean - mean.mean(0), mesh - mesh.mean(0)
        turns.append(Rotation.align_vectors(b / np.linalg.norm(b), a / np.linalg.norm(a))[0])
    flip = Rotation.from_rotvec([np.pi, 0, 0])  # from the picture's axes: x right, y down, z away
    return np.stack([(flip * turn * flip.inv()).as_rotvec() for turn in turns]).astype(np.float32)


def _gaze(mesh: Float[np.ndarray, "F 478 3"]) -> Float[np.ndarray, "F 4"]:
    across = mesh[:, _SPAN[1]] - mesh[:, _SPAN[0]]
    across = across / np.linalg.norm(across, axis=1, keepdims=True)
    aside, up = [], []
    for inner, outer, _, iris in _EYES.values():
        shift = (mesh[:, iris] - (mesh[:, inner] + mesh[:, outer]) / 2) / _apart(mesh, inner, outer)[:, None]
        aside.append((shift * across).sum(1))
        up.append(-shift[:, 1])
    angles = []
    for shifts in (aside, up):
        shift = np.mean(shifts, 0)
        angles.append(np.arcsin(np.clip(_EYEBALL * (shift - np.median(shift)), -0.9, 0.9)))
    return np.clip(np.stack(angles * 2, 1), -_GAZE_LIMIT, _GAZE_LIMIT).astype(np.float32)


def _apart(mesh: Float[np.ndarray, "F 478 3"], first: int, second: int) -> Float[np.ndarray, " F"]:
    return np.linalg.norm(mesh[:, first] - mesh[:, second], axis=-1)


def _above(mesh: Float[np.ndarray, "F 478 3"], point: int, other: int) -> Float[np.ndarray, " F"]:
    """How far a point lies above another; meshes have y down."""
    return mesh[:, other, 1] - mesh[:, point, 1]


def _from_rest(values: Float[np.ndarray, " F"], percentile: float = _STILL) -> Float[np.ndarray, " F"]:
    return values - np.percentile(values, percentile)
