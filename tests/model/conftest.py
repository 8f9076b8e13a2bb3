"""Anchors and tokens of these tests go to a folder that is thrown away."""

import pytest

from tests.body.bodies import free_body


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    free_body()  # made once a machine: from the real cache
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LCA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
