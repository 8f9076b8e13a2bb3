"""What is compared with what, and whose pictures go in."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import Head
from lca_core.data import Camera, Frame, Person, Picture
from lca_core.evaluation import evaluate
from lca_core.evaluation.baselines import per_person
from lca_core.evaluation.evaluate import (
    METHODS,
    compare,
    draw_like,
    evaluate_people,
    frames_for,
    hidden_of,
    to_records,
)
from lca_core.evaluation.protocols import split_frames
from lca_core.splats import Gaussians
from tests.model.test_tokens import MeanColour
from tests.training.subjects import painted_person, tiny_model

PX = 32
METRICS = {"psnr", "psnr_fg", "psnr_masked", "ssim", "l1_fg", "lpips", "iou"}


@pytest.fixture(scope="module")
def wall():
    """Red Gaussians that fill a camera's view."""
    x, y = torch.meshgrid(torch.linspace(-1, 1, 20), torch.linspace(-1, 1, 20), indexing="ij")
    means = torch.stack([x, y, torch.zeros_like(x)], -1).reshape(-1, 3)
    n = len(means)
    return Gaussians(
        means, torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1), torch.full((n, 3), 0.1), torch.full((n,), 0.99),
        torch.tensor([[0.9, 0.1, 0.1]]).repeat(n, 1),
    )  # fmt: skip


def camera(px: int = PX) -> Camera:
    """Two metres before the wall."""
    viewmat, K = np.eye(4, dtype=np.float32), np.array([[1.5 * px, 0, px / 2], [0, 1.5 * px, px / 2], [0, 0, 1]])
    viewmat[2, 3] = 2
    return Camera(viewmat, K.astype(np.float32), px, px)


