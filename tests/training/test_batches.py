"""Batches: who is drawn, from which photographs, held to which pictures."""

import numpy as np
import pytest
import torch

from lca_core.training.batches import Part, draw_batch, make_batch, shown_of, stack_inputs
from tests.training.subjects import TINY, painted_examples


@pytest.fixture(scope="module")
def people():
    return painted_examples(3)


def test_the_same_random_state_draws_the_same_batch(people):
    a, b = (draw_batch(people, np.random.default_rng(5), 2, 2, 2) for _ in range(2))
    assert torch.equal(a.inputs.body, b.inputs.body)
    assert torch.equal(a.body.pixels, b.body.pixels)
    assert torch.equal(a.root, b.root)


def test_targets_are_not_among_the_photographs_shown_while_there_are_enough(people):
    """Five frames: two shown at most, two held to. Frames are told apart by their rows and pixels."""
    for seed in range(10):
        batch = draw_batch(people, np.random.default_rng(seed), 2, 2, 2)
        for b in range(2):
            owner = next(p for p in people if torch.equal(p.betas, batch.inputs.betas[b]))
            shown = {
                f for f in range(5) for row in batch.inputs.body[b] if torch.equal(owner.body_rows[f].float(), row)
            }
            held = {int(f) for root in batch.root[b] for f in (owner.root == root).all(-1).nonzero()}
            assert 1 <= len(shown) <= 2 and len(held) == 2
            assert not shown & held


def test_more_people_than_there_are_can_be_drawn(people):
    assert draw_batch(people[:1], np.random.default_rng(0), 3, 2, 2).theta.shape == (3, 2, 138)


def test_face_pictures_are_those_of_frames_with_a_face(people):
    targets = [np.array([0, 1]), np.array([2, 0]), np.array([0, 0])]  # frame 0 has no face crop
    inputs = stack_inputs([p.inputs([0]) for p in people])
    batch = make_batch(people, inputs, targets, np.random.default_rng(0))
    assert batch.body.pixels.shape == (6, TINY.body_px, TINY.body_px, 5)
    assert batch.face.pixels.shape == (2, TINY.face_px, TINY.face_px, 5)
    assert [w.tolist() for w in batch.face.which] == [[0, 1], [1, 0]]
    assert torch.equal(batch.face.pixels[1] * 255, people[1].face_pixels[2].float())
    assert torch.equal(batch.face.Ks[1], people[1].face_Ks[2])
    assert torch.equal(batch.face.viewmats[1], people[1].viewmats[2])


def test_hand_pictures_are_those_of_hands_that_are_seen(people):
    targets = [np.array([0, 1]), np.array([2, 0]), np.array([3, 1])]  # left hands are seen in odd frames
    inputs = stack_inputs([p.inputs([0]) for p in people])
    batch = make_batch(people, inputs, targets, np.random.default_rng(0))
    assert batch.hand.pixels.shape == (3, TINY.hand_px, TINY.hand_px, 5)
    assert [w.tolist() for w in batch.hand.which] == [[0, 2, 2], [1, 0, 1]]
    assert torch.equal(batch.hand.pixels[1] * 255, people[2].hand_pixels[3, 0].float())
    assert torch.equal(batch.hand.Ks[2], people[2].hand_Ks[1, 0])


