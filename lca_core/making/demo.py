"""The first thing to try: somebody who ships with the repository, made into an avatar and put into a browser.

The browser is given the self-contained page (`viewer/page`), which drives and draws the avatar by itself: that needs no
Jupyter, no more of Python once it is loaded, and asks this machine for one file only. The live viewer of notebooks
(`viewer/widgets`) draws with our own rasteriser instead, as avatars are evaluated; the page says how near it comes.
"""

from collections.abc import Callable
from pathlib import Path

from lca_core.data import read_people
from lca_core.data.scaling import at_sizes
from lca_core.making.photos import encode_person, gaining_steps
from lca_core.making.release import load_complete
from lca_core.model import Avatar, driving_of, encoder_of, refine
from lca_core.paths import RESULTS
from lca_core.release import RELEASE
from lca_core.viewer.page.likeness import likeness
from lca_core.viewer.page.numbers import PageAvatar
from lca_core.viewer.page.write import page_text

PERSON = RESULTS / "demo" / "person.tar"  # four photographs all round of a digital human nobody trained on
TITLE = "Made from four photographs"


def demo_avatar(
    checkpoint: Path | str = RELEASE, refine_steps: int | None = None, tell: Callable[[str], None] = print
) -> Avatar:
    """The avatar of the person who ships, of their four photographs; some seconds.

    refine_steps: of refinement on them (default: `gaining_steps`). tell: of what is done.
    """
    model, meta = load_complete(checkpoint)
    person = at_sizes(next(iter(read_people(PERSON))), model.profile)
    tell(f"making an avatar of {len(person.frames)} photographs of a person who ships with the repository")
    avatar = encode_person(model, encoder_of(meta), person, person.frames)
    if refine_steps is None:
        refine_steps = gaining_steps(model, person.frames)
    if refine_steps:
        tell("refining it on them")
        avatar = refine(avatar, person.frames, driving_of(model, person.frames, person.betas), refine_steps)
    return avatar


def page_of(avatar: Avatar, title: str = "", tell: Callable[[str], None] = print) -> str:
    """The page of an avatar, as HTML; title: default, whom it is of."""
    tell("writing it into a page that a browser can drive and draw")
    page = PageAvatar.of(avatar)
    return page_text(avatar, page, title or str(avatar.meta.get("id") or "An avatar"), likeness(avatar, page))
