"""The newest wish wins, nothing queues, and nothing is lost."""

import threading
import time

import pytest

from lca_core.viewer.newest import Newest


def test_of_what_is_asked_for_meanwhile_only_the_newest_is_done():
    done, begun, go_on = [], threading.Event(), threading.Event()

    def work(wish: int) -> None:
        begun.set()
        go_on.wait(60)
        done.append(wish)

    newest = Newest(work)
    newest.ask(0)
    begun.wait(60)
    for wish in range(1, 100):
        newest.ask(wish)
    go_on.set()
    newest.wait(60)
    assert done == [0, 99]


def test_asking_never_waits_for_the_work():
    go_on = threading.Event()
    newest = Newest(lambda _: go_on.wait(60))
    newest.ask(0)
    newest.ask(1)
    with pytest.raises(TimeoutError):
        newest.wait(0.01)
    go_on.set()
    newest.wait(60)


def test_one_thing_is_done_at_a_time_and_the_last_one_always():
    doing, most, done = [], [], []

    def work(wish: int) -> None:
        doing.append(wish)
        most.append(len(doing))
        done.append(wish)
        doing.remove(wish)

    newest = Newest(work)
    askers = [threading.Thread(target=lambda k=k: [newest.ask((k, i)) for i in range(50)]) for k in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    newest.ask("last")
    newest.wait(60)
    assert max(most) == 1 and done[-1] == "last"


def test_what_goes_wrong_is_told_and_the_next_wish_is_done():
    done, wrong = [], []

    def work(wish: int) -> None:
        done.append(1 / wish)

    newest = Newest(work, wrong.append)
    newest.ask(0)
    newest.wait(60)
    newest.ask(2)
    newest.wait(60)
    assert done == [0.5] and isinstance(wrong[0], ZeroDivisionError)
    silent = Newest(work)
    silent.ask(0)
    time.sleep(0.05)  # it may have failed before anybody waits
    with pytest.raises(ZeroDivisionError):
        silent.wait(60)
    silent.ask(4)
    silent.wait(60)
    assert done == [0.5, 0.25]
