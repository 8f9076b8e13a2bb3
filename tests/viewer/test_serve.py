"""One page, to this machine alone, and nothing else."""

import urllib.error
import urllib.request

import pytest

from lca_core.errors import InputError
from lca_core.viewer.serve import served


def asked(address: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def test_the_page_is_served_and_nothing_else_is():
    with served("<p>grüezi</p>") as address:
        assert address.startswith("http://127.0.0.1:")
        assert asked(address) == (200, "<p>grüezi</p>".encode())
        for path in ("pyproject.toml", "../pyproject.toml", "%2e%2e/", "?x"):
            assert asked(address + path)[0] == 404
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=60)


def test_a_port_that_is_taken_is_told():
    with served("one") as address:
        port = int(address.rstrip("/").rsplit(":", 1)[1])
        with pytest.raises(InputError, match=str(port)), served("two", port):
            pass
