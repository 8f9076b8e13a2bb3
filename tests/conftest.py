"""What every test shares: no window, no network, seeded randomness, checked shapes, a skip where there is no GPU, and
workers that do not stand in each other's way (`tests/workers.py`)."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import numpy as np
import pytest

import lca_core  # noqa: F401  sets up how torch's threads wait, before torch is loaded
from tests import workers
from tests.shapes import check_shapes

workers.one_thread()
if os.environ.get("LCA_CHECK_SHAPES") != "0":
    check_shapes()

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that gives the same numbers in every run."""
    return np.random.default_rng(0)


@pytest.fixture
def any_shape() -> Iterator[None]:
    """Shapes are not checked: for tests of what the library itself says of wrong ones."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name looked up outside this machine fails at once: everything needed ships in packages."""
    look_up = socket.getaddrinfo

    def local_only(host, *arguments, **options):
        if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"):
            raise OSError(f"a test asked the network for {host!r}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only files of tests that take a second or two")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.option.quick and workers.is_slow(collection_path) else None


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return workers.count(config)


def pytest_sessionstart(session: pytest.Session) -> None:
    workers.prepare(session.config)


def pytest_runtest_setup() -> None:
    workers.draw_on_one_thread()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    workers.longest_first(items)
    if any("gpu" in item.keywords for item in items):
        import torch

        if not torch.cuda.is_available():
            for item in items:
                if "gpu" in item.keywords:
                    item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
