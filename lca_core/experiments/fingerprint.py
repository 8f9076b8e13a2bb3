"""What a run depends on, as hashes: where one of them changed, the run is stale."""

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

from lca_core.experiments.experiment import Experiment, sizes_of, weights_begun_from
from lca_core.paths import REPOSITORY

# Rooms, and files of rooms, whose code decides what a training makes, and how it is judged.
TRAINED_BY = (
    "body", "data", "model", "splats", "training", "judges/face_network.py", "judges/identity.py",
    "judges/perceptual.py", "people/domains/swinging.py",
)  # fmt: skip
_UNASKED = "splats/formats"  # files that Gaussians are handed over in decide nothing of what is learned
JUDGED_BY = (
    "evaluation/baselines", "evaluation/evaluate.py", "evaluation/loose.py", "evaluation/protocols.py",
    "evaluation/relighting.py", "evaluation/stylised.py", "experiments/abilities.py", "judges/lpips_network.py",
    "judges/metrics.py", "judges/resemblance.py",
)  # fmt: skip


def training_print(row: Experiment, stage: int, seed: int, shards: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """What a stage's weights depend on, by its number: hashes of the row up to it and the seed, the profile, the people
    trained on until then (shards by domain) and the code. Rows that are the same until then have the same."""
    stages = [asdict(each) | {"settings": dict(each.settings)} for each in row.stages[: stage + 1]]
    domains = row.domains_until(stage + 1)
    begins = {"begins": digest_of_file(weights_begun_from(row))} if row.begins else {}
    return begins | {
        "row": digest_of({"stages": stages, "seed": seed}),
        "profile": digest_of(asdict(sizes_of(row))),
        "people": digest_of({domain: [digest_of_file(p) for p in shards[domain]] for domain in domains}),
        "code": code_digest(TRAINED_BY),
    }


def judging_print(
    training: Mapping[str, str], shards: Sequence[Path], method: str = "release", inputs: int = 4
) -> dict[str, str]:
    """Hashes of what was trained, the people judged (all their shards), the method with its number of photographs, and
    the code that judges."""
    return {
        "training": digest_of(training),
        "people judged": digest_of([digest_of_file(path) for path in shards]),
        "method": digest_of([method, inputs]),
        "evaluation": code_digest(JUDGED_BY),
    }


def code_digest(places: Iterable[str], house: Path = REPOSITORY / "lca_core") -> str:
    """Of what the files and folders of a house do: comments, docstrings and layout do not count."""
    files = {file for place in places for file in (house / place).rglob("*.py")}
    files |= {house / place for place in places if place.endswith(".py")}
    files = sorted(file for file in files if not file.is_relative_to(house / _UNASKED))
    return digest_of({file.relative_to(house).as_posix(): _meaning(file.read_text(encoding="utf-8")) for file in files})


@cache
def _meaning(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() if ast.get_docstring(node, clean=False):
                node.body[0].value.value = ""
    return ast.dump(tree)


def digest_of(what: object) -> str:
    """16 characters that change with plain JSON."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def digest_of_file(path: Path) -> str:
    """Of a file's bytes; read once in a process, unless it changes."""
    state = path.stat()
    return _digest_of_bytes(path, state.st_mtime_ns, state.st_size)


@cache
def _digest_of_bytes(path: Path, _changed: int, _size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
