"""Tests on several processes: a core each, one thread each, and nothing made twice at once.

pytest-xdist deals out whole files (`--dist=loadfile`), so that what a file's fixtures make is made once; the longest
go first, so that no core waits for one at the end.
"""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from lca_core.paths import cache_dir

MOST = 4  # workers: each takes about 2 GB
_ROOT = Path(__file__).parent.parent
# Files that take longer than ten seconds, the longest first; a notebook where pytest is given notebooks, too.
LONG = (
    "tests/curation/test_collection.py",
    "tests/people/test_scene_domains.py",
    "tests/people/test_scene_production.py",
    "notebooks/00_quickstart.ipynb",
    "tests/training/test_loop.py",
    "tests/test_commands.py",
    "tests/evaluation/test_stylised.py",
    "tests/making/test_demo.py",
    "tests/test_book.py",
    "tests/viewer/test_live_browser.py",
    "tests/curation/test_records.py",
    "tests/splats/test_properties.py",
    "tests/viewer/test_page_browser.py",
    "tests/evaluation/test_trials.py",
    "tests/viewer/test_gpu.py",
    "tests/making/test_following.py",
    "tests/curation/test_fit.py",
    "tests/notebooks/test_run.py",
    "tests/test_benchmarks.py",
    "tests/curation/test_detect.py",
    "tests/experiments/test_abilities.py",
    "tests/test_environment.py",
    "tests/model/test_stored.py",
    "tests/training/test_stages.py",
    "tests/evaluation/test_humans.py",
    "tests/experiments/test_table.py",
    "tests/experiments/test_judging.py",
    "tests/evaluation/test_expressiveness.py",
    "tests/people/test_hair.py",
    "tests/evaluation/test_evaluate.py",
    "tests/evaluation/test_control.py",
    "tests/curation/test_refit.py",
    "tests/judges/test_perceptual.py",
    "tests/people/test_clothes.py",
    "tests/people/test_cloth.py",
    "tests/training/test_datasets.py",
    "tests/viewer/test_live.py",
)
# Files that --quick leaves out: they draw or dress people, ask detectors, compile, or start processes.
SLOW = {
    "curation": ("collection", "crops", "detect", "fit", "identity", "records", "refit"),
    "evaluation": ("baselines", "breakdowns", "control", "evaluate", "expressiveness", "figures", "humans", "trials"),
    "experiments": ("judging",),
    "making": ("demo", "dressing", "export", "following", "making", "rigged"),
    "model": ("refinement", "stored"),
    "notebooks": ("run",),
    "people": ("accessories", "cloth", "clothes", "hair", "look", "scene_domains", "scene_production", "scene_render",
               "shape", "skin"),
    "splats": ("properties", "sharing"),
    "training": ("loop", "stages"),
    "viewer": ("live", "live_browser", "page_browser"),
    "": ("benchmarks", "book", "commands", "engines", "environment", "makefile", "workers"),
}  # fmt: skip
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_BODY = """
from lca_core.body import body_file
from lca_core.body import basemesh
from lca_core.people.who import shape
body_file(), body_file(sculpted=True), body_file("full", sculpted=True)
basemesh.load(), shape.sample_shape(__import__("numpy").random.default_rng(0))
"""
_KERNELS = """
import torch
from lca_core.splats import skin
from tests.splats.scenes import draw, random_scene
from tests.splats.test_skinning import random_gaussians
draw(random_scene(seed=0, count=50, cameras=1))
gaussians = random_gaussians(50, torch.Generator().manual_seed(0), torch.float32)
skin(gaussians, torch.rand(50, 5), torch.eye(4).repeat(5, 1, 1).requires_grad_()).means.sum().backward()
"""


def here() -> bool:
    """Whether this process is a worker of several."""
    return "PYTEST_XDIST_WORKER" in os.environ


def count(config: pytest.Config) -> int:
    """As many workers as there are cores, but none (all in this process) for single files and tests."""
    asked = [Path(argument.split("::")[0]) for argument in config.args]
    if asked and all(path.suffix == ".py" for path in asked):
        return 0
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST)


def is_slow(path: Path) -> bool:
    """Whether --quick leaves a file out."""
    folder = path.parent.relative_to(_ROOT / "tests").as_posix() if path.is_relative_to(_ROOT / "tests") else None
    return path.stem.removeprefix("test_") in SLOW.get("" if folder == "." else folder, ())


def one_thread() -> None:
    """In a worker, and in the processes it starts, libraries compute on one thread. Before torch is imported."""
    if here():
        for name in _THREADS:
            os.environ[name] = "1"


def draw_on_one_thread() -> None:
    """The same of the path tracer, once a test has loaded it."""
    drjit = sys.modules.get("drjit")
    if here() and drjit is not None and drjit.thread_count() != 1:
        drjit.set_thread_count(1)


def prepare(config: pytest.Config) -> None:
    """Before workers start: the body files and compiled kernels, which each would make, by two processes at once."""
    if here() or not config.option.tx:
        return
    sources = sorted(path for path in (_ROOT / "lca_core").rglob("*.py") if "njit" in path.read_text(encoding="utf-8"))
    digest = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    if config.cache.get("lca_core/kernels", None) == digest and any(cache_dir("body").glob("*.npz")):
        return
    print("making what all workers need: the body files and compiled kernels (once)", flush=True)
    environment = os.environ | {"PYTHONPATH": str(_ROOT)} | dict.fromkeys(_THREADS, "1")
    started = [subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=_ROOT) for code in (_BODY, _KERNELS)]
    if any([process.wait() for process in started]):
        raise pytest.UsageError("what all workers need could not be made; see above")
    config.cache.set("lca_core/kernels", digest)


def longest_first(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first."""
    if here():
        items.sort(key=lambda item: LONG.index(_file(item)) if _file(item) in LONG else len(LONG))


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(_ROOT).as_posix()
