"""A rigged .glb posed as the glTF 2.0 specification says, by its own numbers alone."""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from tests.glb import accessor, read_glb


class RiggedMesh:
    """The one skinned mesh of a file."""

    def __init__(self, path: Path):
        self.document, self.data = read_glb(path)
        (self.mesh,), (self.skin,) = self.document["meshes"], self.document["skins"]
        (self.primitive,) = self.mesh["primitives"]
        self.attributes = {name: self._numbers(number) for name, number in self.primitive["attributes"].items()}
        self.faces = self._numbers(self.primitive["indices"]).reshape(-1, 3)
        self.names = self.mesh.get("extras", {}).get("targetNames", [])
        targets = self.primitive.get("targets", [])
        self.targets = {name: self._numbers(each["POSITION"]) for name, each in zip(self.names, targets, strict=True)}
        self.nodes = self.document["nodes"]
        self.joints = [self.nodes[number]["name"] for number in self.skin["joints"]]

    def _numbers(self, number: int) -> np.ndarray:
        return accessor(self.document, self.data, number)

    def posed(
        self, rotations: dict[str, np.ndarray], root: np.ndarray | None = None, actions: dict[str, float] | None = None
    ) -> np.ndarray:
        """Vertices [n, 3] with these local rotations (axis-angle), root translation and morph weights."""
        vertices = self.attributes["POSITION"].astype(float)
        for name, amount in (actions or {}).items():
            vertices = vertices + amount * self.targets[name]
        matrices = self._world(rotations, root) @ self._numbers(self.skin["inverseBindMatrices"])
        which, share = self.attributes["JOINTS_0"], self.attributes["WEIGHTS_0"]
        blended = np.einsum("nk,nkij->nij", share, matrices[which])
        return np.einsum("nij,nj->ni", blended[:, :3, :3], vertices) + blended[:, :3, 3]

    def frame(self, number: int) -> np.ndarray:
        """Vertices in a frame of the file's animation."""
        (animation,) = self.document["animations"]
        rotations, root, actions = {}, None, {}
        for channel in animation["channels"]:
            sampler, target = animation["samplers"][channel["sampler"]], channel["target"]
            count, values = len(self._numbers(sampler["input"])), self._numbers(sampler["output"])
            if target["path"] == "weights":
                actions = dict(zip(self.names, values.reshape(count, -1)[number]))
            elif target["path"] == "translation":
                root = values[number]
            else:
                name = self.nodes[target["node"]]["name"]
                rotations[name] = Rotation.from_quat(values[number]).as_rotvec()
        return self.posed(rotations, root, actions)

    def _world(self, rotations: dict[str, np.ndarray], root: np.ndarray | None) -> np.ndarray:
        world: dict[int, np.ndarray] = {}

        def visit(number: int, above: np.ndarray) -> None:
            node, local = self.nodes[number], np.eye(4)
            local[:3, 3] = node.get("translation", [0, 0, 0])
            if node["name"] == self.joints[0] and root is not None:
                local[:3, 3] = root
            local[:3, :3] = Rotation.from_rotvec(rotations.get(node["name"], np.zeros(3))).as_matrix()
            world[number] = above @ local
            for child in node.get("children", []):
                visit(child, world[number])

        for number in self.document["scenes"][0]["nodes"]:
            visit(number, np.eye(4))
        return np.stack([world[number] for number in self.skin["joints"]])