def test_processes_share_a_batch_and_nothing_is_lost_or_weighed_twice(people):
    def drawn(part):
        return draw_batch(people, np.random.default_rng(3), 4, 2, 2, placed=0.5, judged=2, part=part)

    whole, parts = drawn(Part()), [drawn(Part(rank, 2)) for rank in range(2)]
    for rank, batch in enumerate(parts):
        assert torch.equal(batch.theta, whole.theta[rank::2]) and torch.equal(batch.chips, whole.chips[rank::2])
        assert torch.equal(batch.inputs.placement.known, whole.inputs.placement.known[rank::2])
    for kind in ("body", "face", "hand"):
        views, shares = getattr(whole, kind), [getattr(batch, kind) for batch in parts]
        assert views.share == 1 and int(views.judged.sum()) == min(2, len(views.pixels))
        assert sum(len(v.pixels) for v in shares) == len(views.pixels)
        assert sum(int(v.judged.sum()) for v in shares) == int(views.judged.sum())
        assert sum(v.share for v in shares) == pytest.approx(2)
        for rank, share in enumerate(shares):
            mine = views.which[0] % 2 == rank
            assert torch.equal(share.pixels, views.pixels[mine]) and torch.equal(
                share.background, views.background[mine]
            )
            assert torch.equal(share.judged, views.judged[mine])


def test_a_batch_that_cannot_be_shared_evenly_is_refused(people):
    with pytest.raises(ValueError, match="2 processes"):
        draw_batch(people, np.random.default_rng(0), 3, 2, 2, part=Part(0, 2))


def test_fewer_photographs_are_padded_and_marked_unseen(people):
    inputs = stack_inputs([people[0].inputs([1, 2, 3]), people[1].inputs([4])])
    assert inputs.body.shape[:2] == (2, 3)
    assert inputs.seen[0].all()
    assert inputs.seen[1].tolist() == [[True, True], [False, False], [False, False]]
    assert torch.equal(inputs.body[1, 0], people[1].body_rows[4].float())


def test_unknown_actions_are_not_numbers(people):
    assert people[0].actions[0].isnan().all()
    assert people[0].actions[1:].isfinite().all()


def test_poses_are_told_of_as_many_people_as_wanted(people):
    drawn = [draw_batch(people, np.random.default_rng(5), 2, 2, 2, placed) for placed in (1.0, 0.0)]
    told, hidden = (batch.inputs.placement for batch in drawn)
    assert told.known.all() and not hidden.known.any()
    assert torch.equal(told.pose, hidden.pose)  # nothing else is drawn otherwise
    assert torch.equal(drawn[0].body.background, drawn[1].body.background)


def test_photographs_to_look_at_again_are_those_shown(people):
    batch = draw_batch(people, np.random.default_rng(3), 2, 3, 2, placed=1.0, looks=2)
    shown = batch.shown
    assert 1 <= shown.steps <= 2
    count = batch.inputs.body.shape[1]
    assert shown.theta.shape[:2] == (2, count)
    bodies = shown.shots[0]
    assert len(bodies.pixels) == 2 * count
    for pixels, person, frame in zip(bodies.pixels, bodies.person, bodies.frame):
        owner = next(p for p in people if torch.equal(p.betas, batch.inputs.betas[person]))
        number = next(f for f in range(5) if torch.equal(owner.root[f], shown.root[person, frame]))
        assert torch.equal(pixels, owner.body_pixels[number].float() / 255)


def test_photographs_whose_poses_are_not_told_are_not_compared_with(people):
    batch = draw_batch(people, np.random.default_rng(0), 2, 2, 2, placed=0.0, looks=1)
    assert batch.shown.shots == ()


def test_some_batches_show_one_photograph(people):
    counts = [
        draw_batch(people, np.random.default_rng(seed), 2, 4, 2, single=0.5).inputs.body.shape[1] for seed in range(40)
    ]
    assert 10 <= counts.count(1) <= 30 and set(counts) == {1, 2, 3, 4}
    always = [draw_batch(people, np.random.default_rng(seed), 2, 4, 2).inputs.body.shape[1] for seed in range(20)]
    assert 1 not in always


def test_fewer_photographs_of_one_person_leave_rows_that_are_in_no_shot(people):
    shown = shown_of(people[:2], [[1, 2], [3]], [True, True])
    bodies = shown.shots[0]
    assert shown.theta.shape[:2] == (2, 2)
    assert sorted(zip(bodies.person.tolist(), bodies.frame.tolist())) == [(0, 0), (0, 1), (1, 0)]
