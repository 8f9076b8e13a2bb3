"""The door holds: files that are broken, odd or meant to do harm are accepted or refused as wanted, and do nothing."""

import ctypes
import importlib
import os
import signal
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lca_core.curation import colours, decode
from lca_core.curation.decode import read_clip, read_photo
from lca_core.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
try:
    files, hostile = (importlib.import_module(name) for name in ("hostile_files", "hostile"))
finally:
    sys.path.pop(0)

SLOW = {"most.png"}  # two seconds; the benchmark reads it
SECONDS = 60  # on a busy machine


@pytest.fixture(autouse=True)
def no_hanging():
    """What waits, as an opened pipe would, fails."""

    def stop(*_):
        raise TimeoutError(f"not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def impatient(monkeypatch):
    """The same limits, reached sooner."""
    monkeypatch.setattr(decode, "PATIENCE", 0.5)
    monkeypatch.setattr(decode, "MAX_GAP", 10_000_000)


@pytest.mark.parametrize("name", sorted(files.FILES.keys() - SLOW))
def test_a_hostile_file_is_accepted_or_refused_as_wanted(tmp_path, impatient, name):
    file = files.hostile_file(tmp_path, name)
    verdict, reason = hostile.attempt(file)
    assert hostile.handled(file, verdict, reason), f"{verdict}: {reason}"
    assert not (tmp_path / "ran").exists(), "a program inside the file was run"


@pytest.mark.parametrize(
    "name, reason",
    [
        ("bomb.png", "110 megapixels"),
        ("scans.jpg", "takes too long"),
        ("pipe.mp4", "a pipe or a device"),
        ("changes.ts", "size changes"),
        ("album.mp4", "no video"),
        ("code.mp4", "coded in a way not known"),
    ],
)
def test_a_refusal_tells_the_fault(tmp_path, impatient, name, reason):
    assert reason in hostile.attempt(files.hostile_file(tmp_path, name))[1]


def test_a_clip_with_a_hole_is_read_up_to_it_and_marked(tmp_path, impatient):
    clip = read_clip(files.hostile_file(tmp_path, "hole.avi").path)
    assert len(clip.images) == 6 and not clip.complete


def test_a_photograph_read_in_bands_is_the_same_as_in_one(tmp_path, monkeypatch):
    for name in ("clear.png", "deep.png", "float.tif", "turned.jpg", "print.jpg", "few.png"):
        path = files.hostile_file(tmp_path, name).path
        whole = read_photo(path)
        with monkeypatch.context() as patch:
            patch.setattr(colours, "BAND", 1000)
            assert (read_photo(path) == whole).all(), name


def test_a_file_given_up_halfway_through_a_good_picture_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "PATIENCE", 0.0)
    with pytest.raises(InputError, match="takes too long"):
        read_photo(files.hostile_file(tmp_path, "print.jpg").path)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells which files are opened")
@pytest.mark.parametrize("name", ["other.mp4", "join.mp4"])
def test_a_playlist_does_not_have_other_files_opened(tmp_path, name):
    file = files.hostile_file(tmp_path, name)
    libc = ctypes.CDLL(None)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    try:
        assert libc.inotify_add_watch(watch, bytes(tmp_path / "other.ts"), 0x20) >= 0  # IN_OPEN
        with pytest.raises(InputError):
            read_clip(file.path)
        with pytest.raises(BlockingIOError):  # nothing to tell
            os.read(watch, 4096)
        read_clip(tmp_path / "other.ts")
        assert os.read(watch, 4096), "the watch sees what is opened"
    finally:
        os.close(watch)


def test_a_playlist_does_not_reach_the_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        path = tmp_path / "web.mp4"
        path.write_bytes(files.playlist(f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"))
        with pytest.raises(InputError, match="web.mp4"):
            read_clip(path)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "computed, polls, answers",
    [
        ((1.0, 2.0), (False, False, True), True),
        ((0.1,), (False, True), False),
        ((3.0, 3.1), (False, False, True), False),
    ],
)
def test_a_process_is_given_up_when_it_waits_and_not_while_it_computes(monkeypatch, computed, polls, answers):
    """computed: seconds that it has computed whenever it is asked; polls: whether it has answered by then."""
    seconds, answered = iter(computed), iter(polls)
    times = SimpleNamespace(cpu_times=lambda: (next(seconds), 0.0, 9.0))
    monkeypatch.setattr(hostile.psutil, "Process", lambda pid: times)
    answer = SimpleNamespace(poll=lambda clock: next(answered))
    assert hostile._answered(SimpleNamespace(pid=0), answer) == answers
