"""The training loop: it learns, it goes on exactly where it stopped, and it writes down what it did."""

import csv
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lca_core.errors import InputError
from lca_core.model import LCA
from lca_core.paths import REPOSITORY
from lca_core.training import Paused, Settings, load_model, objective, states, train
from lca_core.training.batches import draw_batch
from lca_core.training.objective import loss_of
from lca_core.training.states import Run, State, check_same_run, newest_state
from lca_core.training.template import fit_template
from lca_core.training.validation import Validation
from tests.body.bodies import free_body
from tests.training import together
from tests.training.subjects import TINY, painted_examples, tiny_model

PRETRAIN = Settings("pretrain", steps=6, lr=1e-3, warmup=1, template_steps=2, lpips_views=1, precision="bfloat16")
POSTTRAIN = Settings("posttrain", steps=6, lr=1e-3, gamma=0.0, warmup=1, lpips_weight=0.0, precision="float32")

TIMES = ("seconds", "seconds_left")


@pytest.fixture(scope="module")
def people():
    return painted_examples(2)


def rows(out) -> list[dict[str, str]]:
    with (out / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def without_times(out) -> list[dict[str, str]]:
    """What a run that is the same has the same."""
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows(out)]


def interrupted(people, settings, out, after: int) -> None:
    """Train until `after` steps (a power of two) are done and saved, then stop as a Ctrl-C does."""

    def watch(done, model):
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny_model(), people, settings, out, checkpoint_minutes=0, watch=watch)


@pytest.fixture(scope="module")
def posttrained(people, tmp_path_factory):
    """(folder, model) of a whole run with gamma = 0."""
    out = tmp_path_factory.mktemp("posttrained")
    return out, train(tiny_model(), people, POSTTRAIN, out, meta={"stage": "posttrain", "people": ["a", "b"]})


def assert_same_weights(one, other) -> None:
    expected, found = (load_file(out / "weights.safetensors") for out in (one, other))
    assert expected.keys() == found.keys()
    for name in expected:
        assert torch.equal(expected[name], found[name]), name


def test_training_lowers_the_loss(people, tmp_path):
    settings = Settings("pretrain", steps=30, lr=3e-3, warmup=2, lpips_weight=0.0, precision="float32")
    model = train(tiny_model(), people, settings, tmp_path)
    losses = np.array([float(row["loss"]) for row in rows(tmp_path)])
    assert losses[-5:].mean() < 0.8 * losses[:5].mean()
    assert not model.training


def test_every_parameter_is_taught(people):
    """None is left out of the forward pass, none is cut off from the loss."""
    model = tiny_model()
    with torch.no_grad():
        for parameter in model.parameters():  # some last layers start at zero and block those before them
            parameter.add_(0.05 * torch.randn_like(parameter))
    rng = np.random.default_rng(0)
    loss, _ = loss_of(model, draw_batch(people, rng, 2, 2, 2), replace(PRETRAIN, lpips_weight=0.0, precision="float32"))
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


AVERAGED = replace(POSTTRAIN, ema=0.5, accumulate=2)


@pytest.mark.parametrize(
    "settings", [PRETRAIN, POSTTRAIN, AVERAGED], ids=["pretrain", "decoders alone", "averaged and accumulated"]
)
def test_a_resumed_run_is_bitwise_the_run_that_did_not_stop(people, tmp_path, settings):
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    train(tiny_model(), people, settings, straight)
    interrupted(people, settings, stopped, after=4)
    assert not (stopped / "weights.safetensors").exists()
    # Another start: nothing of it may be left after resuming.
    train(tiny_model(seed=9), people, settings, stopped, resume=True)
    assert_same_weights(straight, stopped)
    assert without_times(straight) == without_times(stopped)


KILLED = """
import os, signal, sys
from tests.training.subjects import painted_examples, tiny_model
from tests.training.test_loop import PRETRAIN
from lca_core.training import train

def watch(done, model):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)

train(tiny_model(), painted_examples(2), PRETRAIN, sys.argv[1], checkpoint_minutes=0, watch=watch)
"""


