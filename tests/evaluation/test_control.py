"""Control and likeness: the measures find what is there and nothing where there is nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lca_core.body import ACTIONS
from lca_core.evaluation import control, expressions
from lca_core.evaluation.likeness import Faces, accepted, rank1, same_rate


class _Reader:
    """Stands in for a model: `target_driving` is replaced to return the codes of the frames."""


@pytest.fixture
def people(monkeypatch):
    """Sixteen people in pairs, whose codes hold the first thirty actions linearly, with a little noise."""
    generator = np.random.default_rng(0)
    law = generator.normal(size=(30, 128))

    class Person:
        def __init__(self, seed):
            actions, _ = expressions.faces_of(seed)
            noise = 0.02 * generator.normal(size=(len(actions), 128))
            self.seed, self.betas = seed, None
            self.frames = [_Frame(a, c) for a, c in zip(actions, actions[:, :30] @ law + noise)]

    class _Frame:
        def __init__(self, actions, code):
            self.actions, self.code = actions, torch.from_numpy(code)[None].float()

    class _Driving:
        def __init__(self, epsilon):
            self.epsilon = epsilon

    monkeypatch.setattr(control, "target_driving", lambda model, frame, betas: _Driving(frame.code))
    return [Person(seed) for seed in range(9000, 9064)]


def test_the_probe_reads_the_actions_that_are_in_the_code_and_no_others(people):
    read = control.probe(people, control.codes_of(_Reader(), people))
    held, left = ([read[name] for name in names if name in read] for names in (ACTIONS[:30], ACTIONS[30:]))
    assert min(held) > control.READABLE and max(left) < control.READABLE
    assert len(read) == len(ACTIONS)


def test_the_probe_is_not_fooled_by_codes_that_say_who_it_is(people):
    """Codes that are one person's own number tell nothing of actions of people not seen."""
    generator = torch.Generator().manual_seed(0)
    for person in people:
        own = torch.randn(1, 128, generator=generator)
        for frame in person.frames:
            frame.code = own
    assert max(control.probe(people, control.codes_of(_Reader(), people)).values()) < 0.2


@pytest.mark.parametrize("follows", [True, False])
def test_gaze_is_read_from_the_eyes_and_eyes_that_stay_ahead_are_found_out(people, monkeypatch, follows):
    law = np.random.default_rng(1).normal(size=(4, 60))
    for person in people:
        for frame, gaze in zip(person.frames, expressions.faces_of(person.seed)[1]):
            frame.gaze = gaze

    def eyes_seen(model, avatar, person, frame):
        return frame.gaze @ law, (frame.gaze if follows else 0 * frame.gaze) @ law

    monkeypatch.setattr(control, "_eyes_seen", eyes_seen)
    errors = control.gaze_errors(_Reader(), people, people)
    mean = {name: np.mean(list(found.values())) for name, found in errors.items()}
    assert mean["truth"] < 0.5 and (mean["avatar"] < 0.5 if follows else mean["avatar"] > 5)
    assert errors["avatar"].keys() == {person.seed for person in people}


def test_pairs_make_the_same_faces_and_others_do_not():
    one, other, stranger = (expressions.faces_of(seed) for seed in (9000, 9001, 9002))
    for a, b, c in zip(one, other, stranger):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a[1:], c[1:])
    actions, gaze = one
    assert not actions[0].any() and not gaze[0].any()
    assert ((actions[1:] > 0).sum(1) >= expressions.AT_ONCE[0]).all() and actions.max() <= 1


def test_expressions_are_of_one_person_before_the_camera(monkeypatch):
    from lca_core.people.who.spec import sample_person

    monkeypatch.setattr(expressions, "SAMPLES_PER_PIXEL", 2)
    person = expressions.expressions(sample_person(9004), 42, faces=2)
    assert [frame.instant for frame in person.frames] == [0, 1] and person.domain == "expressions"
    fewer, more = expressions.faces_of(9004, 2)[0], expressions.faces_of(9004)[0]
    np.testing.assert_array_equal(fewer, more[:2])
    for frame, actions in zip(person.frames, fewer, strict=True):
        np.testing.assert_array_equal(frame.actions, actions)
        assert frame.face.image.shape == (42, 42, 3) and frame.face.matte[21, 21] == 255


def faces(count: int, noise: float) -> dict[str, Faces]:
    generator = np.random.default_rng(0)
    result = {}
    for person in range(count):
        truth = np.repeat(generator.normal(size=(1, 128)) / 8, 4, 0)
        result[str(person)] = Faces(truth, truth + noise * generator.normal(size=truth.shape))
    return result


def test_good_likenesses_are_found_again_and_noise_is_not():
    good, bad = faces(32, 0.01), faces(32, 3.0)
    assert np.mean([*rank1(good).values()]) == 1 and np.mean([*same_rate(good).values()]) == 1
    assert np.mean([*accepted(good).values()]) == 1 and np.mean([*accepted(bad).values()]) < 0.3
    assert np.mean([*rank1(bad).values()]) < 0.3 and np.mean([*same_rate(bad).values()]) == 0


def test_people_without_a_face_do_not_count():
    some = faces(3, 0.01)
    some["1"] = replace(some["1"], truth=np.empty((0, 128)), avatar=np.empty((0, 128)))
    assert accepted(some).keys() == rank1(some).keys() == same_rate(some).keys() == {"0", "2"}
