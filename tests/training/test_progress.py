"""Pictures of a run: the same people at every power of two, and the truth beside them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from lca_core.errors import InputError
from lca_core.training import Settings, example, train
from lca_core.training.progress import Pictures
from lca_core.viewer.figures import training_figure
from tests.body.bodies import free_body
from tests.model.test_tokens import MeanColour
from tests.training.subjects import TINY, painted_examples, painted_person, tiny_model

SETTINGS = Settings("pretrain", steps=6, lr=3e-3, warmup=1, lpips_weight=0.0, precision="float32")


@pytest.fixture(scope="module")
def people():
    return painted_examples(2)


def strip(folder, name: str) -> np.ndarray:
    return np.asarray(Image.open(folder / f"{name}.png")).astype(float)


def test_people_are_drawn_at_powers_of_two_and_at_the_end(people, tmp_path):
    train(tiny_model(), people, SETTINGS, tmp_path, watch=Pictures(people, tmp_path / "pictures"))
    names = sorted(path.stem for path in (tmp_path / "pictures").iterdir())
    assert names == ["000000", "000001", "000002", "000004", "000006", "truth"]
    first, last, truth = (strip(tmp_path / "pictures", name) for name in ("000000", "000006", "truth"))
    assert truth.shape == (TINY.body_px, 4 * TINY.body_px, 3)  # body and face of two people
    assert np.abs(last - truth).mean() < np.abs(first - truth).mean()
    assert len(training_figure(tmp_path / "pictures", rows=3).axes) == 4


def test_drawing_leaves_the_run_as_it_was(people, tmp_path):
    watched = train(tiny_model(), people, SETTINGS, tmp_path / "a", watch=Pictures(people, tmp_path / "p"))
    alone = train(tiny_model(), people, SETTINGS, tmp_path / "b")
    for name, value in alone.state_dict().items():
        assert torch.equal(watched.state_dict()[name], value), name


def test_people_without_faces_are_drawn_without(people, tmp_path):
    hidden = [replace(p, has_face=torch.zeros_like(p.has_face)) for p in people]
    pictures = Pictures(hidden, tmp_path)
    pictures(0, tiny_model())
    size = TINY.body_px
    assert (strip(tmp_path, "000000")[:, size : 2 * size] == 255).all()
    assert (strip(tmp_path, "000000")[:, :size] < 255).any()


def test_people_with_a_single_photograph_are_drawn_from_that_one(tmp_path):
    alone = [example(painted_person(seed, frames=1), MeanColour(), TINY, free_body()) for seed in range(2)]
    Pictures(alone, tmp_path)(0, tiny_model())
    assert (strip(tmp_path, "000000")[:, : TINY.body_px] < 255).any()


def test_a_folder_without_pictures_is_named(tmp_path):
    with pytest.raises(InputError, match="no pictures of a training run"):
        training_figure(tmp_path)
