"""Body files in SMPL-X's layout: every published one is read right, what does not fit together is refused.

`shapedirs` holds the columns of shape and, after them, those of expression, and nothing in the file says where the
second begin. SMPL-X v1.0 has 10 + 10, v1.1 and its variants 300 + 100 (as the smplx package takes them); files reduced
to the shape alone have 10 or 300.
"""

from pathlib import Path

import numpy as np

from lca_core.body.layout import JOINT_NAMES, PARENTS
from lca_core.errors import InputError
from lca_core.npz_files import read_npz

NEEDED = ("v_template", "f", "shapedirs", "weights", "J_regressor", "kintree_table")
USED = (*NEEDED, "posedirs", "uv", "f_uv", "f_group", "quads", "base_index")
SHAPE_COLUMNS = {10: 10, 20: 10, 300: 300, 400: 300}  # of shapedirs -> of them, shape; the rest is expression
MAX_BYTES = 2**30  # of all arrays together; SMPL-X v1.1 takes a quarter of it
_SUM = 1e-2  # that a vertex's weights may be from 1: float32, and files rounded by others


def read_body_file(path: Path | str) -> dict[str, np.ndarray]:
    """The arrays of a body file that are used, their shapes, indices and numbers checked.

    InputError, naming the file and the array, for a file that cannot be read, lacks an array, is of another layout or
    contradicts itself.
    """
    path = Path(path)
    remedy = "give an .npz in SMPL-X's layout"
    arrays = read_npz(path, USED, MAX_BYTES, "a body file", remedy)
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise InputError(f"{path} is no body file in SMPL-X's layout: it lacks {', '.join(missing)}")
    wrong = _wrong(arrays)
    if wrong:
        raise InputError(f"{path}: {wrong}; {remedy}")
    return arrays


def split_directions(shapedirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(directions of shape [V, 3, S], of expression [V, 3, E]) of a file's `shapedirs`."""
    shape = SHAPE_COLUMNS[shapedirs.shape[-1]]
    return shapedirs[..., :shape], shapedirs[..., shape:]


def _wrong(arrays: dict[str, np.ndarray]) -> str:
    """What does not fit, in a sentence; "" where all does."""
    template, faces, dirs = arrays["v_template"], arrays["f"], arrays["shapedirs"]
    V, J = len(template) if template.ndim else 0, len(JOINT_NAMES)
    if dirs.ndim != 3 or dirs.shape[-1] not in SHAPE_COLUMNS:
        told = ", ".join(f"{n} ({shape} of shape, {n - shape} of expression)" for n, shape in SHAPE_COLUMNS.items())
        return f"shapedirs is {list(dirs.shape)}; SMPL-X's files are [V, 3, S] with S one of {told}"
    if arrays["weights"].ndim == 2 and arrays["weights"].shape[1] != J:
        return f"it has {arrays['weights'].shape[1]} joints; SMPL-X's layout has {J}"
    shapes = {"v_template": (V, 3), "shapedirs": (V, 3, dirs.shape[-1]), "weights": (V, J), "J_regressor": (J, V)}
    if "posedirs" in arrays:
        shapes["posedirs"] = (V, 3, 9 * (J - 1))
    for name, shape in shapes.items():
        found = arrays[name]
        if found.shape != shape or V == 0:
            return f"{name} is {list(found.shape)}, where v_template's {V} vertices and {J} joints want {list(shape)}"
        if found.dtype.kind not in "fiu" or not np.isfinite(found).all():
            return f"{name} holds what is not a finite number"
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iuf" or not len(faces):
        return f"f is {list(faces.shape)} {faces.dtype}, not triangles [F, 3] of whole numbers"
    if (faces != np.round(faces)).any() or faces.min() < 0 or faces.max() >= V:
        return f"f names vertices there are not; there are {V}"
    weights = arrays["weights"]
    if weights.min() < -_SUM or np.abs(weights.sum(1) - 1).max() > _SUM:
        return "weights of a vertex do not add up to 1"
    tree = arrays["kintree_table"]
    if tree.ndim != 2 or tree.shape[0] < 1 or tree.shape[1] != J or tree.dtype.kind not in "iu":
        return f"kintree_table is {list(tree.shape)} {tree.dtype}, not whole numbers [2, {J}]"
    # the pelvis has no parent: -1, or 2^32 - 1 in official files
    other = [i for i in range(1, J) if int(tree[0, i]) != PARENTS[i]]
    if other or 0 <= int(tree[0, 0]) < J:
        i = other[0] if other else 0
        return f"kintree_table hangs {JOINT_NAMES[i]} on joint {int(tree[0, i])}; in SMPL-X's order it is {PARENTS[i]}"
    return ""
