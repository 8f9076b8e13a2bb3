"""Where things are written: found wanting before the work, whole or not at all, and for whom the umask says."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import lca_core
from lca_core import compiled, paths
from lca_core.errors import InputError
from lca_core.paths import atomic_path, cache_dir, output_folder, writable, writable_folder


@pytest.fixture
def closed(tmp_path, monkeypatch) -> Path:
    """A folder that nobody may write to, root included."""
    folder = tmp_path / "closed"
    folder.mkdir()
    real = os.open

    def refused(path, *arguments, **options):
        if str(path).startswith(str(folder)):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refused)
    return folder


@pytest.mark.parametrize("umask, mode", [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_files_are_for_whom_the_umask_says(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with atomic_path(tmp_path / "a.txt") as partial:
            partial.unlink()
            partial.write_text("as safetensors does, made anew")
            partial.chmod(0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_cannot_be_written_is_known_before_the_work(closed, tmp_path):
    for path in (closed, closed / "a.png", closed / "new" / "deep" / "a.png"):
        with pytest.raises(InputError, match=r"closed.* cannot be written .Permission denied."):
            writable(path)
    with pytest.raises(InputError, match="a.png cannot be written"):
        with atomic_path(closed / "a.png"):
            raise AssertionError("the work began")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is a file; give a folder"):
        writable_folder(tmp_path / "file")
    with pytest.raises(InputError, match="file is a file; give another path"):
        writable(tmp_path / "file" / "a.png")
    assert writable(tmp_path / "open" / "a.png") == tmp_path / "open" / "a.png"
    assert not (tmp_path / "open").exists(), "asking makes nothing"


def test_a_disk_that_fills_is_told_of_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="a.txt cannot be written .No space left"):
        with atomic_path(tmp_path / "a.txt"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(FileNotFoundError):
        with atomic_path(tmp_path / "a.txt"):
            (tmp_path / "nowhere").read_text()
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_made_says_which_setting_helps(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LCA_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="set LCA_CACHE to a folder"):
        cache_dir("body")


def test_a_notebook_writes_below_the_repository_wherever_it_runs_from(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "REPOSITORY", tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    assert output_folder("build/07") == tmp_path / "here" / "build" / "07" and (tmp_path / "here" / "build").is_dir()
    assert output_folder(tmp_path / "there") == tmp_path / "there"


@pytest.mark.parametrize("cache", ["given", "closed"])
def test_kernels_are_kept_elsewhere_where_the_package_cannot_be_written(tmp_path, monkeypatch, cache):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LCA_CACHE", str(tmp_path / ("cache" if cache == "given" else "file")))
    monkeypatch.setattr(os, "access", lambda path, mode: path != Path("package"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(sys, "modules", {name: m for name, m in sys.modules.items() if name != "numba"})
    compiled.keep_kernels(Path("package"))
    kept = Path(os.environ["NUMBA_CACHE_DIR"])
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    assert kept.is_dir() and (kept == tmp_path / "cache" / "kernels" or cache == "closed")
    if cache == "closed":
        kept.rmdir()


def test_kernels_stay_beside_their_sources_where_they_can():
    package = Path(lca_core.__file__).parent
    told = "import os, lca_core; print(os.environ.get('NUMBA_CACHE_DIR'))"
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"PYTHONPATH": str(package.parent)}
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, env=environment)
    assert run.stdout.strip() == "None" or not os.access(package, os.W_OK)


@pytest.mark.parametrize("told", [{}, {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "active"}])
def test_torchs_threads_are_told_to_sleep_soon_unless_the_user_has_told_them(monkeypatch, told):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    compiled.let_others_in()
    found = {name: os.environ[name] for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY") if name in os.environ}
    assert found == (told or {"GOMP_SPINCOUNT": "10000"})
