"""Body files: every published layout is read right, and what contradicts itself is refused."""

import numpy as np
import pytest

from lca_core.body import BodyModel, files
from lca_core.body.layout import PARENTS
from lca_core.errors import InputError

V = 5


def body_arrays(columns: int = 20) -> dict[str, np.ndarray]:
    """A body of five vertices; column i of shapedirs is i + 1 everywhere."""
    rng = np.random.default_rng(0)
    return {
        "v_template": rng.random((V, 3)), "f": np.array([[0, 1, 2], [2, 3, 4]], np.uint32),
        "shapedirs": np.broadcast_to(np.arange(1.0, columns + 1), (V, 3, columns)).copy(),
        "posedirs": np.zeros((V, 3, 486)), "weights": np.eye(V, 55), "J_regressor": np.full((55, V), 1 / V),
        "kintree_table": np.array([[2**32 - 1, *PARENTS[1:]], range(55)], np.uint32),
    }  # fmt: skip


def saved(path, **changes):
    np.savez(path, **(body_arrays() | changes))
    return path


@pytest.mark.parametrize("columns, shape, expression", [(10, 10, 0), (20, 10, 10), (300, 300, 0), (400, 300, 100)])
def test_each_published_layout_has_its_shapes_and_its_expressions(tmp_path, columns, shape, expression):
    body = BodyModel.load(saved(tmp_path / "body.npz", shapedirs=body_arrays(columns)["shapedirs"]))
    assert body.shapedirs[0, 0].tolist() == list(range(1, shape + 1))
    assert body.exprdirs[0, 0].tolist() == list(range(shape + 1, shape + expression + 1))


def nan_at(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flat[3] = np.nan
    return array


def hung_elsewhere() -> np.ndarray:
    tree = body_arrays()["kintree_table"]
    tree[0, 18] = 3
    return tree


INCONSISTENT = {
    "shapedirs is": {"shapedirs": np.zeros((V, 3, 16))},
    "S one of": {"shapedirs": np.zeros((V, 3, 310))},
    "joints want": {"shapedirs": np.zeros((V + 1, 3, 20))},
    "v_template is": {"v_template": np.zeros((V, 2))},
    "J_regressor is": {"J_regressor": np.zeros((24, V))},
    "posedirs is": {"posedirs": np.zeros((V, 3, 207))},
    "posedirs holds": {"posedirs": nan_at(np.zeros((V, 3, 486)))},
    "weights holds": {"weights": nan_at(np.eye(V, 55))},
    "do not add up": {"weights": np.eye(V, 55) * 0.5},
    "vertices there are not": {"f": np.array([[0, 1, V]])},
    "not triangles": {"f": np.array([[0, 1, 2, 3]])},
    "kintree_table is": {"kintree_table": np.zeros((2, 24), np.int64)},
    "hangs left_elbow on joint 3": {"kintree_table": hung_elsewhere()},
}


@pytest.mark.parametrize("message", INCONSISTENT)
def test_a_file_that_contradicts_itself_is_refused_by_name(tmp_path, message):
    with pytest.raises(InputError, match=f"body.npz.*{message}"):
        BodyModel.load(saved(tmp_path / "body.npz", **INCONSISTENT[message]))


def test_a_file_that_claims_gigabytes_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 2**20)
    arrays = body_arrays() | {"posedirs": np.zeros((2**18, 1))}
    np.savez_compressed(tmp_path / "body.npz", **arrays)
    monkeypatch.setattr(np, "load", None)
    with pytest.raises(InputError, match="body.npz claims"):
        BodyModel.load(tmp_path / "body.npz")
