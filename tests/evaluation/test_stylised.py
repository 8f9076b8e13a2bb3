"""Drawn people: drawings that can be compared with photographs, and numbers of avatars that are known to be right."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from lca_core.curation.filters import Reason
from lca_core.data import Frame, Person, Picture
from lca_core.errors import InputError
from lca_core.evaluation import stylised_door
from lca_core.evaluation.drawn_people import (
    HELD_OUT,
    LOOKS,
    PHOTOGRAPHS,
    PLAIN,
    Looks,
    cached_drawings,
    drawn_person,
    held_out_of,
    photographs_of,
    read_drawings,
)
from lca_core.evaluation.evaluate import draw_like
from lca_core.evaluation.stylised import (
    BESIDE,
    METRICS,
    avatars_of,
    followed,
    held_out_moments,
    over_styles,
    style_kept,
    try_looks,
)
from lca_core.evaluation.stylised_door import answers
from lca_core.evaluation.stylised_figure import COLUMNS, looks_row, stylised_figure
from lca_core.model import LCA, rows_length
from lca_core.model.raw import OPACITY, SCALE
from lca_core.people.domains import recording
from lca_core.people.styles.stylise import EXAGGERATED, STYLES
from lca_core.profiles import PROFILES
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_person

SEED = 10_000
SMALL = replace(PROFILES["smoke"], body_px=70, face_px=56, hand_px=28, samples_per_pixel=2)


@pytest.fixture(scope="module")
def drawn() -> Looks:
    """A test person in all looks, small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording.DigitalHuman, "build", partial(recording.DigitalHuman.build, texture_px=128))
        return drawn_person(SEED, SMALL)


def test_every_style_shows_what_the_photograph_shows(drawn):
    assert tuple(drawn) == LOOKS and LOOKS[0] == PLAIN
    plain = drawn[PLAIN]
    assert len(photographs_of(plain)) == PHOTOGRAPHS and len(held_out_of(plain)) == HELD_OUT
    for style in STYLES:
        person = drawn[style]
        assert (person.seed, person.meta["style"]) == (SEED, style) and np.array_equal(person.betas, plain.betas)
        for one, other in zip(person.frames, plain.frames, strict=True):
            assert all(np.array_equal(getattr(one, n), getattr(other, n)) for n in ("theta", "root", "gaze", "actions"))
            assert one.instant == other.instant and one.pictures.keys() == other.pictures.keys()
            same = [np.array_equal(one.body.matte, other.body.matte), np.array_equal(one.body.camera.K,
                                                                                     other.body.camera.K)]  # fmt: skip
            assert same == [style != EXAGGERATED] * 2, style
            assert not np.array_equal(one.body.image, other.body.image)


def test_held_out_pictures_are_of_another_moment_from_other_sides(drawn):
    person = drawn[PLAIN]
    given, held = ({frame.instant for frame in part(person)} for part in (photographs_of, held_out_of))
    assert (given, held) == ({0}, {1})

    def turned(frame: Frame) -> float:
        x, _, z = -frame.body.camera.viewmat[:3, :3].T @ frame.body.camera.viewmat[:3, 3]
        return np.arctan2(x, z)

    sides = [[turned(frame) for frame in part(person)] for part in (photographs_of, held_out_of)]
    apart = np.abs(np.angle(np.exp(1j * np.subtract.outer(*sides))))
    assert apart.min() > np.radians(25)


def test_photographs_for_the_door_are_large_and_bare_and_people_come_back_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("lca_core.evaluation.drawn_people.cache_dir", lambda *parts: tmp_path.joinpath(*parts))
    looks = {
        look: Person(f"drawn-{look}-{SEED:06d}", "drawn", SEED, np.zeros(300, np.float32),
                     painted_person(3, 2).frames, {"style": look})
        for look in LOOKS
    }  # fmt: skip
    asked = []
    monkeypatch.setattr(
        "lca_core.evaluation.drawn_people.drawn_person", lambda seed, profile, px: asked.append((seed, px)) or looks
    )
    monkeypatch.setattr(
        "lca_core.evaluation.drawn_people.draw_missing",
        lambda folder, what, seeds, draw, *rest: [draw(s, folder / f"{s}.tar") or folder / f"{s}.tar" for s in seeds],
    )
    paths = cached_drawings([SEED], SMALL), cached_drawings([SEED], SMALL, px=140)
    assert asked == [(SEED, None), (SEED, 140)] and paths[0][0].parent != paths[1][0].parent
    (back,) = read_drawings(paths[0])
    assert tuple(back) == LOOKS and len(back["toon"].frames) == 2


def test_only_test_people_are_drawn():
    with pytest.raises(InputError, match="test person"):
        drawn_person(9_000, SMALL)


@pytest.fixture(scope="module")
def model() -> LCA:
    torch.manual_seed(0)
    model = LCA(TINY, rows_length(MeanColour()), free_body()).eval()
    with torch.no_grad():  # a body without holes
        model.template.raw[..., SCALE] += 0.9
        model.template.raw[..., OPACITY] = 5
    return model


