"""Learning how cloth hangs: from a pendulum that swings as the legs do, and from people whose cloth is simulated."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import joint_transforms
from lca_core.data import write_shard
from lca_core.errors import InputError
from lca_core.model import LCA, Pixels, rows_length
from lca_core.model.graphed import spread
from lca_core.model.hanging import HangingCloth, pushes
from lca_core.model.parts import HANGING
from lca_core.people.domains.swinging import Swinging
from lca_core.tensor_files import load_tensors
from lca_core.training import hanging
from lca_core.training.checkpoints import ADDITION, load_model, save_model
from lca_core.training.hanging import Clip, Wearer, astray, fit_hanging
from lca_core.training.stages import train_stage
from tests.body.bodies import free_body
from tests.model.test_hanging import with_hanging
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_person, tiny_model

STEPS = 80


@pytest.fixture
def part() -> HangingCloth:
    return with_hanging(tiny_model()).parts[HANGING]


def wearer(part: HangingCloth, loose: bool, count: int = 12) -> Wearer:
    """Somebody whose cloth goes forward as far as the left thigh does, or somebody on whom nothing hangs."""
    generator = torch.Generator().manual_seed(0)
    poses = torch.zeros(count, 55, 3)
    poses[:, 1, 0] = torch.linspace(-1, 1, count)
    turns = joint_transforms(torch.zeros(count, 55, 3), poses)[0][..., :3, :3]
    hung = (part.places[:, 1] < 0).float()
    at = spread(hung[:, None], part.near, part.share)[:, 0] if loose else torch.zeros(len(part.points))
    chosen = (at > 0.9).nonzero()[:, 0]
    away = torch.zeros(count, len(chosen), 3)
    away[..., 2] = 0.1 * poses[:, 1, :1]
    turn = torch.eye(3).expand(count, len(chosen), 3, 3)
    tokens = torch.randn(int(part.read.max()) + 1, part.width, generator=generator) + (3 if loose else -3)
    clip = Clip(pushes(turns), away, turn, torch.ones(count, len(chosen), dtype=torch.bool))
    shown = pushes(turns)[[count // 2 - 1, count // 2]]
    return Wearer(tokens, (at > 0.5).float(), torch.ones(len(part.points)), chosen, shown, (clip,) if loose else ())


def test_it_learns_where_cloth_goes_and_on_whom_nothing_hangs(part, tmp_path):
    loose, tight = wearer(part, True), wearer(part, False)
    fit_hanging(part, [loose], [tight], tmp_path, STEPS, 3e-3)
    with torch.no_grad():
        off, skinned, _ = astray(part, loose, loose.clips[0], torch.arange(12))
        gate = part.opened(part.worn(tight.tokens)[0])
    assert off.mean() < 0.35 * skinned.mean() and gate.max() < 0.05
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert len(rows) == STEPS and float(rows[-1]["mm"]) < 0.5 * float(rows[0]["mm"])
    assert not (tmp_path / "state.safetensors").exists()


def test_a_fit_that_is_stopped_goes_on_to_the_same_numbers(part, tmp_path, monkeypatch):
    monkeypatch.setattr(hanging, "_KEPT", 4)
    start, people = {k: v.clone() for k, v in part.state_dict().items()}, ([wearer(part, True)], [wearer(part, False)])
    fit_hanging(part, *people, tmp_path / "whole", 10, 1e-2)
    whole = {k: v.clone() for k, v in part.state_dict().items()}
    part.load_state_dict(start)
    append = hanging.append_row

    def stop(path, row):
        if row["step"] == 6:
            raise KeyboardInterrupt
        append(path, row)

    monkeypatch.setattr(hanging, "append_row", stop)
    with pytest.raises(KeyboardInterrupt):
        fit_hanging(part, *people, tmp_path / "cut", 10, 1e-2)
    monkeypatch.setattr(hanging, "append_row", append)
    for steps, others in ((11, ()), (10, ("somebody else",))):
        with pytest.raises(InputError, match="another run"):
            fit_hanging(part, *people, tmp_path / "cut", steps, 1e-2, resume=True, people=others)
    part.load_state_dict(start)
    fit_hanging(part, *people, tmp_path / "cut", 10, 1e-2, resume=True)
    assert all(torch.equal(value, whole[name]) for name, value in part.state_dict().items())
    logs = [(tmp_path / folder / "log.csv").read_text() for folder in ("whole", "cut")]
    assert logs[0] == logs[1]


def test_moments_of_which_nothing_is_told_teach_nothing_and_break_nothing(part, tmp_path):
    one = wearer(part, True)
    silent = replace(one, clips=(one.clips[0]._replace(told=torch.zeros_like(one.clips[0].told)),))
    fit_hanging(part, [silent], [], tmp_path, 2, 1e-3)
    assert all(parameter.isfinite().all() for parameter in part.parameters())


def swinging_legs(person, moments: int = 37) -> Swinging:
    """Points round a person's left thigh that are carried by it, but for swinging forward and back."""
    poses = np.zeros((1, moments, 55, 3), np.float32)
    body = free_body()
    rest = body.rest(torch.from_numpy(person.betas)[None])[0]
    thigh = rest[body.weights[:, 1] > 0.6][::3].numpy()
    swing = 0.05 * np.sin(np.arange(moments) / 4)
    cloth = thigh[None, None] + np.stack([0 * swing, 0 * swing, swing], -1)[None, :, None]
    return Swinging(poses, np.zeros((1, moments, 3), np.float32), cloth.astype(np.float32))