def test_nothing_is_drawn_where_a_picture_is_hidden(wall):
    plain = Picture(np.zeros((PX, PX, 3), np.uint8), np.zeros((PX, PX), np.uint8), camera())
    half = np.zeros((PX, PX), np.uint8)
    half[:, : PX // 2] = 255
    (shown, alpha), (covered, part) = draw_like(wall, plain), draw_like(wall, replace(plain, hidden=half))
    assert not hidden_of(plain).any() and hidden_of(replace(plain, hidden=half)).mean() == 0.5
    assert alpha.min() > 0.9 and shown[..., 1].max() < 0.3
    assert torch.equal(covered[:, : PX // 2], torch.ones(PX, PX // 2, 3)) and not part[:, : PX // 2].any()
    torch.testing.assert_close(covered[:, PX // 2 :], shown[:, PX // 2 :])
    assert torch.equal(part[:, PX // 2 :], alpha[:, PX // 2 :])


# --- One picture -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def patch(wall):
    """Gaussians that fill the middle of the view, in two colours."""
    near = wall.means.abs().amax(-1) < 0.4
    patch = wall.map(lambda tensor: tensor[near])
    return replace(patch, colors=torch.where(patch.means[:, :1] > 0, patch.colors, patch.colors.flip(-1)))


def photographed(gaussians: Gaussians, face: bool) -> Frame:
    """The frame in which a camera takes them as they are."""

    def taken(px: int) -> Picture:
        blank = Picture(np.zeros((px, px, 3), np.uint8), np.zeros((px, px), np.uint8), camera(px))
        colors, alpha = draw_like(gaussians, blank)
        own = 1 - (1 - colors) / alpha[..., None].clamp(min=1e-3)  # not over white, as it was drawn
        image, matte = ((255 * x.clamp(0, 1)).round().byte().numpy() for x in (own, alpha))
        return replace(blank, image=image, matte=matte)

    still = np.zeros(138, np.float32), np.zeros(6, np.float32), np.zeros(4, np.float32)
    return Frame(taken(64), taken(128) if face else None, *still)


HEAD = Head(torch.tensor([[0.08, 0.05, 0.0], [-0.08, 0.05, 0.0]]), torch.tensor([0.0, 1.0, 0.0]))


def test_who_looks_as_the_record_has_them_is_faultless_by_every_metric(patch):
    found = compare(patch, photographed(patch, face=True), HEAD)
    assert set(found) == METRICS | {"identity_distance"}
    assert min(found["psnr"], found["psnr_fg"]) > 40 and found["ssim"] > 0.99 and found["iou"] > 0.95
    assert max(found["l1_fg"], found["lpips"]) < 0.01 and found["identity_distance"] < 0.1


@pytest.mark.parametrize("worse", ["colour", "place", "nobody"])
def test_who_does_not_is_worse_by_every_metric(patch, worse):
    frame = photographed(patch, face=False)
    other = {
        "colour": lambda: replace(patch, colors=1 - patch.colors),
        "place": lambda: replace(patch, means=patch.means + torch.tensor([0.15, 0.1, 0.0])),
        "nobody": lambda: replace(patch, opacities=0 * patch.opacities),
    }[worse]()
    good, bad = compare(patch, frame, HEAD), compare(other, frame, HEAD)
    assert set(bad) == METRICS, "no face crop, no identity"
    for metric in ("psnr", "psnr_fg", "ssim"):
        assert bad[metric] < good[metric], metric
    for metric in ("l1_fg", "lpips"):
        assert bad[metric] > good[metric], metric
    assert bad["iou"] == good["iou"] if worse == "colour" else bad["iou"] < good["iou"]


# --- People ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people():
    return [replace(painted_person(9000), seed=9000), replace(painted_person(9001), id="wild-009001", domain="wild")]


@pytest.fixture(scope="module")
def model():
    return tiny_model().eval()


@pytest.fixture(scope="module")
def evaluated(people, model):
    with pytest.MonkeyPatch.context() as patch:  # shorter, not otherwise
        optimise, refine = per_person.optimise_person, evaluate.refine
        patch.setattr(per_person, "optimise_person", lambda *given: optimise(*given, steps=30))
        patch.setattr(evaluate, "refine", lambda *given: refine(*given, steps=8))
        return evaluate_people(people, model, MeanColour(), model.template.raw.detach(), n_inputs=2, total=2)


def test_every_target_is_judged_by_every_method_and_no_input_is(evaluated, people):
    assert set(evaluated) == {"studio", "wild"}
    for person in people:
        targets = split_frames(person, 2)[1]
        methods = evaluated[person.domain]
        assert tuple(methods) == METHODS
        for method, metrics in methods.items():
            assert METRICS <= set(metrics), method
            assert ("identity_distance" in metrics) == (method != "baseline/nearest"), "a copy has no face crop"
            for metric, values in metrics.items():
                faces = sum(target.frame.face is not None for target in targets)
                assert len(values[person.seed]) == (faces if metric == "identity_distance" else len(targets)), metric
                assert np.isfinite(values[person.seed]).all()


def test_methods_that_see_the_person_change_something_and_the_template_sees_nobody(evaluated, people, model):
    by_method = {method: metrics["psnr"][9000] for method, metrics in evaluated["studio"].items()}
    assert len({tuple(values) for values in by_method.values()}) == len(METHODS)
    assert np.mean(by_method["baseline/per_person"]) > np.mean(by_method["baseline/template"])
    inputs = [id(frame) for frame in split_frames(people[0], 2)[0]]
    frames = (
        replace(frame, body=replace(frame.body, image=255 - frame.body.image)) if id(frame) in inputs else frame
        for frame in people[0].frames
    )
    negative = [replace(people[0], frames=tuple(frames))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(per_person, "optimise_person", lambda start, *_: start)
        patch.setattr(evaluate, "refine", lambda avatar, *_: avatar)
        other = evaluate_people(negative, model, MeanColour(), model.template.raw.detach(), n_inputs=2)["studio"]
    assert other["baseline/template"]["psnr"][9000] == by_method["baseline/template"]
    assert other["release"]["psnr"][9000] != by_method["release"]


def test_without_a_template_the_model_alone_is_judged_and_people_without_a_seed_go_by_their_id(people, model):
    real = replace(people[0], seed=None, id="somebody")
    found = evaluate_people([real], model, MeanColour(), n_inputs=2)
    assert list(found["studio"]) == ["release"] and list(found["studio"]["release"]["psnr"]) == ["somebody"]


def test_only_the_methods_asked_for_are_judged(people, model, evaluated):
    some = ("baseline/nearest", "baseline/template")
    found = evaluate_people(people[:1], model, MeanColour(), model.template.raw.detach(), 2, methods=some)
    assert tuple(found["studio"]) == some
    for method in some:
        assert found["studio"][method]["psnr"] == evaluated["studio"][method]["psnr"]


def test_what_is_drawn_beside_the_person_is_not_counted_under_the_truths_matte(patch):
    frame = photographed(patch, face=False)
    beside = replace(patch, means=patch.means + torch.tensor([0.7, 0.0, 0.0]))
    both = Gaussians(*(torch.cat([one, other]) for one, other in zip(vars(patch).values(), vars(beside).values())))
    alone, more = compare(patch, frame, HEAD), compare(both, frame, HEAD)
    assert more["psnr"] < alone["psnr"] - 10 and more["psnr_masked"] == pytest.approx(alone["psnr_masked"], abs=1.0)


def test_a_small_model_is_shown_small_pictures_and_judged_on_large_ones(people, model):
    large = doubled(people[0])
    inputs, targets = frames_for(model, large, 2)
    own = split_frames(people[0], 2)
    side = model.profile.body_px
    assert {frame.body.image.shape[0] for frame in inputs} == {side}
    assert {target.frame.body.image.shape[0] for target in targets} == {2 * side}
    assert [target.frame.instant for target in targets] == [target.frame.instant for target in own[1]]
    np.testing.assert_array_equal(inputs[0].body.image, own[0][0].body.image)


def doubled(person: Person) -> Person:
    """The same pictures with four pixels in place of each."""

    def picture(of: Picture) -> Picture:
        K = of.camera.K * np.array([[2], [2], [1]], np.float32)
        camera = Camera(of.camera.viewmat, K, 2 * of.camera.width, 2 * of.camera.height)
        image, matte = (x.repeat(2, 0).repeat(2, 1) for x in (of.image, of.matte))
        return replace(of, image=image, matte=matte, camera=camera)

    frames = (
        replace(
            f, body=picture(f.body), face=f.face and picture(f.face), hands=tuple(h and picture(h) for h in f.hands)
        )
        for f in person.frames
    )
    return replace(person, frames=tuple(frames))


def test_records_name_method_domain_and_metric(evaluated, tmp_path):
    weights = tmp_path / "release.safetensors"
    weights.write_bytes(b"weights")
    some = {
        domain: {method: {name: methods[method][name] for name in ("psnr", "iou")} for method in METHODS[1:]}
        for domain, methods in evaluated.items()
    }
    records = {r.id: r for r in to_records(some, weights, "smoke", "a command", n_inputs=2, template=weights)}
    assert set(records) == {
        f"{method}/{domain}/{metric}" for method in METHODS[1:] for domain in some for metric in ("psnr", "iou")
        if metric == "psnr" or not method.startswith("baseline/")  # which are told by three metrics
    }  # fmt: skip
    one = records["refined/studio/psnr"]
    assert one.value == pytest.approx(np.mean(evaluated["studio"]["refined"]["psnr"][9000]))
    assert (one.n_people, one.n_frames, one.protocol["inputs"]) == (1, 4, 2)
