"""What is said of digital humans in numbers: rates of detectors, recognition, classes, and their figures."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.color import lab2rgb
from skimage.data import astronaut

from lca_core.curation import networks
from lca_core.data import Camera, Frame, Person, Picture
from lca_core.data.cameras import look_at, project
from lca_core.evaluation import humans, portraits
from lca_core.evaluation.crowd_figures import contact_sheet, identity_figure, label, shares_figure
from lca_core.evaluation.humans import BodyLook, FaceLook, Inspection, face_angles, inspect, skeleton
from lca_core.evaluation.recognition import equal_error_rate, farthest_own, nearest_other, pairs_of, recognise
from lca_core.people.domains import processes
from lca_core.people.who.crowd import TRAITS, class_share_min, class_shares
from lca_core.people.who.spec import sample_person
from lca_core.people.who.tones import typology_angle

BETAS, STILL = np.zeros(300, np.float32), (np.zeros(138), np.zeros(6), np.zeros(4))


# --- Records seen by detectors ---------------------------------------------------------------------------------


def bones():
    return skeleton(BETAS, *STILL)


def person_with(face: Picture | None, body: Picture, **meta) -> Person:
    frame = Frame(body, face, *(x.astype(np.float32) for x in STILL))
    return Person("studio-009000", "studio", 9000, BETAS, (frame,), meta)


def camera_with_eyes_at(places: np.ndarray, px: int, azimuth: float = 0.0) -> Camera:
    """A camera 1.5 m before the head that sees the eyeballs (left, right) at about these pixels [2, 2]."""
    eyes = bones().eyes
    middle = eyes.mean(0)
    viewmat = look_at(middle + 1.5 * np.array([np.sin(azimuth), 0, np.cos(azimuth)]), middle)
    focal = 1.5 * np.linalg.norm(places[0] - places[1]) / np.linalg.norm(eyes[0] - eyes[1])
    u, v = places.mean(0)
    return Camera(viewmat, np.array([[focal, 0, u], [0, focal, v], [0, 0, 1]], np.float32), px, px)


def astronauts_face() -> tuple[Picture, np.ndarray]:
    """A real face in a crop of 200 px, and where MediaPipe has its irises there (left, right)."""
    image = np.ascontiguousarray(astronaut()[10:210, 125:325])
    eyes = networks.face_mesh(image)[[473, 468], :2]
    return Picture(image, np.full((200, 200), 255, np.uint8), camera_with_eyes_at(eyes, 200)), eyes


def nothing(px: int = 64) -> Picture:
    camera = camera_with_eyes_at(np.array([[40, 32], [24, 32]]), px)
    return Picture(np.full((px, px, 3), 127, np.uint8), np.zeros((px, px), np.uint8), camera)


def test_a_real_face_is_found_where_the_record_has_its_eyes():
    picture, eyes = astronauts_face()
    (look,) = inspect(person_with(picture, nothing())).faces
    assert look.found and look.frontal and look.score > 0.7 and look.eyes_off < 0.1
    assert look.embedding.shape == (128,)
    elsewhere = replace(picture, camera=camera_with_eyes_at(eyes + [0, 40], 200))
    (look,) = inspect(person_with(elsewhere, nothing())).faces
    assert not look.found and look.eyes_off > 0.5


def test_nobody_is_found_in_an_empty_picture():
    (look,) = inspect(person_with(nothing(), nothing())).faces
    assert (look.found, look.score, look.eyes_off) == (False, 0.0, np.inf)
    assert look.embedding is None  # 16 px between the eyes


def test_only_frontal_faces_and_people_in_full_view_are_looked_at():
    aside = replace(nothing(), camera=camera_with_eyes_at(np.array([[40, 32], [24, 32]]), 64, np.radians(40)))
    assert inspect(person_with(aside, nothing())).faces == ()
    assert inspect(person_with(nothing(), nothing(), occluded=True)) == Inspection("9000", (), ())


def test_yaw_is_to_the_persons_left_and_pitch_up():
    skeleton_, middle = bones(), bones().eyes.mean(0)
    for azimuth, height in ((0.4, 0.0), (-0.3, 0.2), (0.0, -0.5)):
        place = middle + [np.sin(azimuth), np.tan(height), np.cos(azimuth)]  # the person faces +Z, their left is +X
        camera = Camera(look_at(place, middle), np.eye(3, dtype=np.float32), 8, 8)
        assert np.allclose(face_angles(camera, skeleton_), (azimuth, height), atol=1e-3)


def test_a_pose_counts_only_where_the_body_is(monkeypatch):
    px, middle = 256, bones().joints.mean(0)
    focal = 0.35 * px * 3
    camera = Camera(
        look_at(middle + [0, 0, 3.0], middle),
        np.array([[focal, 0, px / 2], [0, focal, px / 2], [0, 0, 1]], np.float32), px, px,
    )  # fmt: skip
    picture = Picture(np.full((px, px, 3), 127, np.uint8), np.zeros((px, px), np.uint8), camera)
    truth = np.zeros((33, 4), np.float32)
    for name, place in zip(humans._BODY, project(camera, bones().joints[humans._BODY_JOINTS])):
        truth[networks.POSE_NAMES.index(name)] = [*(2 * place), 0, 0.9]  # the picture is enlarged to 512 px
    for shift, visible, found in ((0, 0.9, True), (60, 0.9, False), (0, 0.4, False)):
        answer = truth + np.array([shift, 0, 0, 0])
        answer[:, 3] *= visible / 0.9
        monkeypatch.setattr(networks, "pose", lambda image, answer=answer: networks.Body(answer, None, None))
        (look,) = inspect(person_with(None, picture)).bodies
        assert look.found == found and look.visible == pytest.approx(visible)
    monkeypatch.setattr(networks, "pose", lambda image: None)
    (look,) = inspect(person_with(None, picture)).bodies
    assert not look.found


def face_look(frame=0, score=0.9, eyes_off=0.05, embedding=None) -> FaceLook:
    return FaceLook(frame, 0.1, 0.0, score, eyes_off, embedding)


def test_an_unsure_face_is_trouble():
    (odd,) = humans.worst([Inspection("1", (face_look(0), face_look(3, score=0.6)), ())], 5)
    assert odd.reasons == ("face score 0.60",) and odd.frames == (3,)


def test_rates_are_means_over_people_and_a_persons_records_count_together():
    seen, missed = face_look(), face_look(eyes_off=np.inf)
    good, hidden, wrong = BodyLook(0, 0.9, 0.1), BodyLook(1, 0.2, 0.1), BodyLook(2, 0.9, 0.8)
    inspections = [
        Inspection("1", (seen, seen, seen, missed), (good, hidden)),
        Inspection("2", (seen,), (wrong,)),
        Inspection("2", (missed,), (good, good)),
    ]
    rate = humans.face_mesh_rate(inspections)
    assert rate.per_person == {"1": 0.75, "2": 0.5} and rate.value == 0.625
    assert (rate.n_people, rate.n_frames) == (2, 6)
    assert humans.pose_rate(inspections).per_person == pytest.approx({"1": 0.5, "2": 2 / 3})


def test_the_worst_come_first_with_their_reasons_and_pictures():
    rows = {"1": np.zeros((2, 128)), "2": np.full((2, 128), 0.01), "3": np.full((2, 128), 0.2)}
    rows["3"][1] *= -1  # unlike themself
    inspections = [
        Inspection("1", tuple(face_look(embedding=row, score=1.0) for row in rows["1"]), (BodyLook(5, 0.9, 0.1),)),
        Inspection("2", tuple(face_look(embedding=row, score=1.0) for row in rows["2"]), (BodyLook(7, 0.1, 0.1),)),
        Inspection("3", tuple(face_look(embedding=row, score=1.0) for row in rows["3"]), ()),
    ]
    told = replace(humans.identity(inspections), threshold=0.5)
    first, second, third = humans.worst(inspections, 5, told)
    assert first.person == "3" and first.reasons == ("unlike themself (4.53)",)
    assert second.person == "2" and second.reasons == ("no pose in 1 of 1", "like 1 (0.11)") and second.frames == (7,)
    assert third.reasons == ("like 2 (0.11)",)
    assert first.trouble > second.trouble > third.trouble
    assert [one.person for one in humans.worst(inspections, 1, told)] == ["3"]
    assert humans.worst([Inspection("4", (face_look(score=1.0),), ())], 5) == []


# --- Portraits -------------------------------------------------------------------------------------------------


def test_a_portrait_has_the_eyes_in_its_middle_and_is_frontal(monkeypatch):
    monkeypatch.setattr(portraits, "PX", 48)
    monkeypatch.setattr(portraits, "SAMPLES_PER_PIXEL", 2)
    person = portraits.portraits(sample_person(9004), shots=2)
    for frame in person.frames:
        assert frame.face.image.shape == (48, 48, 3) and frame.face.matte[24, 24] == 255
        signal = skeleton(person.betas, frame.theta, frame.root, frame.gaze)
        places = project(frame.face.camera, signal.eyes)
        assert np.abs(places - 24).max() < 9
        assert max(np.abs(face_angles(frame.face.camera, signal))) < humans.FRONTAL
    assert not np.array_equal(person.frames[0].face.image, person.frames[1].face.image)


def test_portraits_in_the_cache_are_not_drawn_again(monkeypatch, tmp_path):
    monkeypatch.setenv("LCA_CACHE", str(tmp_path))
    monkeypatch.setattr(processes, "_draw_once", lambda *_, **__: pytest.fail("a portrait is drawn again"))
    folder = next(iter(_folder_of(portraits, tmp_path)))
    for seed in (9000, 9001):
        (folder / f"portrait-{seed:06d}.tar").touch()
    paths = portraits.cached_portraits([9001, 9000], progress=False)
    assert [path.name for path in paths] == ["portrait-009001.tar", "portrait-009000.tar"]


def _folder_of(module, root):
    module.cached_portraits([], progress=False)
    return (root / "people").iterdir()


# --- Recognition -----------------------------------------------------------------------------------------------


def test_the_equal_error_rate_is_where_both_errors_meet():
    rate, threshold = equal_error_rate(np.array([0.1, 0.2, 0.3, 0.6]), np.array([0.4, 0.5, 0.7, 0.8]))
    # between 0.4 and 0.5 one of four same pairs is rejected and one of four different ones accepted
    assert rate == 0.25 and threshold == 0.4
    assert equal_error_rate(np.array([0.1, 0.2]), np.array([0.5, 0.6]))[0] == 0
    assert equal_error_rate(np.array([0.7, 0.8]), np.array([0.5, 0.6]))[0] == 1
    assert equal_error_rate(np.full(5, 0.5), np.full(7, 0.5))[0] == 0.5  # ties are decided together
    same, different = np.random.default_rng(0).normal(size=(2, 4000))
    assert equal_error_rate(same, different)[0] == pytest.approx(0.5, abs=0.02)
    with pytest.raises(ValueError, match="pairs"):
        equal_error_rate(np.array([0.1]), np.array([]))


def crowd_of(count: int, spread: float, rng) -> dict[str, np.ndarray]:
    return {str(i): rng.normal(size=(1, 128)) + spread * rng.normal(size=(3, 128)) for i in range(count)}


def test_all_pairs_are_compared_once(rng):
    rows = crowd_of(4, 0.3, rng)
    rows["alone"], rows["unseen"] = rng.normal(size=(1, 128)), np.zeros((0, 128))
    pairs = pairs_of(rows)
    assert len(pairs.people) == 5 and len(pairs.distances) == 13 * 12 / 2
    assert len(pairs.same) == 4 * 3 and len(pairs.different) == 13 * 12 / 2 - 12
    inside = (pairs.first == 2) & (pairs.second == 2)
    expected = [np.linalg.norm(rows["2"][a] - rows["2"][b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert np.allclose(pairs.distances[inside], expected)
    kin = pairs.among({"0": "a", "1": "a", "2": "b", "3": "b", "alone": "c"})
    assert len(kin.same) == 12 and len(kin.different) == 2 * 9
    assert set(farthest_own(pairs)) == {"0", "1", "2", "3"}
    assert farthest_own(pairs)["2"] == pytest.approx(max(expected))


def test_the_nearest_other_person_is_named():
    near, far = np.zeros((1, 128)), np.ones((1, 128))
    nearest = nearest_other(pairs_of({"a": near, "b": near + 0.01, "c": far}))
    assert nearest["a"] == ("b", pytest.approx(0.01 * 128**0.5)) and nearest["b"][0] == "a"
    assert nearest["c"][0] == "b"


def test_recognition_has_an_interval_over_people(rng):
    told = recognise(pairs_of(crowd_of(30, 3.0, rng)), resamples=200)
    low, high = told.ci95
    assert 0 < low <= told.equal_error_rate <= high < 0.5
    assert recognise(pairs_of(crowd_of(30, 0.05, rng)), 20).equal_error_rate == 0
    assert recognise(pairs_of(crowd_of(4, 0.5, rng))).ci95 is None


# --- The crowd -------------------------------------------------------------------------------------------------


def color_of(lightness: float, b: float) -> tuple[float, ...]:
    return tuple(lab2rgb(np.array([lightness, 12.0, b])))


def test_the_typology_angle_is_that_of_its_definition():
    assert typology_angle(np.array(color_of(70, 20))) == pytest.approx(45, abs=0.1)
    assert typology_angle(np.array([color_of(30, 20), color_of(60, 17.32)])) == pytest.approx([-45, 30], abs=0.1)


@pytest.mark.parametrize(
    ("angle", "kind"),
    [(56, "very light"), (54, "light"), (42, "light"), (40, "intermediate"), (27, "tan"), (9, "brown"), (-31, "dark")],
)
def test_skin_is_sorted_by_the_usual_bounds(angle, kind):
    person = sample_person(9000)
    color = color_of(50 + 15 * np.tan(np.radians(angle)), 15)
    shares = class_shares([replace(person, skin=replace(person.skin, color=color, beard="none"))] + men())
    assert shares["skin"][kind] >= 1 / 9


def men() -> list:
    """Eight grown men in trousers and T-shirts of middling skin, so that every trait sorts somebody."""
    one = sample_person(9000)
    build = replace(one.build, sex=1.0, age=30.0, height=1.8, bmi=22.0)
    skin = replace(one.skin, color=color_of(65, 21), beard="none")
    worn = {name: replace(one.shoes, kind=kind) for name, kind in
            (("top", "tshirt"), ("bottom", "trousers"), ("shoes", "boots"))}  # fmt: skip
    return [replace(one, build=build, skin=skin, coat=None, hat=None, glasses=None, **worn)] * 8


def test_shares_are_of_those_who_can_have_the_trait():
    man = men()[0]
    child = replace(man, build=replace(man.build, age=8.0, bmi=15.0))
    dressed = replace(man, build=replace(man.build, sex=0.0), top=None, bottom=replace(man.bottom, kind="dress"))
    shares = class_shares([*men(), child, dressed])
    assert shares["BMI"]["normal"] == 1 and shares["age"]["child"] == 0.1
    assert shares["beard"]["none"] == 1 and shares["top"]["tshirt"] == 1
    assert shares["bottom"]["dress"] == 0.1 and shares["hat"]["none"] == 1 and shares["hat"]["cap"] == 0
    assert all(sum(classes.values()) == pytest.approx(1) for classes in shares.values())
    assert "BMI" not in class_shares([child]) and "top" not in class_shares([dressed])


def test_the_rarest_class_is_named_and_an_absent_one_counts():
    rare = class_share_min(men())
    assert rare.share == 0 and rare.ci95 == (0, 0)
    crowd = [sample_person(seed) for seed in range(9000, 9300)]
    rare, shares = class_share_min(crowd), class_shares(crowd)
    assert rare.share == shares[rare.trait][rare.kind] == min(min(classes.values()) for classes in shares.values())
    assert rare.ci95[0] <= rare.share


def test_a_class_that_no_trait_lists_is_an_error():
    stranger = replace(men()[0], hair=replace(men()[0].hair, style="mohican"))
    with pytest.raises(ValueError, match="mohican"):
        class_shares([*men(), stranger])


# --- Figures ---------------------------------------------------------------------------------------------------


def test_the_figures_show_what_they_are_given(rng):
    told = recognise(pairs_of(crowd_of(5, 0.5, rng)))
    histogram = told.pairs.histogram()
    assert sum(histogram["same"]) == len(told.pairs.same) and sum(histogram["different"]) == len(told.pairs.different)
    (axis,) = identity_figure(histogram, told.equal_error_rate, told.threshold).axes
    assert f"{len(told.pairs.same)} pairs" in axis.get_legend().get_texts()[0].get_text()
    shares = class_shares(men())
    axes = shares_figure(shares).axes
    assert [axis.get_title() for axis in axes[: len(TRAITS)]] == [trait.name for trait in TRAITS]
    skin = axes[0]
    assert [bar.get_width() for bar in skin.patches] == pytest.approx([100 * s for s in shares["skin"].values()][::-1])


def test_a_contact_sheet_labels_everybody():
    looks = sample_person(9000).meta()
    people = [person_with(nothing(), nothing(), looks=looks), person_with(None, nothing())]
    axes = contact_sheet(people, {"9000": "one"}, columns=3).axes
    assert [axis.get_title() for axis in axes] == ["one", "one", ""]
    assert label(people[0]).startswith("9000  ") and looks["hair"]["style"].replace("_", " ") in label(people[0])
    assert label(people[1]) == "studio-009000"