def test_gaussians_near_cloth_in_the_photographs_are_told_to_follow_it(monkeypatch):
    model = with_hanging(tiny_model())
    part = model.parts.pop(HANGING)
    person = replace(painted_person(0), domain="garment")
    still = [replace(frame, theta=0 * frame.theta, root=0 * frame.root, instant=i % 2)
             for i, frame in enumerate(person.frames)]  # fmt: skip
    person = replace(person, frames=tuple(still))
    monkeypatch.setattr(hanging, "_OPAQUE", 0.0)
    clips = swinging_legs(person)
    found = hanging.wearers(person, clips, model, part, MeanColour())
    assert len(found) == len(hanging.SHOWN)
    for one in found:
        places = spread(part.places, part.near, part.share)
        assert 0 < one.loose.sum() < len(one.loose)
        assert (places[one.loose > 0][:, 0] > -0.1).all()  # of the left leg
        clip = one.clips[0]
        swung = clips.cloth[0, :, 0, 2] - clips.cloth[0, [0, hanging.EVERY], 0, 2].mean()
        np.testing.assert_allclose(clip.away[..., 2].mean(1), swung, atol=0.02)
        assert clip.told.all()
    tight = hanging.wearers(person, None, model, part, MeanColour())
    assert not any(one.loose.any() or len(one.clips) for one in tight)


def test_the_stage_writes_the_part_alone_and_leaves_the_rest_as_it_was(tmp_path, monkeypatch):
    torch.manual_seed(0)
    model = LCA(replace(TINY, name="smoke"), rows_length(Pixels()), free_body())  # of a profile that stages have
    save_model(tmp_path / "init.safetensors", model, {})
    people = [replace(painted_person(0), domain="garment"), painted_person(1)]
    for person in people:
        write_shard(tmp_path / person.domain / "one.tar", [person])
    monkeypatch.setattr(hanging, "_OPAQUE", 0.0)
    monkeypatch.setattr(hanging, "cached_swinging", lambda seeds, workers: [str(seed) for seed in seeds])
    monkeypatch.setattr(hanging, "read_swinging", lambda path: swinging_legs(people[int(path)]))
    given = {"init": tmp_path / "init.safetensors", "steps": 3}
    unknown = replace(painted_person(2), id="garment-by-hand", domain="garment", seed=None)
    write_shard(tmp_path / "garment" / "two.tar", [unknown])  # in loose clothes of which nothing is known
    folders = [tmp_path / "garment", tmp_path / "studio"]
    train_stage("hanging", folders, tmp_path / "run", **given)
    header, _ = load_tensors(tmp_path / "run" / "hanging.safetensors", ADDITION, "")
    assert header["meta"]["people"] == [person.id for person in people]
    alone = load_model(given["init"], free_body(), additions=[tmp_path / "run" / "hanging.safetensors"])[0]
    assert alone.parts[HANGING].say.weight.abs().max() > 0
    whole = load_model(tmp_path / "run" / "weights.safetensors", free_body())[0].state_dict()
    assert all(torch.equal(whole[name], value) for name, value in model.state_dict().items())
    with pytest.raises(InputError, match="takes no --keep-steps"):
        train_stage("hanging", folders, tmp_path / "run", keep_steps=(1,), **given)
