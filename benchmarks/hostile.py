"""Does the door hold? Broken, odd and harmful photographs and clips, each to be accepted or refused with a reason.

Every file of hostile_files.py is tried in a process of its own, which may compute for 10 s and take 2 GB. A file is
handled where it comes out as upright 8-bit RGB, or is refused by one sentence that names it and says what to do,
whichever is wanted of it.
"""

import json as json_format
import multiprocessing
import resource
import sys
import tempfile
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import psutil
from hostile_files import Hostile, hostile_files
from reporting import begin, columns, end, run

from lca_core.curation.decode import read_clip, read_photo
from lca_core.errors import InputError

ID = "curation/hostile_handled"
SECONDS, MEGABYTES = 10, 2000  # of computing; at most
CLOCK = 120  # s after which a process that has computed nothing meanwhile is given up, as one that waits at a pipe
IDLE = 0.5  # s of computing that count as nothing: a busy machine gives more
ROOM = 8 * 2**30  # bytes of addresses: a file that fills the memory shall not take the machine down


def upright(image: np.ndarray) -> bool:
    """Is it 8-bit RGB, not higher than wide, and no quarter of it brighter than the upper left one?"""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.shape[0] > image.shape[1]:
        return False
    first, *others = (part.mean() for half in np.array_split(image, 2) for part in np.array_split(half, 2, axis=1))
    return first + 1 >= max(others)


def attempt(file: Hostile) -> tuple[str, str]:
    """(accepted, refused, wrong or crashed; in which words)."""
    try:
        images = [read_photo(file.path)] if file.kind == "photo" else read_clip(file.path).images
    except InputError as error:
        return "refused", str(error)
    except Exception as error:
        return "crashed", repr(error)
    height, width = images[0].shape[:2]
    return "accepted" if upright(images[0]) and upright(images[-1]) else "wrong", f"{width} x {height}"


def shown(path: Path) -> str:
    """The last part of a path, as one line."""
    return path.name if path.name.isprintable() else ascii(path.name)[1:-1]


def handled(file: Hostile, verdict: str, reason: str) -> bool:
    """Is this what was wanted, and a refusal one sentence that names the file, the fault and a way out?"""
    clear = reason.isprintable() and f"{shown(file.path)}" in reason and "; " in reason and "memory" not in reason
    return file.wanted in (verdict, "either") and (verdict == "accepted" or (verdict == "refused" and clear))


def alone(file: Hostile, answer: Connection) -> None:
    """In a process of its own: send the verdict, the reason, seconds of computing and megabytes at the most."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    verdict, reason = attempt(file)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    answer.send((verdict, reason, seconds, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6))


def tried(file: Hostile) -> dict:
    """What became of one file, as plain values."""
    answer, question = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=alone, args=(file, question))
    process.start()
    question.close()
    try:
        verdict, reason, seconds, megabytes = answer.recv() if _answered(process, answer) else ("hung", "", CLOCK, 0.0)
    except EOFError:  # it died: of its limit of seconds, or by an error in a decoder
        verdict, reason, seconds, megabytes = "killed", "", SECONDS, 0.0
    process.kill()
    process.join()
    good = handled(file, verdict, reason) and megabytes <= MEGABYTES
    return {
        "name": shown(file.path), "kind": file.kind, "what": file.what, "wanted": file.wanted, "verdict": verdict,
        "handled": good, "seconds": round(seconds, 2), "megabytes": round(megabytes), "reason": reason,
    }  # fmt: skip


def _answered(process: BaseProcess, answer: Connection) -> bool:
    """Wait for a process as long as it computes, which its limit of seconds ends."""
    computed = 0.0
    while not answer.poll(CLOCK):
        before, computed = computed, sum(psutil.Process(process.pid).cpu_times()[:2])
        if computed - before < IDLE:
            return False
    return True


def measured() -> list[dict]:
    """What became of every file."""
    with tempfile.TemporaryDirectory() as folder:
        results = [tried(file) for file in hostile_files(Path(folder))]
    return [result | {"reason": result["reason"].replace(f"{folder}/", "")} for result in results]


def report(results: list[dict]) -> str:
    """The results as text."""
    titles = ("file", "what", "verdict", "s", "MB", "reason or size")
    rows = [
        (f"{r['name'][:24]}", r["what"], r["verdict"] + ("" if r["handled"] else "  NO"), f"{r['seconds']:.2f}",
         f"{r['megabytes']}", r["reason"])
        for r in results
    ]  # fmt: skip
    good = sum(result["handled"] for result in results)
    return "\n".join([*columns(titles, rows), f"{good} of {len(results)} files handled"])


def records_of(results: list[dict]) -> list:
    """The result record curation/hostile_handled."""
    from lca_core.evaluation.records import Record, provenance  # slow to import
    from lca_core.evaluation.tolerances import Tolerance

    protocol = {
        "what": "files accepted as upright 8-bit RGB or refused by one sentence that names file, fault and way out, "
                "as wanted, within seconds and memory",
        "files": len(results), "limit_s": SECONDS, "limit_mb": MEGABYTES,
        "slowest_s": max(result["seconds"] for result in results),
        "largest_mb": max(result["megabytes"] for result in results),
        "not_handled": [result["name"] for result in results if not result["handled"]],
        "tried": {result["name"]: [result["what"], result["verdict"]] for result in results},
    }  # fmt: skip
    files = {"benchmark": __file__, "files": Path(__file__).with_name("hostile_files.py")}
    good = sum(result["handled"] for result in results)
    source = provenance("python benchmarks/hostile.py --record", files)
    exact = Tolerance(0.0, "each file is handled or not, on every machine")
    return [Record(ID, good, "files", None, 0, 0, "", tolerance=exact, protocol=protocol, provenance=source)]


def main(json: bool = False, record: bool = False, measure: Path | None = None) -> None:
    """Try every file, each in a process of its own (about half a minute; a machine with fork, not Windows).

    Args:
        json: Print JSON instead of a table.
        record: Write how many are handled to results/records/curation/ and renew results/README.md.
        measure: Write today's record into this file, for `lca_core verify` to compare.
    """
    begin(record)
    results = measured()
    print(json_format.dumps(results, indent=1) if json else report(results))
    end(records_of(results), record, measure)


if __name__ == "__main__":
    run(main)
