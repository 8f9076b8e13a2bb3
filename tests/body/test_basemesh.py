"""MakeHuman's base mesh: the one reader of base.obj, and what is kept of it."""

import numpy as np

from lca_core.body import basemesh

SMALL = """# a comment
v 0 0 0
vt 0.0 0.5
vt 1.0 0.5 0.0
vt 0.25 0.75
vt 0.5 0.5
g body
f 1/1 2/2 3/3 4/4
g helper-l-eye
f 4/4 3/3 2/2 5/1
"""


def test_a_base_mesh_is_read_with_its_groups_and_both_kinds_of_corners(tmp_path):
    path = tmp_path / "base.obj"
    path.write_text(SMALL)
    groups, quads, uv_quads, uvs = basemesh.read_base_obj(path)
    assert groups.tolist() == ["body", "helper-l-eye"]
    assert quads.tolist() == [[0, 1, 2, 3], [3, 2, 1, 4]] and uv_quads.tolist() == [[0, 1, 2, 3], [3, 2, 1, 0]]
    np.testing.assert_array_equal(uvs, np.float32([[0, 0.5], [1, 0.5], [0.25, 0.75], [0.5, 0.5]]))


def test_the_kept_mesh_is_the_file_that_was_read():
    groups, quads, uv_quads, uvs = basemesh.read_base_obj(basemesh.mesh_data() / "3dobjs" / "base.obj")
    mesh = basemesh.load()
    np.testing.assert_array_equal(mesh.quads, quads)
    np.testing.assert_array_equal(mesh.source_uv, uvs[uv_quads])
    assert [mesh.names[number] for number in mesh.group] == groups.tolist()


def test_groups_are_selected_by_name_or_beginning():
    mesh = basemesh.load()
    groups = np.array(mesh.names)[mesh.group]
    assert set(groups[mesh.select("body", "helper-tights")]) == {"body", "helper-tights"}
    assert set(groups[mesh.select("helper-*-eye")]) == set(), "a star stands at the end only"
    assert {"helper-l-eye", "helper-r-eye"} < set(groups[mesh.select("helper-*")])
    assert len(mesh.select("nothing")) == 0


def test_charts_stay_in_the_texture_and_only_the_bodys_are_moved():
    mesh = basemesh.load()
    body = mesh.select("body")
    assert 0 <= mesh.uv[body].min() and mesh.uv[body].max() <= 1
    assert np.abs(mesh.uv[body] - mesh.source_uv[body]).max() > 0.1
    others = np.setdiff1d(np.arange(len(mesh.quads)), body)
    np.testing.assert_array_equal(mesh.uv[others], mesh.source_uv[others])
