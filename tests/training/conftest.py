"""Anchors and patch rows of these tests go to a folder that is thrown away; the body is the machine's."""

import pytest

from lca_core.paths import cache_dir
from tests.body.bodies import free_body


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    free_body()  # takes a minute, once a machine: processes that tests start find it, too
    own = tmp_path_factory.mktemp("cache")
    (own / "body").symlink_to(cache_dir() / "body")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LCA_CACHE", str(own))
        yield
