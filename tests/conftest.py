"""What every test shares: no window, no network, seeded randomness, and a skip where there is no GPU."""

import os
import socket

import numpy as np
import pytest

import lca_core  # noqa: F401  sets up how torch's threads wait, before torch is loaded

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that gives the same numbers in every run."""
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name looked up outside this machine fails at once: everything needed ships in packages."""
    look_up = socket.getaddrinfo

    def local_only(host, *arguments, **options):
        if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"):
            raise OSError(f"a test asked the network for {host!r}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if any("gpu" in item.keywords for item in items):
        import torch

        if not torch.cuda.is_available():
            for item in items:
                if "gpu" in item.keywords:
                    item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
