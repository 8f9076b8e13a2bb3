"""Which precision a run computes in is timed, and leaves no trace."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.errors import InputError
from lca_core.model import LCA, rows_length
from lca_core.training import Settings, loop, objective, train
from lca_core.training.batches import Part, draw_batch
from lca_core.training.objective import loss_of
from lca_core.training.precision import quicker, time_precisions
from lca_core.training.team import Team
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_examples, tiny_model

AUTO = Settings("posttrain", steps=3, lr=1e-3, warmup=1, lpips_weight=0.0)


@pytest.fixture(scope="module")
def people():
    return painted_examples(2)


def steps_that_take(seconds: dict[str, list[float]]):
    """(a step, its clock, what was stepped)."""
    now, done = [0.0], []

    def step(name: str) -> None:
        now[0] += seconds[name][min(done.count(name), len(seconds[name]) - 1)]
        done.append(name)

    return step, lambda: now[0], done


def test_each_precision_is_timed_after_a_step_that_warms_up():
    step, clock, done = steps_that_take({"float32": [9.0, 2.0], "bfloat16": [3.0, 1.0]})
    assert time_precisions(step, clock) == {"float32": 2.0, "bfloat16": 1.0}
    assert done == ["float32", "float32", "bfloat16", "bfloat16"]


def test_a_hopeless_bfloat16_is_not_tried_twice():
    step, clock, done = steps_that_take({"float32": [1.0], "bfloat16": [6.0]})
    assert time_precisions(step, clock) == {"float32": 1.0, "bfloat16": 6.0}
    assert done.count("bfloat16") == 1


@pytest.mark.parametrize("bfloat16, chosen", [(0.5, "bfloat16"), (1.0, "float32"), (5.9, "float32")])
def test_the_quicker_one_is_chosen(bfloat16, chosen):
    assert quicker({"float32": 1.0, "bfloat16": bfloat16}) == chosen


def test_choosing_leaves_weights_gradients_and_random_states_as_they_were(people):
    model, rng = tiny_model().train(), np.random.default_rng(2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    states = rng.bit_generator.state, torch.get_rng_state()
    found = loop.choose_precision(model, people, AUTO, rng, Team(Part(), torch.device("cpu")))
    assert found["chosen"] in ("float32", "bfloat16") and all(s > 0 for s in found["seconds"].values())
    assert rng.bit_generator.state == states[0] and torch.equal(torch.get_rng_state(), states[1])
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("chosen", ["float32", "bfloat16"])
def test_a_resumed_run_keeps_what_was_chosen(people, tmp_path, monkeypatch, capsys, chosen):
    seconds = {"float32": 1.0, "bfloat16": 2.0 if chosen == "float32" else 0.5}
    monkeypatch.setattr(loop, "time_precisions", lambda step: seconds)
    with pytest.raises(loop.Paused):
        train(tiny_model(), people, AUTO, tmp_path, minutes=1e-9)
    assert f"precision: {chosen}" in capsys.readouterr().err
    monkeypatch.setattr(loop, "time_precisions", lambda step: pytest.fail("timed again"))
    computed = []
    loss_of = objective.loss_of
    monkeypatch.setattr(objective, "loss_of", lambda m, b, s: computed.append(s.precision) or loss_of(m, b, s))
    train(tiny_model(), people, AUTO, tmp_path, resume=True)
    assert computed == 2 * [chosen]
    assert f"precision: {chosen}" in capsys.readouterr().err


def test_a_precision_there_is_not_is_refused(people, tmp_path):
    with pytest.raises(InputError, match="float64"):
        train(tiny_model(), people, Settings("posttrain", 1, 1e-3, precision="float64"), tmp_path)


def test_a_model_that_looks_again_computes_in_bfloat16_too():
    """Looking again leaves the network's precision: the numbers it is handed must, as well."""
    torch.manual_seed(0)
    model = LCA(replace(TINY, gradient_steps=1), rows_length(MeanColour()), free_body())
    batch = draw_batch(painted_examples(2), np.random.default_rng(0), 2, 2, 2, looks=1)
    assert batch.shown is not None
    settings = Settings("pretrain", steps=1, lr=1e-3, precision="bfloat16", lpips_weight=0.0)
    loss, _ = loss_of(model, batch, settings)
    loss.backward()
    gradients = [parameter.grad for parameter in model.gradient_steps.parameters() if parameter.grad is not None]
    assert gradients and all(gradient.isfinite().all() for gradient in gradients)
