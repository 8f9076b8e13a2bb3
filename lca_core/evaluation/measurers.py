"""Who measures a record anew: one table from the ids of records to what can compute them.

A measurer is given the records to measure and how many people to take, and returns records of today, by id. What is
measured by a script of benchmarks/, which is no part of the package, runs in a process of its own: every such script
writes today's records into a file with `--measure FILE`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.evaluate import evaluate_people, to_records
from lca_core.evaluation.protocols import SECOND
from lca_core.evaluation.records import Record, record_from
from lca_core.making.release import load_release
from lca_core.model import encoder_of
from lca_core.paths import REPOSITORY
from lca_core.people.domains.production import cached_people
from lca_core.release import RELEASE, TEMPLATE
from lca_core.training import load_template

Measure = Callable[[Sequence[Record], int | None], dict[str, Record]]
DOMAINS = ("studio", "wild")


@dataclass(frozen=True)
class Measurer:
    """ids: patterns of the records it can measure, in which * stands for anything.

    measure: (records, people a domain or None for all that they hold) -> today's records by id. sample: people a domain
    that `verify` takes, 0 where there is nothing to choose and all is quick, None where it measures in full or not at
    all. minutes: of two quiet cores, for the sample and in full. whole: patterns of those in which everybody's value
    depends on everybody, so that a sample says nothing. any_people: whether it takes any number of them, one even.
    """

    ids: tuple[str, ...]
    measure: Measure
    sample: int | None
    minutes: tuple[float, float]
    whole: tuple[str, ...] = ()
    any_people: bool = False

    def knows(self, id: str) -> bool:
        """Whether it can measure the record of this id."""
        return any(fnmatchcase(id, pattern) for pattern in self.ids)

    def can_sample(self, record: Record) -> bool:
        """Whether a sample can say anything of a record: all is quick, or people can be compared one by one."""
        if not self.sample:
            return self.sample == 0
        return bool(record.per_person) and not any(fnmatchcase(record.id, pattern) for pattern in self.whole)


def evaluated(records: Sequence[Record], people: int | None) -> dict[str, Record]:
    """The release, refined, and the baselines on test people, as far as these records ask: their methods, and people of
    the wild on their second clips where the records are of those."""
    model, meta = load_release()
    encoder, found = encoder_of(meta), {}
    for domain in DOMAINS:
        mine = [record for record in records if record.id.split("/")[-2] == domain]
        seeds = sorted({int(seed) for record in mine for seed in record.per_person})[:people]
        if not seeds:
            continue
        methods = sorted({record.id.rsplit("/", 2)[0] for record in mine})
        template = load_template(TEMPLATE, model) if any(m.startswith("baseline/") for m in methods) else None
        second = SECOND.get(domain, "") if any(on_second_clips(record) for record in mine) else ""
        drawn, clips = (
            list(read_people(cached_people(seeds, d, model.profile))) if d else [] for d in (domain, second)
        )
        seconds = {clip.seed: clip for clip in clips}
        results = evaluate_people(drawn, model, encoder, template, total=len(drawn), seconds=seconds, methods=methods)
        more = {"template": template and TEMPLATE, "second": second}
        found |= {r.id: r for r in to_records(results, RELEASE, model.profile.name, "verify", **more)}
    return found


def on_second_clips(record: Record) -> bool:
    """Whether a record's people were judged on another clip than their photographs are from."""
    return any(f"({domain})" in str(record.protocol.get("views")) for domain in SECOND.values())


def by_script(script: str, *sample: str) -> Measure:
    """A measurer that runs `python <script> --measure FILE`, with these arguments more where a sample is asked for.

    script: named from the repository; "{people}" in an argument stands for their number.
    """

    def measure(records: Sequence[Record], people: int | None) -> dict[str, Record]:
        path = REPOSITORY / script
        if not path.exists():
            raise InputError(f"{script} is not here, only a clone has it; verify there")
        more = [argument.format(people=people) for argument in sample] if people else []
        paths = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "measured.json")
            command = [sys.executable, str(path), "--measure", str(out), *more]
            done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": paths}, stdout=sys.stderr)
            if done.returncode or not out.exists():
                raise InputError(f"python {' '.join([script, *more])} ended with code {done.returncode}; run it alone")
            return read_measured(out)

    return measure


def read_measured(path: Path) -> dict[str, Record]:
    """The records that a script has written with --measure, by id."""
    return {entry["id"]: record_from(entry) for entry in json.loads(path.read_text(encoding="utf-8"))}


# The first that knows an id measures it.
MEASURERS: tuple[Measurer, ...] = (
    Measurer(("control/labelled_actions",), by_script("benchmarks/readable.py"), None, (0, 30)),
    Measurer(
        ("control/mouth_*", "control/eyes_*"), by_script("benchmarks/mouths_eyes.py", "--people", "{people}"), 4,
        (0.5, 6),
    ),
    Measurer(
        ("control/*", "inputs/*", "*/identity_same_rate", "*/identity_rank1"),
        by_script("benchmarks/control.py", "--people", "{people}"), 8, (4, 20),
        whole=("*/identity_rank1",),
    ),
    Measurer(("release/*/lpips_vgg", "refined/*/lpips_vgg"), by_script("benchmarks/release.py"), None, (0, 90)),
    Measurer(("release/*/*", "refined/*/*", "baseline/*/*/*"), evaluated, 4, (4, 60), any_people=True),
    Measurer(("views/*", "depth/*", "groups/*"), by_script("benchmarks/breakdown.py"), None, (0, 25)),
    Measurer(("relight/*",), by_script("benchmarks/relighting.py", "--people", "{people}"), 4, (3, 30)),
    Measurer(("stylised/*",), by_script("benchmarks/stylised.py", "--people", "{people}"), None, (0, 60)),
    Measurer(("s3/*/*", "garment/*"), by_script("benchmarks/loose.py"), None, (0, 40)),
    Measurer(
        ("unseen/*/*", "region/*/*", "one_photo/*", "identity/*/*"), by_script("benchmarks/release.py"), None, (0, 90)
    ),
    Measurer(("photos/*/*",), by_script("benchmarks/photographs.py"), None, (0, 40)),
    Measurer(("speed/train_step_ratio",), by_script("benchmarks/training_step.py"), None, (0, 3)),
    Measurer(("speed/*",), by_script("benchmarks/drive.py"), 0, (1, 1)),
    Measurer(("page/*",), by_script("benchmarks/page.py"), None, (0, 1)),
    Measurer(("hands/*",), by_script("benchmarks/hands.py"), None, (0, 20)),
    Measurer(("splats/*",), by_script("benchmarks/splats.py"), 0, (2, 2)),
    Measurer(("training/streaming_peak_mb",), by_script("benchmarks/streaming.py"), None, (0, 5)),
    Measurer(("speedrun/minutes",), by_script("benchmarks/speedrun.py"), None, (0, 20)),
    Measurer(("curation/hostile_handled",), by_script("benchmarks/hostile.py"), 0, (0.5, 0.5)),
    Measurer(("curation/settling_growth",), by_script("benchmarks/settling.py"), None, (0, 3)),
    Measurer(("curation/*",), by_script("benchmarks/curation.py"), None, (0, 60)),
    Measurer(("people/*",), by_script("benchmarks/people.py"), None, (0, 60)),
)  # fmt: skip


def measurer_of(id: str, measurers: Sequence[Measurer] = MEASURERS) -> Measurer | None:
    """Who measures the record of this id; None where nobody can."""
    return next((measurer for measurer in measurers if measurer.knows(id)), None)
