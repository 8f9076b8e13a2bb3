"""Figures show what they say: the same part of truth and drawing, numbers that are right, a sentence beside each."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from lca_core.data import Camera, Picture
from lca_core.errors import InputError
from lca_core.evaluation.figures import attention, backs, beside, differences, method, scale, tokens
from lca_core.evaluation.figures.style import PX, framed, keep, tiles
from lca_core.evaluation.figures.teaser import cropped
from lca_core.evaluation.protocols import split_frames
from lca_core.evaluation.records import record_of
from lca_core.judges.summaries import summarise
from lca_core.model import person_inputs
from tests.model.test_tokens import MeanColour
from tests.training.subjects import painted_person, tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model().eval()


def picture(rows: slice, columns: slice, side: int = 60) -> Picture:
    matte = np.zeros((side, side), np.uint8)
    matte[rows, columns] = 255
    image = np.where(matte[..., None] > 0, np.uint8(200), np.uint8(10)).repeat(3, 2)
    return Picture(image, matte, Camera(np.eye(4, dtype=np.float32), np.eye(3, dtype=np.float32), side, side))


def test_people_fill_their_tiles_wherever_they_stand():
    for rows, columns in ((slice(20, 40), slice(25, 35)), (slice(0, 20), slice(52, 60))):
        tile = framed(picture(rows, columns).image, picture(rows, columns), 100)
        assert tile.shape == (100, 100, 3)
        (lit,) = np.nonzero((tile[:, 50, 0] > 105) & (tile[:, 50, 0] < 230))
        assert np.ptp(lit) + 1 == pytest.approx(100 / 1.08, abs=2.5), "the longer side, with a margin"
    assert (tile[0] == 255).all(), "white beyond the edge"


def test_people_are_seen_from_behind_as_their_front_was_photographed(model):
    """The photograph is the one most from the front, the target of the same moment most from behind; two people a row,
    and the last row is filled up."""
    people = [painted_person(seed) for seed in range(3)]  # each frame is turned 46 degrees further
    people = [replace(p, frames=tuple(replace(f, instant=int(i > 4)) for i, f in enumerate(p.frames))) for p in people]
    front, back = backs.front_and_back(people[0])
    assert (front, back) == (people[0].frames[0], people[0].frames[4])
    shown = []

    def maker(person, frames):
        shown.append((person.seed, [frame is person.frames[0] for frame in frames]))
        return beside.by_model(model, MeanColour())(person, frames)

    figure = backs.backs(people, maker)
    assert shown == [(person.seed, [True]) for person in people] and len(figure.axes) == 12
    assert sum("dB" in text.get_text() for text in figure.findobj(plt.Text)) == 3
    assert "3 digital humans" in backs.alt_of(people)


def test_drawings_of_the_teaser_are_cropped_to_the_person():
    drawn = np.full((2 * PX, 2 * PX, 3), 255, np.uint8)
    drawn[100:200, 300:340] = 90
    lit = np.nonzero(cropped(drawn)[..., 0] < 170)
    assert np.ptp(lit[0]) + 1 == pytest.approx(PX / 1.08, abs=3)
    assert (lit[1].min() + lit[1].max()) / 2 == pytest.approx(PX / 2, abs=2), "in the middle"


def test_nobody_is_framed_as_the_whole_picture():
    empty = picture(slice(0, 0), slice(0, 0))
    assert framed(empty.image, empty, 30).shape == (30, 30, 3)


def test_a_figure_has_its_rows_and_columns_and_a_sentence_beside_its_file(tmp_path):
    tile = np.zeros((PX, PX, 3), np.uint8)
    figure = tiles([[tile, None, tile], [tile, tile, tile]], ("a", "b", "c"), ("one", "two"), [["", "", "20 dB"]])
    said = {text.get_text() for text in figure.findobj(plt.Text)}
    assert {"a", "b", "c", "one", "two", "20 dB"} <= said and len(figure.axes) == 6
    path = keep(figure, tmp_path / "figure.png", "Two rows\n   of tiles.")
    assert path.exists() and path.with_suffix(".txt").read_text() == "Two rows of tiles.\n"
    assert not plt.fignum_exists(figure.number)


def test_makers_are_shown_beside_the_truth_with_their_scores(model):
    person = painted_person(9000)
    silent = replace  # a change that changes nothing: the avatar itself
    makers = {
        "ours": beside.by_model(model, MeanColour()),
        "again": beside.by_model(model, MeanColour(), lambda avatar, *_: silent(avatar)),
        "nearest": beside.nearest(model),
    }  # fmt: skip
    figure = beside.beside([person], makers, n_inputs=2, faces=False)
    said = [text.get_text() for text in figure.findobj(plt.Text)]
    assert {"photograph 1", "photograph 2", "truth", *makers, "studio, body"} <= set(said)
    scores = [text for text in said if text.endswith(" dB")]
    assert len(scores) == 3 and scores[0] == scores[1] and len(figure.axes) == 6
    assert person.id in beside.alt_of([person], makers, "What.") and "nearest" in beside.alt_of(
        [person], makers, "What."
    )
    plt.close(figure)


def test_what_a_token_reads_is_a_share_and_its_spread_counts_patches(model):
    person = painted_person(9000)
    shown = len(split_frames(person, 2)[0])
    maps = attention.maps_of(model, MeanColour(), person, 2)
    assert maps.shape == (4, shown, 4, 4) and (maps >= 0).all() and (maps.sum((1, 2, 3)) <= 1 + 1e-5).all()
    even = torch.ones(1, 2, 4, 4)
    one = torch.zeros(1, 2, 4, 4)
    one[0, 1, 2, 3] = 0.3
    assert attention.spread(even) == pytest.approx([32]) and attention.spread(one) == pytest.approx([1])
    tile = attention.dotted(picture(slice(0, 60), slice(0, 60)), one[0, 1].numpy(), 324)
    dark = np.nonzero(tile[..., 0] < 100)
    assert np.ptp(dark[0]) + 1 == pytest.approx(300 / 4, abs=3), "one dot, as wide as a patch"
    assert (dark[0].mean(), dark[1].mean()) == pytest.approx((12 + 2.5 * 75, 12 + 3.5 * 75), abs=2), "on its patch"


def test_a_dot_is_measured_against_what_it_is_told_and_a_patch_is_framed():
    shares = np.zeros((4, 4))
    shares[2, 3] = 0.1
    seen = picture(slice(0, 60), slice(0, 60))
    small = attention.dotted(seen, shares, 324, most=0.4)
    assert np.ptp(np.nonzero(small[..., 0] < 100)[0]) + 1 == pytest.approx(300 / 8, abs=3), "a quarter of the area"
    framed_patch = np.nonzero(attention.dotted(seen, np.zeros((4, 4)), 324, own=4)[..., 0] < 100)
    assert [np.ptp(x) + 1 for x in framed_patch] == pytest.approx([75, 75], abs=5)
    assert [x.mean() for x in framed_patch] == pytest.approx([12 + 1.5 * 75, 12 + 0.5 * 75], abs=4), "row 1, column 0"


def test_lift_is_one_for_even_reading_and_counts_only_what_is_read():
    own = torch.tensor([[0, 5], [3, -1], [-1, -1]])
    shares = torch.zeros(2, 3, 12)
    shares[0, :, :8] = 1 / 8  # four patches are nobody's
    shares[1, :, 3] = 1
    even, sharp = attention.lift(shares, own)
    assert even[:2].tolist() == pytest.approx([1, 1]) and sharp[:2].tolist() == pytest.approx([0, 8])
    assert even[2].isnan() and sharp[2].isnan(), "no picture shows the third"


def test_anchors_lie_in_patches_that_show_the_person_and_turn_with_them(model):
    person = painted_person(9000)
    inputs = person_inputs(person.frames[:3], person.betas, MeanColour(), model.profile.face_px)
    own, shares = attention.own_patches(model, inputs), attention.all_shares(model, inputs, 0)
    assert own.shape == (len(model.anchor_points), 3) and shares.sum(-1).allclose(torch.ones(()), atol=1e-5)
    seen = own >= 0
    assert 0.2 < seen.float().mean() < 0.8 and (own[seen] // 16 == torch.nonzero(seen)[:, 1]).all()
    read = (shares > 0).any(0).any(0)
    assert read[own[seen]].float().mean() > 0.9, "patches in which somebody is, up to what the mean body is larger"
    high = model.anchor_points.mean(1)[:, 1]
    rows = own % 16 // 4
    assert high[seen[:, 0] & (rows[:, 0] == 0)].min() > high[seen[:, 0] & (rows[:, 0] == 3)].max()
    with pytest.raises(ValueError, match="poses"):
        attention.own_patches(model, replace(inputs, placement=None))


def test_anchors_are_those_at_the_front_of_their_joint(model):
    chosen = attention.anchors_at(model, attention.PLACES.values())
    centers = model.anchor_points.mean(1)[chosen]
    assert centers[:, 2].min() > model.anchor_points[..., 2].quantile(0.3) and centers[0, 1] > centers[3, 1]


def test_domains_are_as_far_apart_as_they_were_made(rng):
    people = rng.normal(size=(40, 6))
    assert tokens.apart(people[:20], people[20:]) < 0.6
    shift = np.zeros(6)
    shift[0] = 6 * np.sqrt(6)
    assert tokens.apart(people[:20], people[20:] + shift) == pytest.approx(6, rel=0.2)
    places, shares = tokens.components(np.concatenate([people[:20], people[20:] + shift]))
    assert places.shape == (40, 2) and shares[0] > 0.8 and np.abs(places[:20, 0].mean() - places[20:, 0].mean()) > 10


def test_tokens_of_the_same_people_in_both_domains_are_joined(model):
    studio = [painted_person(seed) for seed in (9000, 9001, 9002)]
    people = {"studio": studio, "wild": [replace(person, domain="wild") for person in studio]}
    figure, found = tokens.token_figure(people, {"one": (model, MeanColour())}, n_inputs=2)
    assert len(figure.axes[0].lines) == 3 and set(found) == {"one"} and "3 people" in tokens.alt_of(people, found)
    plt.close(figure)


def record(id: str, value: float):
    """Of six people, who differ by a decibel or two."""
    people = {10_000 + i: [value + i % 3 - 1] for i in range(6)}
    return record_of(id, summarise(people, np.random.default_rng(0)), "study", {}, {})


def test_scale_is_drawn_from_records_and_from_nothing_else():
    ids = [f"table3/{name}/{domain}/psnr" for name in scale.SHARES for domain in ("studio", "wild")]
    records = {id: record(id, 20.0 + number) for number, id in enumerate(ids)}
    figure = scale.scale_figure(records)
    lines = {each.get_label(): np.array(each.lines[0].get_ydata(), float) for each in figure.axes[0].containers}
    np.testing.assert_allclose(lines["wild"], [21, 23, 25])
    assert "wild: sixteenth 21.00, quarter 23.00, all 25.00" in scale.alt_of(records)
    plt.close(figure)
    with pytest.raises(InputError, match="table3/all/wild/psnr"):
        scale.scale_figure({id: r for id, r in records.items() if id != "table3/all/wild/psnr"})


def test_differences_are_person_by_person_and_told_as_they_are_drawn():
    values = {"a/ours": (25.0, 26.0), "a/less": (24.5, 26.25), "a/more": (27.0, 26.0)}
    records = {
        id: record(id, value)
        for row, pair in values.items()
        for id, value in zip((f"{row}/studio/psnr", f"{row}/wild/psnr"), pair)
    }
    rows = {"a/less": "without", "a/more": "with more"}
    found = differences.differences(records, rows, "a/ours")
    assert found["a/less", "studio"].value == pytest.approx(-0.5)
    assert found["a/less", "studio"].ci95 == pytest.approx((-0.5, -0.5)), "everybody differs alike"
    figure = differences.differences_figure(records, rows, "a/ours")
    (axis,) = figure.axes
    points = [float(line.get_xdata()[0]) for line in axis.lines if len(line.get_xdata()) == 1]
    assert points == pytest.approx([-0.5, 0.25, 2.0, 0.0])
    assert [text.get_text() for text in axis.get_yticklabels()] == ["without", "with more"]
    assert "without, wild: +0.25 (+0.25 to +0.25)" in differences.alt_of(records, rows, "a/ours")
    plt.close(figure)
    with pytest.raises(InputError, match="a/none/studio/psnr"):
        differences.differences(records, {"a/none": "nobody"}, "a/ours")


def test_the_methods_boxes_stand_apart_inside_the_figure_and_arrows_join_boxes():
    places = {name: (x - w / 2, y - h / 2, x + w / 2, y + h / 2) for name, (x, y, w, h, *_) in method.BOXES.items()}
    for name, (left, bottom, right, top) in places.items():
        assert 0 < left < right < method.WIDTH and 0 < bottom < top < method.HEIGHT, name
        for other, (l2, b2, r2, t2) in places.items():
            assert name == other or right < l2 or r2 < left or top < b2 or t2 < bottom, f"{name} over {other}"
    assert {name for arrow in method.ARROWS for name in arrow} == set(method.BOXES)
    figure = method.method_figure()
    renderer = figure.canvas.get_renderer()
    texts = {text.get_text(): text.get_window_extent(renderer) for text in figure.axes[0].texts}
    for name, (*_, text) in method.BOXES.items():
        left, bottom, right, top = (edge * figure.dpi for edge in places[name])
        assert texts[text].x0 > left and texts[text].x1 < right, f"{name}: its text is wider than its box"
        assert texts[text].y0 > bottom and texts[text].y1 < top, f"{name}: its text is taller than its box"
    plt.close(figure)
