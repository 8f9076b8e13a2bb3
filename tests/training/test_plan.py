"""The plan of a run is arithmetic that can be checked on a small profile."""

from dataclasses import replace

import pytest

from lca_core.model import LCA
from lca_core.profiles import PROFILES
from lca_core.training.plan import plan
from tests.body.bodies import free_body
from tests.model.models import FEATURES, TINY


def test_parameters_are_those_of_the_model():
    counted = plan(TINY, FEATURES, free_body())
    assert counted.parameters == sum(p.numel() for p in LCA(TINY, FEATURES, free_body()).parameters())
    assert counted.state_gb == 16 * counted.parameters / 1e9


def test_a_layer_more_costs_what_a_layer_costs_and_batches_cost_in_proportion():
    step = [plan(replace(TINY, depth=depth), FEATURES, free_body()).step_tflop for depth in (2, 3, 4)]
    assert step[2] - step[1] == pytest.approx(step[1] - step[0]) and step[1] > step[0]
    double = plan(replace(TINY, batch_people=2 * TINY.batch_people), FEATURES, free_body())
    assert double.step_tflop == pytest.approx(2 * step[0])


def test_the_papers_size_is_counted_without_being_made():
    counted = plan(PROFILES["paper"], 384 + 784, free_body())
    assert 2e8 < counted.parameters < 2e9 and counted.gpu_hours > 100
    assert "GPU-hours" in counted.text()
