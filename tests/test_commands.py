"""The command line, as a person meets it: help, and wrong input told clearly with nothing written."""

import errno
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from lca_core.__main__ import COMMANDS, main
from lca_core.errors import InputError
from lca_core.model.refinement import STEPS
from lca_core.profiles import PROFILES
from lca_core.release import RELEASE
from lca_core.training.checkpoints import read_header
from lca_core.training.plan import H100_TFLOPS
from lca_core.training.stages import STAGES


class Said(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def run(*arguments) -> Said:
    """A command in a process of its own."""
    command = [sys.executable, "-m", "lca_core", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def here(monkeypatch, capfd):
    """here(arguments): the same command in this process, which has loaded its libraries."""

    def run_here(*arguments) -> Said:
        monkeypatch.setattr(sys, "argv", ["lca_core", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        return Said(code, *capfd.readouterr())

    return run_here


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, here):
    said = here(command, "--help")
    assert said.code == 0
    assert "usage: python -m lca_core " + command in said.out
    assert "--" in said.out


def text_of(said: Said) -> str:
    """Help without its frames and line breaks."""
    return " ".join(re.sub("[│─╭╮╰╯]", " ", said.out).split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_one_default_that_a_person_understands(command, here):
    text = text_of(here(command, "--help"))
    assert not any(nothing in text for nothing in ("(default: None)", "(default: )", "{None}")), text
    for option in text.split(" --")[1:]:
        assert option.count("(default:") <= 1, option


def test_defaults_that_are_told_in_words_are_those_there_are(here):
    assert f"(default: {STEPS} from two photographs on, 0 for one)" in text_of(here("avatar", "--help"))
    assert f"(default: an H100's, {H100_TFLOPS:g})" in text_of(here("plan", "--help"))


def test_the_help_of_training_says_what_each_stage_takes(here):
    text = text_of(here("train", "--stage", "posttrain", "--help"))
    said = {option.split()[0]: option for option in text.split(" --")[1:]}
    for name, stage in STAGES.items():
        assert f" {name}: " in text
        steps = [sum(getattr(sizes, field) for field in stage.steps) for sizes in PROFILES.values()]
        assert re.search(rf"\b{name}( and [a-z_]+)? {' / '.join(f'{n:,}' for n in steps)}", said["steps"]), name
        rate = np.format_float_scientific(stage.lr, trim="-", exp_digits=1)
        assert re.search(rf"{rate} for [a-z_ ]*\b{name}\b", said["lr"]), (name, rate)
    assert " / ".join(PROFILES) in said["steps"]
    assert f"which is of {read_header(RELEASE)['profile'].name}" in text
    anew = " and ".join(name for name, stage in STAGES.items() if stage.anew)
    assert f"random weights for {anew}, the shipped release for the others" in said["init"]


def test_a_command_in_a_process_of_its_own_says_the_same(here, tmp_path):
    wrong = ("people", "--out", tmp_path / "shards", "--seeds", 11000)
    assert run(*wrong) == here(*wrong) and not (tmp_path / "shards").exists()


def test_wrong_photographs_are_refused_with_code_2_and_nothing_is_written(tmp_path, here):
    from skimage import data

    astronaut = data.astronaut()
    pictures = {
        "empty room.png": np.full((300, 300, 3), 200, np.uint8),
        "two people.png": np.concatenate([astronaut, astronaut], 1),
        "tiny.png": astronaut[:40, :40],
    }
    for name, image in pictures.items():
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "letter.jpg").write_text("Dear photograph,")
    for name in [*pictures, "letter.jpg", "missing.jpg"]:
        said = here("avatar", tmp_path / name, "--out", tmp_path / "out")
        assert said.code == 2, (name, said.err)
        told = said.err.splitlines()[-1]  # after what was being done
        assert told.startswith("error: ") and name in told, said.err
        assert "Traceback" not in said.err
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("people", "--out", "shards"), "--seeds"),
        (("people", "--out", "shards", "--seeds", "11000"), "10000-10999"),
        (("people", "--out", "shards", "--seeds", "9000", "--address", "10.0.0.1:6379"), "--engine ray"),
        (("people", "--out", "shards", "--seeds", "9000", "--workers", "0"), "--workers"),
        (("experiments", "--only", "table9/none"), "table9/none"),
        (("train", "--stage", "pretrain", "--data", "nowhere", "--out", "run"), "nowhere"),
        (("curate", "nowhere", "--out", "curated"), "no such file or folder"),
        (("avatar", "--out", "avatar"), "no photograph was given"),
        (("drive", "nothing.safetensors", "--out", "video.mp4"), "nothing.safetensors"),
        (("drive", "nothing.safetensors", "--out", "video.avi"), "mp4"),
        (("demo", "--avatar", "nothing.safetensors"), "nothing.safetensors"),
        (("demo", "--avatar", "nothing.safetensors", "--checkpoint", "none.safetensors"), "--checkpoint"),
        (("export", "nothing.safetensors", "--out", "files", "--as", "spz"), "nothing.safetensors"),
        (("export", "nothing.safetensors", "--out", "files", "--as", "mp4", "--px", "33"), "even"),
        (("evaluate", "--data", "nowhere"), "nowhere"),
        (("evaluate", "--data", "nowhere", "--sheet", "sheet.gif"), "sheet.gif"),
        (("evaluate", "--data", "nowhere", "--checkpoint", "none.safetensors"), "none.safetensors"),
    ],
)
def test_wrong_input_names_what_was_wrong(arguments, word, tmp_path, monkeypatch, here):
    monkeypatch.chdir(tmp_path)
    said = here(*arguments)
    assert said.code == 2, said.err
    assert said.err.startswith("error: ") and word in said.err
    assert list(tmp_path.iterdir()) == []


