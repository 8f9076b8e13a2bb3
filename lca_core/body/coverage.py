"""Where a body is covered with Gaussians, and how finely: a table by region, for `sample_anchors`.

"skin" is the first generation's: what a body file in SMPL-X's layout has, finer on head and hands. "whole" covers what
people look at and what stands out: lips and lids at about 2 mm, the front of the face at 3, teeth, tongue and lashes,
and, off the skin, the shells that the free body brings for hair and skirts. On a body without these it covers the rest.
"""

import os

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch.nn import functional as F

from lca_core.body.layout import ACTIONS, HAND_JOINTS, JOINT_NAMES
from lca_core.body.model import BodyModel

COVERAGES = ("skin", "whole")
SHELLS = ("helper-hair", "helper-skirt")  # groups of the free body's mesh that lie off the skin

# How much finer than the trunk's skin points lie, as a factor on their spacing.
_BY_JOINT = {
    "skin": {"head": 1.8, "jaw": 1.8, "left_eye_smplhf": 3.0, "right_eye_smplhf": 3.0},
    "whole": {"head": 1.6, "jaw": 1.6, "left_eye_smplhf": 3.5, "right_eye_smplhf": 3.5},
}
_FINGERS, _WRISTS = 1.8, 1.4
_BY_GROUP = {
    "helper-upper-teeth": 2.2, "helper-lower-teeth": 2.2, "helper-tongue": 1.6, "helper-l-eyelashes-1": 2.5,
    "helper-l-eyelashes-2": 2.5, "helper-r-eyelashes-1": 2.5, "helper-r-eyelashes-2": 2.5, "helper-hair": 0.75,
    "helper-skirt": 0.5,
}  # fmt: skip
_UNCOVERED = ("helper-tights", "helper-genital", "joint-")  # groups that are no part of a person to be seen
_EYES, _MOUTH = ("helper-l-eye", "helper-r-eye"), ("helper-upper-teeth", "helper-lower-teeth", "helper-tongue")
_SEEN_BEHIND = {"skin": 0.04, "eyes": 0.012, "mouth": 0.006}  # metres: cloth and hair leave the skin, lips hide teeth
_FACE, _FEATURES = 3.6, 5.0  # the front of the face; lips and lids
_LIPS, _LIDS = ("mouthRollUpper", "mouthRollLower"), ("eyeBlinkLeft", "eyeBlinkRight")
_MOVED = 0.3  # of the most that an action moves anything: what it moves further is its region
_FRONT = {"width": 0.065, "up": 0.045, "down": 0.125, "back": 0.03}  # metres about the point between the eyes


def fineness(body: BodyModel, coverage: str = "skin") -> Float[np.ndarray, " F"]:
    """How much finer than on the trunk points are to lie in each triangle; 0 where none are wanted.

    ValueError when `coverage` is none of COVERAGES.
    """
    if coverage not in COVERAGES:
        raise ValueError(f"{coverage!r} is no coverage; choose one of {', '.join(COVERAGES)}")
    factors = _BY_JOINT[coverage] | dict.fromkeys(HAND_JOINTS, _FINGERS)
    factors |= dict.fromkeys(("left_wrist", "right_wrist"), _WRISTS)
    by_joint = np.array([factors.get(name, 1.0) for name in JOINT_NAMES])
    at_vertex = body.weights.numpy().astype(np.float64) @ by_joint
    if coverage == "skin":
        return at_vertex[body.faces.numpy()].mean(1)
    at_vertex = np.where(_front_of_face(body), _FACE, at_vertex)
    at_vertex = np.where(_moved_by(body, _LIPS + _LIDS), _FEATURES, at_vertex)
    in_face = at_vertex[body.faces.numpy()].mean(1)
    for number, name in enumerate(groups := _groups(body)):
        if name in _BY_GROUP or name.startswith(_UNCOVERED):
            in_face[number] = _BY_GROUP.get(str(groups[number]), 0.0)
    return in_face


def body_for(coverage: str) -> BodyModel:
    """The body that a coverage lies on: the one `BodyModel.load` gives, for "whole" with every part of the free body's
    mesh and its sculpted face (where LCA_BODY names another body, that one)."""
    if coverage == "skin" or os.environ.get("LCA_BODY"):
        return BodyModel.load()
    return BodyModel.load(part="full", sculpted=True)


def on_shell(body: BodyModel) -> Bool[torch.Tensor, " F"]:
    """Which triangles lie off the skin."""
    return torch.from_numpy(np.isin(_groups(body), SHELLS))


def seen_behind(body: BodyModel) -> Float[torch.Tensor, " F"]:
    """How far behind what is nearest to a camera a point of each triangle may lie and count as seen, metres."""
    groups = _groups(body)
    metres = np.full(len(groups), _SEEN_BEHIND["skin"], np.float32)
    metres[np.isin(groups, _EYES)], metres[np.isin(groups, _MOUTH)] = _SEEN_BEHIND["eyes"], _SEEN_BEHIND["mouth"]
    return torch.from_numpy(metres)


def _groups(body: BodyModel) -> np.ndarray:
    """The group's name of each triangle; "body" where the file tells none."""
    return body.extra.get("f_group", np.full(len(body.faces), "body"))


def _front_of_face(body: BodyModel) -> np.ndarray:
    """bool [V]: skin that faces forward from the chin to the brows."""
    v = body.template.double()
    corners = v[body.faces]
    flat = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = torch.zeros_like(v).index_add(0, body.faces.flatten(), flat.repeat_interleave(3, 0))
    forward = F.normalize(normals, dim=-1)[:, 2] > 0.15
    eyes = body.J_template[[JOINT_NAMES.index(f"{side}_eye_smplhf") for side in ("left", "right")]].double().mean(0)
    x, y, z = (v - eyes).unbind(-1)
    near = (x.abs() < _FRONT["width"]) & (y < _FRONT["up"]) & (y > -_FRONT["down"]) & (z > -_FRONT["back"])
    return (near & forward).numpy() & _is_skin(body)


def _moved_by(body: BodyModel, actions: tuple[str, ...]) -> np.ndarray:
    """bool [V]: skin that any of these facial actions moves far; nothing for a body without the 52."""
    found = np.zeros(len(body.template), bool)
    if body.exprdirs.shape[-1] == len(ACTIONS):
        moved = body.exprdirs.norm(dim=1).numpy()
        for action in actions:
            by = moved[:, ACTIONS.index(action)]
            found |= by > _MOVED * by.max()
    return found & _is_skin(body)


def _is_skin(body: BodyModel) -> np.ndarray:
    skin = np.zeros(len(body.template), bool)
    skin[body.faces.numpy()[_groups(body) == "body"]] = True
    return skin
