"""The astronaut, and the astronaut seen once by every stage (the networks run once a session)."""

import numpy as np
import pytest
from PIL import Image

from lca_core.curation.decode import read_photo
from lca_core.curation.samples import PHOTOS, path_of
from lca_core.curation.stages import CuratedFrame, curate_picture


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    return read_photo(path_of(PHOTOS["astronaut"]))


@pytest.fixture(scope="session")
def curated(astronaut: np.ndarray) -> CuratedFrame:
    return curate_picture(astronaut)


@pytest.fixture
def save(tmp_path):
    """save(array or Pillow image, name) -> path of the written picture."""

    def write(image, name: str, **options):
        path = tmp_path / name
        (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
        return path

    return write