def test_a_run_killed_in_the_middle_goes_on_to_the_same_weights(tmp_path):
    """kill -9 leaves no time to tidy up; what was last saved is enough, and nothing is left beside it."""
    (tmp_path / "run.py").write_text(KILLED)
    killed, straight = tmp_path / "killed", tmp_path / "straight"
    command = [sys.executable, tmp_path / "run.py", killed]
    ended = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, timeout=300)
    assert ended.returncode == -signal.SIGKILL
    assert not (killed / "weights.safetensors").exists()
    train(tiny_model(seed=9), painted_examples(2), PRETRAIN, killed, resume=True)
    train(tiny_model(), painted_examples(2), PRETRAIN, straight)
    assert_same_weights(straight, killed)
    assert without_times(straight) == without_times(killed)
    made = {path.name for path in straight.iterdir()}
    assert {path.name for path in killed.iterdir()} == made | {"state_before.safetensors"}


def test_the_log_has_every_step_once_after_a_crash_between_checkpoints(people, tmp_path):
    """Steps done after the last checkpoint were logged, the last only by half; the resumed run does them again."""
    interrupted(people, POSTTRAIN, tmp_path, after=4)
    with (tmp_path / "log.csv").open("a") as log:
        log.write("4,0.5,,,,,,,,,,,,,0.1\n5,0.4")
    train(tiny_model(), people, POSTTRAIN, tmp_path, resume=True)
    assert [row["step"] for row in rows(tmp_path)] == [str(step) for step in range(6)]
    assert all(float(row["loss"]) > 0 and float(row["lr"]) > 0 for row in rows(tmp_path))


def test_the_terms_of_the_loss_are_logged_and_add_up(people, tmp_path):
    train(tiny_model(), people, replace(PRETRAIN, steps=2), tmp_path)
    for row in rows(tmp_path):
        numbers = {k: float(v) for k, v in row.items() if v and k not in ("step", "lr", "grad_norm", *TIMES)}
        assert {"l1_body_cano", "l1_body_driven", "lpips_body_driven", "acap", "asap", "size"} <= numbers.keys()
        total = numbers.pop("loss")
        assert sum(numbers.values()) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("change", [{"lr": 2e-3}, {"steps": 7}, {"seed": 1}, {"gamma": 0.65}])
def test_a_run_is_not_resumed_with_other_settings(people, tmp_path, change):
    interrupted(people, POSTTRAIN, tmp_path, after=1)
    before = (tmp_path / "state.safetensors").read_bytes()
    with pytest.raises(InputError, match=next(iter(change))):
        train(tiny_model(), people, replace(POSTTRAIN, **change), tmp_path, resume=True)
    assert (tmp_path / "state.safetensors").read_bytes() == before


def test_a_damaged_state_is_refused_by_name_where_it_is_the_only_one(people, tmp_path):
    interrupted(people, POSTTRAIN, tmp_path, after=1)
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="state.safetensors"):
        train(tiny_model(), people, POSTTRAIN, tmp_path, resume=True)


def test_a_run_whose_last_state_is_damaged_goes_on_from_the_one_before(people, posttrained, tmp_path, capsys):
    interrupted(people, POSTTRAIN, tmp_path, after=4)
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    train(tiny_model(seed=9), people, POSTTRAIN, tmp_path, resume=True)
    assert_same_weights(posttrained[0], tmp_path)
    assert without_times(posttrained[0]) == without_times(tmp_path)
    told = capsys.readouterr().err
    assert "state.safetensors cannot be read" in told and "state_before.safetensors, after 3 steps" in told


@pytest.mark.parametrize(
    "other, told",
    [
        (lambda p: p[:1], "person studio-000001 is missing"),
        (lambda p: p[::-1], "order of the people"),
        (lambda p: [p[0], replace(p[1], body_pixels=p[1].body_pixels ^ 1)], "person studio-000001 changed"),
        (lambda p: [p[0], replace(p[1], id="studio-000007")], "person studio-000007 is new"),
    ],
    ids=["one fewer", "another order", "other pictures", "somebody else"],
)
def test_a_run_is_not_resumed_on_other_people(people, stopped_after_one, other, told):
    with pytest.raises(InputError, match=told):
        train(tiny_model(), other(people), POSTTRAIN, stopped_after_one, resume=True)


