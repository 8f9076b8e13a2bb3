"""The graph of nodes: everything that carries cloth hangs on near nodes, and legs apart from each other."""

import pytest
import torch

from lca_core.body import JOINT_NAMES, Anchors, sample_anchors
from lca_core.body.nodes import CARRIERS, COARSE, NODES, NodeGraph, carriers
from tests.body.bodies import free_body, full_body

LEGS = {side: [JOINT_NAMES.index(f"{side}_{joint}") for joint in ("hip", "knee")] for side in ("left", "right")}


@pytest.fixture(scope="module")
def anchors() -> Anchors:
    return sample_anchors(full_body(), 256, 8, "whole")


@pytest.fixture(scope="module")
def graph(anchors) -> NodeGraph:
    return NodeGraph.of(anchors)


def test_points_hang_on_near_nodes_with_shares_that_sum_to_one(anchors, graph):
    places = anchors.points.flatten(0, 1)[graph.points]
    assert graph.near.shape == graph.share.shape and len(graph.places) == NODES
    torch.testing.assert_close(graph.share.sum(-1), torch.ones(len(places)))
    assert (graph.share > 0).all()
    distance = (graph.places[graph.near] - places[:, None]).norm(dim=-1)
    assert (graph.share * distance).sum(-1).quantile(0.95) < 0.15
    torch.testing.assert_close(graph.places, anchors.points.flatten(0, 1)[graph.nodes])
    assert (graph.share.amax(-1)[torch.isin(graph.points, graph.nodes)] > 0.4).all()


def test_trunk_and_limbs_hang_on_it_and_head_hands_and_feet_do_not(anchors, graph):
    weights = anchors.weights.flatten(0, 1)
    others = [JOINT_NAMES.index(name) for name in ("head", "left_index2", "right_thumb3", "left_foot", "jaw")]
    assert not (weights[graph.points][:, others] > 0.5).any()
    rest = torch.ones(len(weights), dtype=torch.bool).index_fill_(0, graph.points, False)
    assert not (weights[rest][:, carriers()].sum(-1) > 0.5).any()
    assert set(CARRIERS) <= set(JOINT_NAMES)


def test_no_skin_of_one_leg_hangs_on_nodes_of_the_other(anchors, graph):
    """Well below the crotch."""
    weights, shell = anchors.weights.flatten(0, 1), anchors.shell.flatten()
    low = anchors.points.flatten(0, 1)[graph.points, 1] < -0.5
    skin = ~shell[graph.points] & low
    left, right = (weights[:, numbers].sum(-1) for numbers in LEGS.values())
    wrong = (left > right)[graph.points][:, None] != (left > right)[graph.nodes][graph.near]
    across = (graph.share * (wrong & ~graph.shell[graph.near])).sum(-1)
    assert skin.sum() > 50 and across[skin].max() < 1e-3


def test_shell_and_skin_hang_on_nodes_of_their_own(anchors, graph):
    shell = anchors.shell.flatten()[graph.points]
    assert shell.sum() > 30 and graph.shell.sum() > 5
    of_shell = (graph.share * graph.shell[graph.near]).sum(-1)
    assert of_shell[shell].mean() > 0.9 and of_shell[~shell].mean() < 0.1


def test_coarse_nodes_are_the_first_and_edges_join_near_ones_on_both_levels(graph):
    assert graph.parents.max() == COARSE - 1 and set(graph.parents.unique().tolist()) == set(range(COARSE))
    torch.testing.assert_close(graph.parent_share.sum(-1), torch.ones(NODES))
    assert (graph.edges[:, 0] < graph.edges[:, 1]).all() and len(graph.edges.unique(dim=0)) == len(graph.edges)
    length = (graph.places[graph.edges[:, 0]] - graph.places[graph.edges[:, 1]]).norm(dim=-1)
    coarse = (graph.edges < COARSE).all(-1)
    assert length.max() < 0.5 and length[coarse].mean() > 1.3 * length[~coarse].mean()
    joined = torch.zeros(NODES, dtype=torch.bool).index_fill_(0, graph.edges.flatten(), True)
    assert joined.all()


def test_weights_spread_in_space_reach_the_other_leg_and_the_pelvis(anchors, graph):
    torch.testing.assert_close(graph.diffused.sum(-1), torch.ones(NODES))
    own = anchors.weights.flatten(0, 1)[graph.nodes][:, carriers()]
    hips = [CARRIERS.index(f"{side}_hip") for side in ("left", "right")]
    between = graph.shell & (graph.places[:, 1] > -0.6) & (graph.places[:, 1] < -0.3)
    assert between.sum() > 2
    assert graph.diffused[between][:, hips].amin(-1).mean() > own[between][:, hips].amin(-1).mean() + 0.02
    assert (graph.diffused[between][:, CARRIERS.index("pelvis")] > 0).all()


def test_the_same_anchors_give_the_same_graph(anchors, graph):
    again = NodeGraph.of(anchors)
    assert all(torch.equal(getattr(graph, name), getattr(again, name)) for name in vars(graph))


def test_small_bodies_have_fewer_nodes_and_too_small_ones_none():
    few = NodeGraph.of(sample_anchors(free_body(), 32, 2))
    assert 2 <= len(few.places) < 20
    with pytest.raises(ValueError, match="too few"):
        NodeGraph.of(sample_anchors(free_body(), 2, 2))
