"""Threads that share a kernel's pieces: each is done once, by whoever is there, and nobody waits for who is not."""

import threading
from queue import SimpleQueue

import numpy as np
import pytest
import torch
from numba import njit
from torch.utils.data import DataLoader

from lca_core.splats import sharing
from lca_core.splats.sharing import first_piece, next_piece, share_out
from tests.splats.scenes import draw, random_scene


@njit(nogil=True)
def _count(counters, done):
    piece = first_piece(counters)
    while piece >= 0:
        done[piece] += 1
        piece = next_piece(counters)


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(sharing, "threads", lambda: 2)


def helping() -> bool:
    return threading.current_thread().name.startswith("splats-")


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("pieces", [0, 1, 3, 10_000])
def test_every_piece_is_done_once_by_however_many_threads(monkeypatch, threads, pieces):
    monkeypatch.setattr(sharing, "threads", lambda: threads)
    done = np.zeros(pieces, np.int64)
    for calls in range(1, 20):
        share_out(_count, pieces, done)
        assert (done == calls).all()


def test_who_calls_does_not_wait_for_helpers_that_never_come(monkeypatch, two_threads):
    monkeypatch.setattr(sharing, "_heap", SimpleQueue())  # which nobody looks into
    monkeypatch.setattr(sharing, "_started", 1)
    done = np.zeros(100, np.int64)
    share_out(_count, 100, done)
    assert (done == 1).all()


def test_who_calls_waits_for_a_piece_that_a_helper_is_at(two_threads):
    taken, finished = threading.Event(), []

    def kernel(counters):
        if not helping():
            assert taken.wait(60)
        piece = first_piece(counters)
        while piece >= 0:
            if helping():
                taken.set()
                threading.Event().wait(0.1)
            finished.append(piece)
            piece = next_piece(counters)

    share_out(kernel, 2)
    assert sorted(finished) == [0, 1]


def test_what_goes_wrong_in_a_helper_is_raised_and_the_helper_lives_on(two_threads):
    taken = threading.Event()

    def kernel(counters):
        if not helping():
            assert taken.wait(60)
        piece = first_piece(counters)
        while piece >= 0:
            if helping():
                taken.set()
                raise MemoryError("of a helper")
            piece = next_piece(counters)

    with pytest.raises(MemoryError, match="of a helper"):
        share_out(kernel, 2)
    share_out(_count, 100, np.zeros(100, np.int64))


def test_as_many_threads_draw_as_torch_uses():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert sharing.threads() == 1
    finally:
        torch.set_num_threads(before)


def test_five_threads_draw_the_same_bits_as_one(monkeypatch):
    scene, results = random_scene(seed=3, count=700, cameras=2, width=90, height=70), []
    for count in (1, 5):
        monkeypatch.setattr(sharing, "threads", lambda count=count: count)
        results.append(draw(scene))
    (image, alpha, gradients), again = results
    assert torch.equal(image, again[0]) and torch.equal(alpha, again[1])
    assert all(torch.equal(gradients[name], again[2][name]) for name in gradients)


@pytest.mark.skipif(not hasattr(sharing.os, "fork"), reason="this system does not fork")
def test_a_process_forked_after_drawing_draws_the_same_bits_with_helpers_of_its_own(two_threads):
    scene = random_scene(seed=9, count=200, cameras=2)
    image, alpha, _ = draw(scene)
    loader = DataLoader(
        [scene], batch_size=None, collate_fn=draw, num_workers=1, multiprocessing_context="fork", timeout=120
    )
    (drawn,) = loader
    assert torch.equal(drawn[0], image) and torch.equal(drawn[1], alpha)