@pytest.fixture(scope="module")
def stopped_after_one(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("stopped")
    interrupted(people, POSTTRAIN, out, after=1)
    return out


def test_a_run_is_not_resumed_from_other_weights_or_with_another_encoder(people, stopped_after_one):
    with pytest.raises(InputError, match=r"\(it began without --init\)"):
        train(tiny_model(), people, POSTTRAIN, stopped_after_one, resume=True, origins={"init": 64 * "a"})
    model = tiny_model()
    model.image_encoder = "dinov2-0123"
    with pytest.raises(InputError, match="encoder was 'pixels', is 'dinov2-0123'"):
        train(model, people, POSTTRAIN, stopped_after_one, resume=True)


@pytest.mark.parametrize(("before", "now", "told"), [
    ("ab", "cd", r"\(it began from other weights \(--inherit-from\)\)"),
    ("ab", None, r"\(it began from --inherit-from, which is not given\)"),
])  # fmt: skip
def test_weights_that_are_others_are_told_without_their_hashes(before, now, told):
    run = Run({}, [], {} if now is None else {"inherited": now})
    header = {"settings": {}, "origins": {"inherited": before}, "data": states._digest([])}
    with pytest.raises(InputError, match=told):
        check_same_run(State(Path("run/state.safetensors"), header, {}), run)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_loss_that_is_not_finite_stops_the_run_before_the_step(people, tmp_path, monkeypatch, accumulate):
    settings = replace(POSTTRAIN, accumulate=accumulate)
    calls, model = [], tiny_model()
    before = {}

    def failing(*arguments):
        loss, terms = loss_of(*arguments)
        calls.append(loss)
        if len(calls) == 3 * accumulate:
            before.update({name: value.clone() for name, value in model.state_dict().items()})
            return loss * torch.nan, terms | {"asap": float("nan"), "loss": float("nan")}
        return loss, terms

    monkeypatch.setattr(objective, "loss_of", failing)
    with pytest.raises(FloatingPointError, match="at step 2 of posttrain: the loss term asap.*the gradient of"):
        train(model, people, settings, tmp_path, checkpoint_minutes=0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert newest_state(tmp_path).header["step"] == 2 and (tmp_path / "state_before.safetensors").exists()
    assert [row["step"] for row in rows(tmp_path)] == ["0", "1"]


def test_a_gradient_that_is_not_finite_is_named(people, tmp_path):
    model = tiny_model()
    model.kind.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(FloatingPointError, match="at step 0 of pretrain: the gradient of kind;"):
        train(model, people, replace(PRETRAIN, template_steps=0), tmp_path)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_weights_of_chosen_steps_are_kept_in_half_precision(people, posttrained, tmp_path):
    steps = (0, 2, 6)
    train(tiny_model(), people, POSTTRAIN, tmp_path, keep_steps=steps)
    assert {p.name for p in tmp_path.glob("weights_*")} == {f"weights_{step:06d}.safetensors" for step in steps}
    kept = [load_model(tmp_path / f"weights_{step:06d}.safetensors", free_body()) for step in steps]
    assert [meta["step"] for _, meta in kept] == [0, 2, 6]
    for (model, _), whole in ((kept[0], tiny_model()), (kept[2], posttrained[1])):
        for name, parameter in whole.named_parameters():
            assert torch.equal(model.get_parameter(name), parameter.half().float()), name
    assert_same_weights(posttrained[0], tmp_path)


def test_the_log_tells_gradient_time_and_what_validation_measures(people, posttrained, tmp_path):
    validation = Validation(people, every=2)
    train(tiny_model(), people, POSTTRAIN, tmp_path, validate=validation)
    logged = rows(tmp_path)
    for row in logged:
        assert float(row["grad_norm"]) > 0 and float(row["seconds"]) > 0
        assert bool(row["val_psnr"]) == (int(row["step"]) % 2 == 1)
    left = [float(row["seconds_left"]) for row in logged]
    assert left[-1] == 0 and min(left[:-1]) > 0
    assert float(logged[-1]["val_psnr"]) == pytest.approx(validation(6, posttrained[1])["val_psnr"], abs=0.01)
    assert_same_weights(posttrained[0], tmp_path)  # measuring changes nothing


def test_resuming_where_nothing_was_saved_starts_anew(people, posttrained, tmp_path):
    train(tiny_model(), people, POSTTRAIN, tmp_path, resume=True)
    assert_same_weights(posttrained[0], tmp_path)


def test_averages_of_weights_lie_between_their_start_and_their_end(people, posttrained, tmp_path):
    averaged = train(tiny_model(), people, replace(POSTTRAIN, ema=0.9), tmp_path).state_dict()
    start, end = tiny_model().state_dict(), posttrained[1].state_dict()
    far, near = ((end["canonical.net.0.weight"] - x["canonical.net.0.weight"]).norm() for x in (start, averaged))
    assert 0 < near < far


def test_accumulated_batches_take_the_mean_of_their_gradients(people, tmp_path):
    """One step of two batches moves the weights as far as plain descent on the mean of both gradients would."""
    whole = replace(POSTTRAIN, steps=1, accumulate=2)
    train(tiny_model(), people, whole, tmp_path)
    row = rows(tmp_path)[0]
    rng, model, losses = np.random.default_rng(whole.seed), tiny_model(), []
    for _ in range(2):
        batch = draw_batch(people, rng, 2, 2, 2, whole.placed, single=whole.single)
        losses.append(loss_of(model, batch, whole)[1]["loss"])
    assert losses[0] != losses[1]
    assert float(row["loss"]) == pytest.approx(np.mean(losses), rel=1e-5)


def test_the_identity_loss_is_off_unless_asked_for_and_reaches_the_colours(people):
    model, batch = tiny_model(), draw_batch(people, np.random.default_rng(0), 2, 2, 2, judged=1)
    quiet = replace(PRETRAIN, lpips_weight=0.0, face_weight=1e-9, precision="float32")
    assert "identity" not in loss_of(model, batch, quiet)[1]
    loss, terms = loss_of(model, batch, replace(quiet, identity_weight=1.0))
    assert 0 < terms["identity"] < 2
    without = torch.autograd.grad(loss_of(model, batch, quiet)[0], model.template.raw)[0]
    change = torch.autograd.grad(loss, model.template.raw)[0] - without
    assert change[..., :3].abs().max() > 0


def variant(**sizes) -> LCA:
    torch.manual_seed(0)
    return LCA(replace(TINY, **sizes), tiny_model().features, free_body())


def test_a_single_branch_learns_from_driven_pictures_and_says_all_numbers_itself(people, tmp_path):
    model = variant(dual_branch=False)
    before = model.driven.state_dict()["net.2.weight"].clone()
    train(model, people, replace(PRETRAIN, steps=2, template_steps=1), tmp_path)
    for row in rows(tmp_path):
        assert "l1_body_cano" not in row and float(row["l1_body_driven"]) > 0
    assert (model.driven.state_dict()["net.2.weight"] != before).any(1).all(), "opacities, too"


def test_a_canonical_branch_moved_by_the_body_alone_learns_no_driven_one(people, tmp_path):
    model = variant(driven_branch=False)
    train(model, people, replace(PRETRAIN, steps=2, template_steps=1), tmp_path)
    assert not any(parameter.any() for parameter in model.driven.net[-1].parameters())
    for row in rows(tmp_path):
        assert "l1_body_cano" not in row and float(row["lpips_body_driven"]) > 0


def test_nothing_is_learnt_where_the_person_is_hidden(people):
    model, rng = tiny_model(), np.random.default_rng(0)
    batch = draw_batch(people, rng, 2, 2, 2)
    pixels = batch.body.pixels.clone()
    pixels[..., :4], pixels[..., 4] = 0, 1
    covered = replace(batch, body=replace(batch.body, pixels=pixels))
    terms = loss_of(model, covered, replace(PRETRAIN, lpips_weight=0.0))[1]
    assert terms["l1_body_cano"] == terms["l1_body_driven"] == 0
    assert terms["l1_face_driven"] > 0


def test_two_processes_train_as_one(tmp_path):
    """Six steps with torchrun on two processes, each with all parameters or with a part of them (and paused after the
    first step): the weights of one process within 1e-5, and one log."""
    together.trained(tmp_path / "one")
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    subprocess.run([*torchrun, "-m", "tests.training.together", tmp_path], check=True, env=environment, timeout=300)
    one, two, parts = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two", "parts"))
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=1e-5, msg=name)
        torch.testing.assert_close(parts[name], one[name], rtol=0, atol=1e-5, msg=name)
    start = tiny_model().state_dict()
    assert max((one[name] - value).abs().max() for name, value in start.items()) > 1e-3
    logs = [rows(tmp_path / name) for name in ("one", "two", "parts")]
    for log in logs[1:]:
        assert [row["step"] for row in log] == [str(step) for step in range(together.STEPS)]
        for a, b in zip(logs[0], log):
            assert float(b["loss"]) == pytest.approx(float(a["loss"]), abs=1e-5)


def test_gamma_zero_leaves_the_early_layers_as_they_were(posttrained):
    start, trained = tiny_model().state_dict(), posttrained[1].state_dict()
    changed = {name.split(".")[0] for name in start if not torch.equal(start[name], trained[name])}
    assert changed == {
        "encoder", "color_reading", "color_copy", "second_look", "canonical", "driven", "expression", "action_map",
    }  # fmt: skip
    for name in start:
        if name.startswith("encoder.layers.0."):
            assert torch.equal(start[name], trained[name]), name


def test_the_weights_file_says_how_it_was_made(posttrained):
    out, trained = posttrained
    model, meta = load_model(out / "weights.safetensors", free_body())
    assert meta["people"] == ["a", "b"]
    assert meta["settings"]["gamma"] == 0.0 and meta["settings"]["profile"] == TINY.name
    for name, tensor in trained.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name


def test_facial_actions_give_codes_after_training(people, posttrained):
    codes = posttrained[1].action_map(people[0].actions[1:])
    assert codes.isfinite().all()
    assert codes.abs().max() > 0


def test_fitting_the_template_moves_the_template_alone_towards_the_mean_person(people):
    model = tiny_model()
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    rng, settings = np.random.default_rng(0), Settings("pretrain", 0, 1e-3, template_steps=30, lpips_weight=0)
    fit_template(model, settings, lambda: draw_batch(people, rng, 2, 2, 2))
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(start[name], tensor)}
    assert changed == {"template.raw"}
    pixels = torch.cat([p.body_pixels.flatten(0, 2) for p in people])
    mean = pixels[pixels[:, 3] > 0][:, :3].float().mean(0) / 255
    before, after = (
        (t[..., :3].sigmoid().mean((0, 1)) - mean).norm() for t in (start["template.raw"], model.template.raw)
    )
    assert after < 0.9 * before


def test_a_run_with_little_time_pauses_and_goes_on(people, posttrained, tmp_path):
    with pytest.raises(Paused, match="paused after 1 of 6"):
        train(tiny_model(), people, POSTTRAIN, tmp_path, minutes=1e-9)
    assert not (tmp_path / "weights.safetensors").exists()
    train(tiny_model(seed=9), people, POSTTRAIN, tmp_path, resume=True)
    assert_same_weights(posttrained[0], tmp_path)


def test_a_run_that_comes_apart_in_the_forward_pass_names_its_step(people, tmp_path):
    with pytest.raises(FloatingPointError, match="not finite at step [12] of posttrain"):
        train(tiny_model(), people, replace(POSTTRAIN, lr=1e30, gamma=1.0), tmp_path)


def test_a_run_that_starts_anew_leaves_no_state_of_another_to_go_on_from(people, posttrained, tmp_path):
    train(tiny_model(), people, POSTTRAIN, tmp_path)
    with pytest.raises(Paused):
        train(tiny_model(), people, replace(POSTTRAIN, seed=3), tmp_path, minutes=1e-9)
    assert newest_state(tmp_path).header["settings"]["seed"] == 3
    assert not (tmp_path / "state_before.safetensors").exists()