def recoloured(person: Person, look: str) -> Person:
    """Somebody in colours of the look's own."""
    turn = LOOKS.index(look)

    def picture(given: Picture | None) -> Picture | None:
        return given and replace(given, image=np.roll(given.image, turn, -1) // (1 + turn // 3))

    frames = tuple(replace(frame, body=picture(frame.body), face=picture(frame.face)) for frame in person.frames)
    return replace(person, frames=frames, meta={"style": look})


def true_looks(model: LCA, seed: int) -> Looks:
    """A person whose held-out pictures are what the model makes of the photographs; the exaggerated one is broader."""
    looks = {look: recoloured(painted_person(seed, PHOTOGRAPHS + HELD_OUT), look) for look in LOOKS}
    for look, avatar in avatars_of(model, MeanColour(), looks).items():
        held = []
        for posed, frame in zip(held_out_moments(model, avatar, looks), held_out_of(looks[look])):
            if look == EXAGGERATED:
                posed = replace(posed, means=posed.means * torch.tensor([1.5, 1.0, 1.5]))
            colors, alpha = draw_like(posed, frame.body)
            image, matte = (255 * colors).round().byte().numpy(), (255 * (alpha > 0.5).byte()).numpy()
            held.append(replace(frame, body=Picture(image, matte, frame.body.camera)))
        looks[look] = replace(looks[look], frames=(*photographs_of(looks[look]), *held))
    return looks


@pytest.fixture(scope="module")
def looks(model) -> Looks:
    return true_looks(model, 9000)


@pytest.fixture(scope="module")
def values(model, looks) -> dict[str, list[float]]:
    return try_looks(model, avatars_of(model, MeanColour(), looks), looks, true_looks(model, 9001))


def test_who_makes_the_drawings_held_out_is_like_them_in_everything(values):
    for look in (PLAIN, *STYLES[:-1]):
        iou, color, feature = (values[f"{look}/{metric}"] for metric in METRICS)
        assert len(iou) == HELD_OUT and min(iou) > 0.97 and min(color) > 0.97, look
        # At 56 px the soft outline, which a matte cuts off, is a good part of the features.
        assert np.mean(feature) > max(0.7, np.mean(values[f"{look}/others_feature_likeness"])), look


def test_each_likeness_stands_beside_others(values):
    for style in STYLES:
        assert {f"{style}/{beside}_{metric}" for beside in BESIDE for metric in METRICS[1:]} <= values.keys()
    assert not any(name.startswith(("plain/input", "plain/plain")) for name in values)
    drawn, kept = (np.mean(values[f"clay/{name}_color_likeness"]) for name in ("input", "plain"))
    assert drawn == pytest.approx(kept, abs=0.03), "the avatar is the drawing: both are as far from the plain picture"


def test_other_proportions_are_told_by_the_silhouette(values):
    assert np.mean(values[f"{EXAGGERATED}/iou"]) < 0.9
    assert values[f"{EXAGGERATED}/told_iou"] == pytest.approx(values[f"{EXAGGERATED}/iou"], abs=0.05)
    assert followed(values) == pytest.approx(0, abs=0.2), "this model makes the body that it is told"
    whole = {"exaggerate/told_iou": [0.6, 0.8], "exaggerate/iou": [0.8, 0.9], "plain/iou": [1.0, 1.0]}
    assert followed(whole) == pytest.approx(0.5)
    assert np.isnan(followed(whole | {"exaggerate/told_iou": [1.0]}))


def test_one_number_a_person_is_the_mean_over_styles(model, looks, values):
    kept = over_styles(values, "feature_likeness")
    assert len(kept) == HELD_OUT * len(STYLES)
    assert style_kept(model, MeanColour(), looks) == pytest.approx(np.mean(kept), abs=1e-4)


def test_the_sheet_has_a_row_a_look_with_what_went_in_and_what_came_out(model, looks):
    avatars = avatars_of(model, MeanColour(), looks)
    row = looks_row(model, avatars["toon"], looks, "toon", 48)
    assert len(row) == len(COLUMNS) and all(picture.dtype == np.uint8 for picture in row)
    inside = held_out_of(looks["toon"])[0].body.matte > 0
    assert np.abs(row[2].astype(int) - row[3])[inside].mean() < 1, "the drawing held out and the avatar there"
    figure = stylised_figure(model, [looks], [{look: avatars[look] for look in (PLAIN, "toon")}], 48)
    assert len(figure.axes) == 2 * len(COLUMNS)
    plt.close(figure)


@pytest.fixture
def door(monkeypatch):
    """Eyes that refuse ink, know three photographs of four of clay, and fit what they know."""

    def see(paths):
        style = paths[0].name.split("-")[1]
        good = [] if style == "sketch" else paths[:3] if style == "clay" else paths
        refused = {path: Reason("nobody", "nobody") for path in paths if path not in good}
        return (SimpleNamespace(paths=good) if good else None), refused

    def record(photos, profile):
        views = [{"file": path.name, "tracked": i > 0, "fit_error": 0.02 if i else None}
                 for i, path in enumerate(photos.paths)]  # fmt: skip
        return SimpleNamespace(meta={"photos": views})

    monkeypatch.setattr(stylised_door, "see_good_photos", see)
    monkeypatch.setattr(stylised_door, "photos_record", record)


def test_the_door_s_refusals_are_counted_by_style(door, tmp_path):
    looks = {
        look: replace(painted_person(3, frames=4), id=f"drawn-{look}-010000") for look in ("toon", "sketch", "clay")
    }
    found = answers(looks, TINY, tmp_path)
    assert found["toon"].fitted == [0, 1, 1, 1] and found["toon"].reasons == {"no_pose": 1}
    assert found["sketch"].fitted == [0] * 4 and found["sketch"].reasons == {"nobody": 4}
    assert found["clay"].fitted == [0, 1, 1, 0] and found["clay"].errors == [0.02, 0.02]
