"""Many items, done by processes that may hang, die or raise."""

import os
import pickle
import socket
import subprocess
import sys

import pytest
import ray

from lca_core import engines
from lca_core.engines import Work, local, on_ray
from lca_core.errors import InputError
from lca_core.workers import Worker, WorkerDied, WorkerEnded, WorkerNotStarted, in_workers
from tests import errands

NOWHERE = b"cno_such_module\nf\n."  # a pickle that loads a module which is not there


def _ask(worker: Worker, item: str) -> str:
    try:
        return worker.ask(item)
    except WorkerDied as error:
        return f"{item}: {error}"


def test_an_item_that_hangs_or_kills_its_process_costs_itself_only():
    found = sorted(in_workers(errands.ill, _ask, ["a", "dies", "b", "hangs", "c"], workers=2, seconds=2))
    killed = "dies: ended its process (exit code -9: killed, perhaps for want of memory), 2 times"
    assert found == ["A", "B", "C", killed, "hangs: took over 2 s, 2 times"]


def test_a_process_that_dies_while_it_starts_is_blamed_on_no_item():
    with pytest.raises(WorkerNotStarted, match="ended while it started .exit code 3.*nothing is wrong with the input"):
        Worker(errands.Deadly()).ask("a")


def test_a_process_that_never_says_that_it_is_ready_is_given_up(monkeypatch):
    monkeypatch.setattr("lca_core.workers.START_SECONDS", 0.5)
    with pytest.raises(InputError, match="was not ready after 0 s"):
        Worker(errands.Silent()).ask("a")


def test_a_hang_is_told_from_a_death():
    worker = Worker(errands.ill, 1)
    try:
        assert [engines.attempt(worker, item).hung for item in ("hangs", "dies", "a")] == [True, False, False]
    finally:
        worker.end()


def test_stopping_early_ends_what_is_under_way_and_records_no_failure(tmp_path):
    ended = []

    def ask(worker: Worker, item: str) -> str:
        try:
            return worker.ask(item)
        except WorkerEnded:
            ended.append(item)
            raise

    found = in_workers(errands.ill, ask, ["a", "hangs"], workers=2, seconds=50)
    assert next(found) == "A"
    found.close()
    assert ended == ["hangs"], "it was not waited for: that would have been a WorkerHung, after 50 s"


def test_what_a_task_raises_is_raised_where_it_was_asked_for_and_kills_nobody():
    worker = Worker(errands.upset)
    try:
        for _ in range(2):
            with pytest.raises(InputError, match="b is no good"):
                worker.ask("b")
    finally:
        worker.end()


def test_a_process_is_prepared_before_its_first_item():
    work = Work(errands.prepared, 60, errands.prepare, {"COLOUR": "blue"})
    assert sorted(done.result for done in local(work, ["a", "b"])) == ["a yes blue", "b yes blue"]
    assert "COLOUR" not in os.environ


def test_a_ray_actor_has_its_worker_prepare_and_do_an_item_and_unpickles_neither_itself():
    with pytest.raises(ModuleNotFoundError):
        pickle.loads(NOWHERE)
    packed = pickle.dumps(errands.prepared), pickle.dumps(errands.prepare)
    row = engines.RayWorker(packed, 60, {"COLOUR": "blue"}, ["a", "b"])({"number": 1})
    assert (row["number"], row["result"], row["died"]) == (1, "b yes blue", "")
    actor = engines.RayWorker((NOWHERE, pickle.dumps(None)), 60, {}, ["a"])
    with pytest.raises(WorkerNotStarted):  # by its process, which has no such module either
        actor({"number": 0})


def test_where_ray_does_not_start_this_machine_works_and_says_so(monkeypatch, capsys):
    tried = []

    def init(**_):
        tried.append(0)
        raise Exception("The current node timed out during startup.\nMore lines")

    monkeypatch.setattr(ray, "init", init)
    found = [done.result for done in on_ray(Work(errands.ill), ["a"])]
    assert found == ["A"] and len(tried) == engines.STARTS
    assert "Ray did not start (The current node timed out during startup.)" in capsys.readouterr().err


def test_a_start_of_ray_that_fails_leaves_none_of_its_processes_and_others_alone(monkeypatch):
    started = []

    def init(**_):
        for name in ("/site-packages/ray/gcs_server", "ray::DashboardAgent", "someone else's"):
            started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", name]))
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(engines, "STARTS", 1)
    try:
        assert [done.result for done in on_ray(Work(errands.ill), ["a"])] == ["A"]
        assert [process.poll() is None for process in started] == [False, False, True]
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_cluster_that_is_not_there_is_told_at_once(monkeypatch):
    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("Ray was asked, which tries for minutes"))
    with socket.socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        for form in (address, f"ray://{address}"):
            with pytest.raises(InputError, match=f"no Ray cluster answers at {form} .*refused"):
                list(on_ray(Work(errands.ill), ["a"], address=form))
    with pytest.raises(InputError, match="70000"):
        list(on_ray(Work(errands.ill), ["a"], address="127.0.0.1:70000"))


def test_a_cluster_that_answers_and_is_none_is_told_too(monkeypatch):
    def init(**_):
        raise ConnectionError("This is no Ray.")

    monkeypatch.setattr(ray, "init", init)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(InputError, match=f"answers at {address} .This is no Ray"):
            list(on_ray(Work(errands.ill), ["a"], address=address))
