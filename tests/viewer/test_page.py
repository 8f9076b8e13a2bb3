"""A page knows what the avatar knows: numbers, directions, sliders and motions, before any browser is asked."""

import base64
import json
import re
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.__main__ import main
from lca_core.body import theta_slice
from lca_core.errors import InputError
from lca_core.model import Avatar
from lca_core.model.expression import ActionMap
from lca_core.model.face import FaceShapes
from lca_core.motion.motions import Motion
from lca_core.motion.poses import HANDS, hand, theta_from
from lca_core.splats import Gaussians
from lca_core.viewer.page.distil import distil, random_signals
from lca_core.viewer.page.motions import SIGNAL, whole_numbers
from lca_core.viewer.page.numbers import PageAvatar, heaviest
from lca_core.viewer.page.packing import Planes, packed
from lca_core.viewer.page.write import write_page
from lca_core.viewer.signals import LOOPS, driving_of_signal, looped, rest
from lca_core.viewer.sliders import groups
from tests.model.models import random_inputs, tiny_model


def tiny_avatar(stirred: bool, rank: int = 3) -> Avatar:
    """Random; not stirred: with a driven branch that does nothing. rank: of learned directions of the face."""
    avatar = Avatar.encode(tiny_model(stirred), random_inputs(people=1), {"id": "somebody"})
    generator = torch.Generator().manual_seed(0)
    learned = 0.1 * torch.randn(len(avatar.face.index), 13, rank, generator=generator)
    mix = torch.randn(rank, 128, generator=generator)
    return replace(avatar, face=replace(avatar.face, learned=learned, mix=mix))


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(stirred=True)


@pytest.fixture(scope="module")
def page(avatar) -> PageAvatar:
    return PageAvatar.of(avatar)


def hold_alike(ours: Gaussians, full: Gaussians) -> None:
    """To what rounding to so few bits leaves."""
    torch.testing.assert_close(ours.means, full.means, rtol=0, atol=2e-3)
    torch.testing.assert_close(ours.colors, full.colors, rtol=0, atol=0.01)
    torch.testing.assert_close(ours.opacities, full.opacities, rtol=0, atol=1e-3)
    torch.testing.assert_close(ours.scales.log(), full.scales.log(), rtol=0, atol=0.02)
    along = (ours.quats * torch.nn.functional.normalize(full.quats, dim=-1)).sum(-1).abs()
    assert along.min() > 0.9995


def test_at_rest_the_page_is_the_avatar(avatar, page):
    hold_alike(page.drive(rest()), avatar.drive(driving_of_signal(avatar, rest())))


def test_where_nothing_is_driven_by_a_network_the_page_is_the_avatar_in_every_pose_and_face():
    avatar = tiny_avatar(stirred=False)
    signals = random_signals(5, seed=3)
    hold_alike(PageAvatar.of(avatar).drive(signals), avatar.drive(driving_of_signal(avatar, signals)))


def test_an_avatar_without_blendshapes_has_a_page(avatar):
    plain = replace(avatar, face=FaceShapes.none())
    hold_alike(PageAvatar.of(plain).drive(rest()), plain.drive(driving_of_signal(plain, rest())))


def test_directions_say_most_of_what_a_driven_branch_does(avatar):
    avatar = replace(avatar, action_map=ActionMap())  # random codes are larger than any face's
    signals, distilled = random_signals(20, seed=7), distil(avatar)
    full = avatar.driven(avatar.tokens, driving_of_signal(avatar, signals).condition).flatten(1, 2)
    full = full - avatar.driven(avatar.tokens, driving_of_signal(avatar, rest()).condition).flatten(1, 2)
    ours = torch.einsum("tr,rnc->tnc", distilled.steps(signals), distilled.directions)
    assert (ours - full).square().sum() < 0.1 * full.square().sum()


def test_steps_are_none_at_rest_and_held_where_nothing_was_seen(avatar):
    distilled = distil(avatar, samples=40)
    assert distilled.steps(rest()).abs().max() < 1e-3
    wild = Motion(*(50 * part for part in random_signals(1, seed=0)))
    steps = distilled.steps(wild)[0]
    assert (steps >= distilled.low).all() and (steps <= distilled.high).all()


def test_weights_of_a_gaussian_add_up_and_its_heaviest_joint_comes_first():
    weights = torch.rand(50, 55, generator=torch.Generator().manual_seed(0)) ** 8
    weights = weights / weights.sum(1, keepdim=True)
    joints, whole = heaviest(weights)
    assert (whole.sum(1, dtype=int) == 255).all() and (joints[:, 0] == weights.argmax(1).numpy()).all()
    assert (np.diff(whole[:, 1:].astype(int), axis=1) <= 0).all()


