"""The manifests of digital humans."""

import json
from pathlib import Path

from lca_core.data.manifests import manifest
from lca_core.paths import REPOSITORY
from lca_core.people.domains.sets import sets
from lca_core.profiles import profile


def test_the_manifests_in_the_repository_are_the_ones_that_are_made():
    for name, (domain, seeds) in sets(profile("smoke")).items():
        written = json.dumps(manifest(None, domain, seeds, "smoke"), indent=1) + "\n"
        assert written == Path(REPOSITORY, "data_manifests", f"{name}.json").read_text(), name
