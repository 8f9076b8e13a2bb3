"""An avatar as a rigged mesh for programs that know no Gaussians: its body's skin, joints, facial actions and colours.

A glTF file with one skinned mesh in the T-pose, the body's 55 joints, its facial actions as morph targets with ARKit's
names, and the avatar's colours as a texture (of the vertices, for a body without texture coordinates), unlit, for the
light is in them. The body is pushed out to the cloth and hair on it, and they move as the skin below them; what the
avatar does beyond its body's rig stays behind.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from scipy.spatial.transform import Rotation

from lca_core.body import ACTIONS, JOINT_NAMES, BodyModel
from lca_core.body.driving import full_pose
from lca_core.data.srgb import to_linear
from lca_core.glb_files import INDICES, TRIANGLES, VERTICES, Numbers, write_glb
from lca_core.making.skin import Skin, body_of, painted_skin
from lca_core.model import Avatar
from lca_core.motion.motions import Motion

WEIGHTS = 4  # joints that move a vertex, the most that programs read
_UNLIT = "KHR_materials_unlit"
_MOVED = 1e-5  # metres: what an action moves less stays where it is
_NO_METAL = {"metallicFactor": 0.0}  # for programs that light what is not to be lit


def write_rigged(
    path: Path | str,
    avatar: Avatar,
    motion: Motion | None = None,
    fps: float = 25.0,
    px: int = 2048,
    dressed: bool = True,
) -> None:
    """Write an avatar as a rigged mesh (.glb), atomically. Errors as `body_of`.

    motion: an animation to come with it, of `fps` frames a second; px: the texture's side; dressed: the skin pushed out
    to the cloth and hair on it (`dressing`).
    """
    body, betas = body_of(avatar)
    (skin, colors), numbers = painted_skin(avatar, body, betas, px, dressed), Numbers()
    attributes = _attributes(numbers, skin, body.weights.numpy()[skin.source])
    document = {"materials": [{"name": "skin", "extensions": {_UNLIT: {}}, "pbrMetallicRoughness": _NO_METAL}]}
    if skin.uv is None:
        attributes["COLOR_0"] = numbers.add(to_linear(colors), VERTICES)
    else:
        document = _textured(numbers, colors)
    primitive = {"mode": TRIANGLES, "attributes": attributes, "material": 0}
    primitive["indices"] = numbers.add(skin.faces.astype(np.uint32).reshape(-1), INDICES)
    mesh: dict = {"name": "skin", "primitives": [primitive]}
    if body.exprdirs.shape[-1] == len(ACTIONS):
        primitive["targets"] = _targets(numbers, body, skin)
        mesh |= {"weights": [0.0] * len(ACTIONS), "extras": {"targetNames": list(ACTIONS)}}
    joints = body.rest_joints(betas)[0].numpy()
    nodes = _nodes(joints, body.parents)
    mesh_node = len(nodes)
    nodes.append({"name": "skin", "mesh": 0, "skin": 0})
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
    inverse[:, :3, 3] = -joints
    document |= {
        "extensionsUsed": [_UNLIT],
        "scene": 0,
        "scenes": [{"nodes": [0, mesh_node]}],
        "nodes": nodes,
        "meshes": [mesh],
        "skins": [{"joints": list(range(len(joints))), "skeleton": 0, "inverseBindMatrices": numbers.add(inverse)}],
    }
    if motion is not None:
        target = mesh_node if "targets" in primitive else None
        document["animations"] = [_animation(numbers, motion, fps, joints[0], target)]
    write_glb(path, document, numbers)


def _textured(numbers: Numbers, texture: UInt8[np.ndarray, "px px 3"]) -> dict:
    """A document's material that shows a texture as it is."""
    png = BytesIO()
    Image.fromarray(texture).save(png, "png")
    shown = _NO_METAL | {"baseColorTexture": {"index": 0}}
    return {
        "materials": [{"name": "skin", "extensions": {_UNLIT: {}}, "pbrMetallicRoughness": shown}],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{}],
        "images": [{"mimeType": "image/png", "bufferView": numbers.view(png.getvalue())}],
    }


def _attributes(numbers: Numbers, skin: Skin, weights: Float[np.ndarray, "n 55"]) -> dict[str, int]:
    strongest = np.argsort(-weights, 1, kind="stable")[:, :WEIGHTS]
    share = np.take_along_axis(weights, strongest, 1)
    share = share / share.sum(1, keepdims=True)
    attributes = {
        "POSITION": numbers.add(skin.vertices.astype(np.float32), VERTICES, bounds=True),
        "NORMAL": numbers.add(skin.normals.astype(np.float32), VERTICES),
        "JOINTS_0": numbers.add(np.where(share > 0, strongest, 0).astype(np.uint8), VERTICES),
        "WEIGHTS_0": numbers.add(share.astype(np.float32), VERTICES),
    }
    if skin.uv is not None:
        downward = np.stack([skin.uv[:, 0], 1 - skin.uv[:, 1]], -1)
        attributes["TEXCOORD_0"] = numbers.add(downward.astype(np.float32), VERTICES)
    return attributes


def _targets(numbers: Numbers, body: BodyModel, skin: Skin) -> list[dict[str, int]]:
    """A morph target an action: how far it moves the vertices of the T-pose."""
    moved = body.exprdirs.numpy()[skin.source].transpose(2, 0, 1)
    moved = np.where(np.linalg.norm(moved, axis=-1, keepdims=True) > _MOVED, moved, 0).astype(np.float32)
    return [{"POSITION": numbers.add_sparse(each)} for each in moved]


def _nodes(joints: Float[np.ndarray, "55 3"], parents: list[int]) -> list[dict]:
    """A node a joint, in the T-pose: all axes those of the world."""
    nodes = []
    for number, name in enumerate(JOINT_NAMES):
        offset = joints[number] - (joints[parents[number]] if parents[number] >= 0 else 0)
        node: dict = {"name": name, "translation": offset.astype(float).tolist()}
        if children := [child for child, parent in enumerate(parents) if parent == number]:
            node["children"] = children
        nodes.append(node)
    return nodes


def _animation(
    numbers: Numbers, motion: Motion, fps: float, pelvis: Float[np.ndarray, " 3"], mesh_node: int | None
) -> dict:
    """Rotations of the joints, the pelvis's place and, of a mesh that has them, the facial actions."""
    times = numbers.add((np.arange(len(motion.theta)) / fps).astype(np.float32), bounds=True)
    theta, root, gaze = (torch.as_tensor(x, dtype=torch.float32) for x in (motion.theta, motion.root, motion.gaze))
    pose = full_pose(theta, root, gaze).numpy()
    outputs = [((0, "translation"), (pelvis + motion.root[:, 3:]).astype(np.float32))]
    for joint in np.flatnonzero(pose.any((0, 2))):
        outputs.append(((int(joint), "rotation"), Rotation.from_rotvec(pose[:, joint]).as_quat().astype(np.float32)))
    if mesh_node is not None:
        outputs.append(((mesh_node, "weights"), np.ascontiguousarray(motion.actions, np.float32).reshape(-1)))
    samplers = [{"input": times, "output": numbers.add(values)} for _, values in outputs]
    channels = [{"sampler": i, "target": {"node": node, "path": path}} for i, ((node, path), _) in enumerate(outputs)]
    return {"name": "motion", "samplers": samplers, "channels": channels}