@pytest.mark.parametrize("kind", [np.int8, np.int16])
def test_planes_come_back_to_half_a_step_and_zero_stays_zero(rng, kind):
    values = rng.normal(size=(3, 2, 40)).astype(np.float32) * np.array([1e-6, 1, 1e4], np.float32)[:, None, None]
    values[0, 0] = 0
    for centred in (False, True):
        planes = Planes.of(values, kind, centred)
        assert (np.abs(planes.values - values) <= 0.51 * planes.scales[..., None] + 1e-6 * np.abs(values)).all()
    assert (planes.middles == 0).all() and (planes.values[0, 0] == 0).all()


def test_packed_arrays_lie_where_the_layout_says():
    arrays = {"a": np.arange(5, dtype=np.int8), "b": np.arange(3, dtype=np.float32), "c": np.zeros((0, 4), np.uint32)}
    layout, text = packed(arrays)
    data = zlib.decompress(base64.b64decode(text))
    for name, array in arrays.items():
        at = layout[name]
        assert at["start"] % 4 == 0
        found = np.frombuffer(data, at["type"], at["count"], at["start"])
        np.testing.assert_array_equal(found, array.ravel())


def test_sliders_move_what_there_is_within_their_limits_and_presets_name_them():
    sizes = {part: size for part, size, _ in SIGNAL}
    sliders = {slider["name"]: slider for group in groups() for slider in group["sliders"]}
    assert len(sliders) == sum(len(group["sliders"]) for group in groups())
    for slider in sliders.values():
        assert slider["low"] <= slider["value"] <= slider["high"] and slider["moves"]
        assert all(0 <= place < sizes[part] and amount for part, place, amount in slider["moves"])
    for group in groups():
        for values in group["presets"].values():
            assert all(sliders[name]["low"] <= value <= sliders[name]["high"] for name, value in values.items())


@pytest.mark.parametrize("shape", HANDS)
def test_presets_of_hands_are_nearly_the_shapes_they_are_called_by(shape):
    (group,) = (group for group in groups() if group["name"] == "Fingers")
    theta = np.zeros(138)
    for slider in group["sliders"]:
        for _, place, amount in slider["moves"]:
            theta[place] += group["presets"][shape.capitalize().replace("_", " ")][slider["name"]] * amount
    wanted = theta_from(hand("left", shape), hand("right", shape))
    for joint in ("left_index2", "right_ring1", "right_pinky1"):
        np.testing.assert_allclose(theta[theta_slice(joint)], wanted[theta_slice(joint)], atol=0.05)


@pytest.mark.parametrize("name", LOOPS)
def test_motions_go_round_without_a_jump(name):
    clip = looped(name)
    theta = np.concatenate([clip.theta, clip.root], 1)
    steps = np.abs(np.diff(theta, axis=0)).max(1)
    assert np.abs(theta[0] - theta[-1]).max() <= 1.2 * steps.max()
    np.testing.assert_allclose(whole_numbers(clip)[: 75 * 138] * 1e-4, clip.theta.ravel(), atol=1e-4)


def test_a_page_asks_for_nothing_and_its_title_is_text(avatar, tmp_path):
    like = write_page(avatar, tmp_path / "page.html", title="<script>alert(1)</script> & co")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text
    assert not re.search(r"https?://|\bsrc=|\bfetch\(|XMLHttpRequest|import\(", text)
    assert "default-src 'none'" in text and len(text) < 10e6
    header = json.loads(re.search(r'id="header">(.*?)</script>', text, re.DOTALL)[1])
    assert header["count"] == len(avatar) and header["likeness_db"] == like


def test_a_page_that_cannot_be_written_is_refused_before_any_work(avatar, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        write_page(avatar, tmp_path / "file" / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_command_writes_a_page_and_refuses_another_ending(avatar, tmp_path, monkeypatch, capfd):
    avatar.save(tmp_path / "avatar.safetensors")

    def page(out: str) -> int:
        monkeypatch.setattr(sys, "argv", ["lca_core", "page", str(tmp_path / "avatar.safetensors"), "--out", out])
        try:
            main()
        except SystemExit as ended:
            return ended.code
        return 0

    assert page(str(tmp_path / "viewer.txt")) == 2 and "viewer.txt does not end in .html" in capfd.readouterr().err
    assert page(str(tmp_path / "viewer.html")) == 0
    assert "somebody" in (tmp_path / "viewer.html").read_text(encoding="utf-8")
    assert "viewer.html" in capfd.readouterr().out
