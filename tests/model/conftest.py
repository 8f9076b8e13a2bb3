"""Anchors and tokens of these tests go to a folder that is thrown away; the bodies are the machine's."""

import pytest

from lca_core.paths import cache_dir
from tests.body.bodies import free_body


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    free_body()  # made once a machine: from the real cache
    own = tmp_path_factory.mktemp("cache")
    (own / "body").symlink_to(cache_dir("body"))  # the sculpted one too: to make it again takes minutes
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LCA_CACHE", str(own))
        yield
