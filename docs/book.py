"""The course as a site: gather its pages, and have Sphinx build them, without network and without a warning.

    python docs/book.py [--out build/book]

Pages are docs/*.md, the executed notebooks, results/README.md, the model cards and the table of public data sets. They
are gathered as they lie in the repository, so that their links among each other hold on the site as on GitHub.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from lca_core.paths import REPOSITORY

PAGES = (
    "docs/*.md",
    "docs/conf.py",
    "docs/static/*",
    "notebooks/[0-9][0-9]_*.ipynb",
    "results/README.md",
    "results/checkpoints/**/README.md",
    "results/figures/*",
    "results/records/**/*.json",  # what pages link to: records, data sets, modules
    "data_manifests/public/*",
    "lca_core/**/*.py",
)


def gather(into: Path) -> None:
    """Copy the site's sources into a folder, laid out as in the repository; docs/ becomes its root."""
    shutil.rmtree(into, ignore_errors=True)
    for pattern in PAGES:
        for path in REPOSITORY.glob(pattern):
            if path.is_file():
                target = into / path.relative_to(REPOSITORY / "docs" if pattern.startswith("docs/") else REPOSITORY)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def build(out: Path) -> int:
    """Build the site into `out`/html from `out`/source; Sphinx's exit status. A warning is an error."""
    gather(out / "source")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    return subprocess.run([*command, out / "source", out / "html"]).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "book", help="folder for sources and pages")
    out = parser.parse_args().out
    status = build(out)
    if status == 0:
        print(f"the course: {out / 'html' / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
