"""Digital humans through the photograph door."""

from dataclasses import replace

import numpy as np
import pytest

from lca_core.curation import refit as module
from lca_core.curation.refit import refit, refit_shards, whole_photograph
from lca_core.data import Camera, Frame, Picture, read_people, write_shard
from lca_core.engines import Done
from lca_core.errors import InputError
from lca_core.profiles import profile
from tests.data.people import random_person
from tests.model.stored.make import PEOPLE


def camera(focal: float, px: int, centre: float) -> Camera:
    K = np.array([[focal, 0, centre], [0, focal, centre], [0, 0, 1]], np.float32)
    return Camera(np.eye(4, dtype=np.float32), K, px, px)


def test_crops_are_laid_where_they_were_taken():
    """A face crop that sees a quarter of the body picture's side, white; all else is black."""
    body = Picture(np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint8), camera(100, 40, 20))
    face = Picture(np.full((60, 60, 3), 255, np.uint8), np.zeros((60, 60), np.uint8), camera(600, 60, 30))
    zeros = (np.zeros(n, np.float32) for n in (138, 6, 4))
    picture = whole_photograph(Frame(body, face, *zeros))[..., 0]
    assert picture.shape == (120, 120)
    white = np.argwhere(picture > 127)
    middle, extent = white.mean(0), np.ptp(white, axis=0) + 1
    assert np.abs(middle - 59.5).max() < 1  # pixels' numbers: the middle of 120
    assert (np.abs(extent - 30) < 5).all()  # 60 px at a sixth of the focal length, three times as large, less the fade
    assert picture[60, 60] == 255 and picture[20, 20] == 0


@pytest.fixture(scope="module")
def again():
    person = next(person for person in read_people(PEOPLE) if person.domain == "wild" and person.seed == 10_001)
    return person, refit(person, profile("study"))


def test_a_person_comes_back_with_what_the_pictures_tell(again):
    person, fitted = again
    assert fitted.id == f"{person.id}-refit" and (fitted.domain, fitted.seed) == (person.domain, person.seed)
    assert 3 <= len(fitted.frames) <= len(person.frames)
    sizes = profile("study")
    for frame in fitted.frames:
        assert frame.tracked and frame.body.image.shape == (sizes.body_px, sizes.body_px, 3)
    assert sum(frame.face is not None for frame in fitted.frames) >= 2
    originals = {frame.instant: frame for frame in person.frames}
    turns = [np.abs(frame.theta - originals[frame.instant].theta).mean() for frame in fitted.frames]
    assert 0 < np.mean(turns) < 0.3  # near to the tracker's, and not the same


def test_pictures_of_nobody_give_nobody(again):
    person, _ = again
    grey = [replace(f, body=replace(f.body, image=np.full_like(f.body.image, 90)), face=None, hands=(None, None))
            for f in person.frames]  # fmt: skip
    assert refit(replace(person, frames=tuple(grey)), profile("study")) is None


def test_shards_are_fitted_again_once_and_under_their_names(tmp_path, monkeypatch):
    people = [random_person(seed, "wild") for seed in (3, 4, 5)]
    (tmp_path / "data").mkdir()
    for number, some in enumerate((people[:2], people[2:])):
        write_shard(tmp_path / "data" / f"wild-{number:05d}.tar", some)
    monkeypatch.setattr(
        module, "refit", lambda person, _: None if person.seed == 5 else replace(person, id=f"{person.id}-refit")
    )

    def here(work, items, workers):
        for item in items:
            yield Done(item, work.task(item), "", 0.0)

    def again():
        return refit_shards(tmp_path / "data", tmp_path / "out", profile("smoke"), progress=False, engine=here)

    assert again() == {"wild-00000.tar": (2, 2), "wild-00001.tar": (0, 1)}
    assert [p.id for p in read_people(tmp_path / "out")] == [f"{p.id}-refit" for p in people[:2]]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["refit.json", "wild-00000.tar"]
    monkeypatch.setattr(module, "refit", None)  # nothing is done twice
    assert again() == {"wild-00000.tar": (2, 2), "wild-00001.tar": (0, 1)}
    with pytest.raises(InputError, match="another --out"):
        refit_shards(tmp_path / "data", tmp_path / "out", profile("laptop"), progress=False, engine=here)