OUT = Path("out")
WRONG_NUMBERS = {
    "people": [{"out": OUT, "count": -1}, {"out": OUT, "count": 1, "workers": 0}, {"out": OUT, "first": -4}],
    "train": [{"steps": -1}, {"lr": float("nan")}, {"gamma": 0.0}, {"seed": -1}],
    "weights": [{"minutes": -1.0}, {"workers": 0}],
    "plan": [{"tflops": -1.0}, {"used": 0.0}],
    "avatar": [{"refine": -1}],
    "demo": [{"port": -1}, {"port": 70000}],
    "curate": [{"frames": 0}, {"workers": 0}, {"rate": float("nan")}, {"seconds": 0.0}],
    "drive": [{"px": 161}, {"px": 0}, {"frames": 0}, {"frames": -3}, {"fps": 0}],
    "export": [{"frame": -1}, {"frames": 0}, {"fps": 0}, {"px": 0}, {"px": 33}],
    "evaluate": [{"inputs": 0}, {"sheet_people": 0}],
    "verify": [{"people": -1}],
}
GIVEN = {
    "train": {"stage": "pretrain", "data": Path("nowhere"), "out": OUT},
    "avatar": {"photos": (Path("me.png"),), "out": OUT},
    "curate": {"input": Path("clips"), "out": OUT},
    "drive": {"avatar": Path("me.safetensors"), "out": Path("me.mp4")},
    "export": {"avatar": Path("me.safetensors"), "out": OUT, "kinds": ("ply",)},
    "evaluate": {"data": Path("nowhere")},
}


@pytest.mark.parametrize("command, numbers", [(c, n) for c, tries in WRONG_NUMBERS.items() for n in tries])
def test_a_wrong_number_is_told_with_its_option_before_anything_is_done(command, numbers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    option = list(numbers)[-1].replace("_", "-")
    with pytest.raises(InputError, match=f"--{option} must be"):
        COMMANDS[command](**GIVEN.get(command, {}) | numbers)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["people", "train", "avatar", "curate", "drive", "export", "evaluate"])
def test_a_place_that_cannot_be_written_is_told_before_the_work(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    where = {"drive": {"out": Path("file/me.mp4")}, "evaluate": {"sheet": Path("file/a.png")}}
    more = {"people": {"count": 1}}.get(command, {})
    with pytest.raises(InputError, match="file"):
        COMMANDS[command](**GIVEN.get(command, {}) | where.get(command, {"out": Path("file")}) | more)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_of_the_disk_is_one_line_and_exit_code_2(monkeypatch, capsys):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device", "out/log.csv")

    monkeypatch.setattr("tyro.extras.subcommand_cli_from_dict", full)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: out/log.csv: No space left on device; give another place\n"


def test_a_photograph_becomes_an_avatar_that_drives(tmp_path, here):
    from skimage import data

    from lca_core.model import Avatar
    from lca_core.splats import read_ply

    assert RELEASE.exists(), "the release is part of the repository"
    Image.fromarray(data.astronaut()).save(tmp_path / "astronaut.png")
    said = here("avatar", tmp_path / "astronaut.png", "--out", tmp_path / "avatar")
    assert said.code == 0, said.err
    stages = [line for line in said.err.splitlines() if line.endswith(" ...")]
    assert len(stages) == 4 and "looking for the person in 1 photograph" in stages[0] and "encoding" in stages[2]
    assert "astronaut.png: the body fits" in said.out and "not photographed: " in said.out
    assert "Give pictures from behind" in said.out and "legs and feet are invented" in said.out
    made = {p.name for p in (tmp_path / "avatar").iterdir()}
    assert made == {"avatar.safetensors", "avatar.ply", "sheet.png", "walk.mp4"}
    avatar = Avatar.load(tmp_path / "avatar" / "avatar.safetensors")
    assert len(read_ply(tmp_path / "avatar" / "avatar.ply")) == len(avatar)
    assert "refined_steps" not in avatar.meta, "one photograph says nothing of other sides"
    video = tmp_path / "wave.mp4"
    said = here(
        "drive", tmp_path / "avatar" / "avatar.safetensors", "--motion", "wave", "--frames", "3", "--out", video
    )
    assert said.code == 0, said.err
    import av

    with av.open(str(video)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 3
    said = here(
        "export", tmp_path / "avatar" / "avatar.safetensors", "--out", tmp_path / "files", "--as", "spz", "glb", "npz"
    )
    assert said.code == 0, said.err
    assert {p.name for p in (tmp_path / "files").iterdir()} == {"avatar.spz", "avatar.glb", "avatar.npz"}
