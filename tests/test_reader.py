"""What trains the reader of faces: points move with what they lie on, and a run that was stopped goes on as it was."""

import numpy as np
import pytest
import torch

from lca_core.curation.face_parts import CHIP_PX, Places, places_of
from lca_core.curation.face_reader import READ, FaceReader
from lca_core.curation.landmarks import calibration
from tests.test_benchmarks import loaded

FACES, SPAN = 40, 66.0


@pytest.fixture(scope="module")
def reader():
    return loaded("reader")


@pytest.fixture(scope="module")
def faces() -> dict[str, torch.Tensor]:
    """Faces near the mean in chips that are dark but for bright dots in corners of eyes and mouth; people 1 to 40."""
    mean = calibration().mesh_mean
    mesh = (mean - mean.mean(0)) * SPAN / (mean[33] - mean[263]).norm() + CHIP_PX / 2
    points = mesh[[263, 33, 291, 61], :2]
    rows, columns = np.mgrid[:CHIP_PX, :CHIP_PX] + 0.5
    dots = sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) for x, y in points.numpy())
    chip = torch.from_numpy((40 + 200 * dots.clip(0, 1)).astype(np.uint8))[..., None].expand(-1, -1, 3)
    generator = torch.Generator().manual_seed(0)
    return {
        "chips": chip.repeat(FACES, 1, 1, 1),
        "meshes": mesh + 0.2 * torch.randn(FACES, 478, 3, generator=generator), "points": points.repeat(FACES, 1, 1),
        "numbers": torch.rand(FACES, 48, generator=generator), "seeds": torch.arange(1, FACES + 1),
        "wild": torch.arange(FACES) % 2 == 0,
    }  # fmt: skip


def test_points_lie_where_the_pictures_show_them(reader, faces):
    known = reader.Known.of(faces)
    assert [part.tolist() for part in known.eyes] == [[0], [1]] and known.mouth.tolist() == [2, 3]
    assert known.mouth_mirror.tolist() == [1, 0]
    for seed in range(3):  # in a mirror and not
        given = reader.example(known, torch.arange(FACES), torch.Generator().manual_seed(seed))
        for pictures, points in (
            (given.parts.eyes.flatten(0, 1), given.eyes.flatten(0, 1)), (given.parts.mouth, given.mouth)
        ):  # fmt: skip
            for picture, some in zip(pictures.mean(1), points):
                px = len(picture)
                for point in some[(some.abs() < 0.45).all(1)]:
                    x, y = ((point + 0.5) * px).floor().int().tolist()
                    near = picture[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4]
                    assert near.max() > picture.mean() + 1.5 * picture.std()


def test_faces_in_a_mirror_are_learned_from_with_mirrored_numbers(reader, faces):
    known = reader.Known.of(faces)
    numbers = [
        reader.example(known, torch.arange(FACES), torch.Generator().manual_seed(seed)).numbers for seed in range(8)
    ]
    left, right = READ.index("mouthSmileLeft"), READ.index("mouthSmileRight")
    ways = {bool(torch.equal(n[:, left], faces["numbers"][:, left])) for n in numbers}
    assert ways == {True, False}
    for n in numbers:
        assert torch.equal(n[:, left].sort().values, faces["numbers"][:, left].sort().values) or torch.equal(
            n[:, left], faces["numbers"][:, right]
        )


def test_a_run_that_was_stopped_twice_goes_on_as_if_it_had_not_been(reader, faces, tmp_path):
    known, chosen = reader.Known.of(faces), torch.arange(FACES)
    torch.manual_seed(0)
    whole = reader.Training(known, chosen)
    torch.manual_seed(0)
    first = reader.Training(known, chosen)
    for number in range(3):
        whole.epoch(number, 3)
    stopped = first
    for done in (1, 2):
        stopped.epoch(done - 1, 3)
        stopped.save(tmp_path / "state.safetensors", done)
        stopped = reader.Training(known, chosen)
        assert stopped.resume(tmp_path / "state.safetensors") == done
    stopped.epoch(2, 3)
    for name, t in stopped.reader.state_dict().items():
        torch.testing.assert_close(t, whole.reader.state_dict()[name], rtol=0, atol=0)


def test_what_cannot_be_read_is_left_at_rest_and_what_can_is_kept(reader):
    generator = np.random.default_rng(0)
    true = np.where(generator.random((400, 48)) < 0.2, generator.random((400, 48)), 0)
    found = generator.random((400, 48))
    found[:, 0] = 0.5 * true[:, 0] + 0.1
    network = FaceReader()
    reader.bound(network, found, true)
    assert network.gain[0] == pytest.approx(1.5, abs=0.3) and network.floor[0] == pytest.approx(0.1, abs=0.03)
    assert (network.gain[1:] == 0).float().mean() > 0.8


def test_the_last_layers_learn_from_what_the_others_see(reader, faces):
    known, chosen = reader.Known.of(faces), torch.arange(FACES)
    torch.manual_seed(0)
    training = reader.Training(known, chosen)
    before = {name: t.clone() for name, t in training.reader.state_dict().items()}

    def error() -> float:
        return float(np.abs(reader.numbers_of(training.reader, known, chosen) - faces["numbers"].numpy()).mean())

    at_first = error()
    training.settle(rounds=40, batch=16)
    assert error() < 0.9 * at_first
    changed = {n.split(".")[0] for n, t in training.reader.state_dict().items() if not torch.equal(t, before[n])}
    assert changed == {"answer"}


def test_errors_are_told_by_domain(reader, faces):
    known = reader.Known.of(faces)
    torch.manual_seed(0)
    training = reader.Training(known, torch.arange(FACES))
    text = reader.report(training.reader, known, torch.arange(FACES), each=True)
    assert text.startswith("studio: 20 faces") and "\nwild: 20 faces" in text and "jawOpen" in text
    assert isinstance(known.places, Places) and len(places_of(faces["meshes"]).span) == FACES
