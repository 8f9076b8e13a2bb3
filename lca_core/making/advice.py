"""What the maker of photographs ought to know of the avatar that came out: how sure it is, and what would help."""

from collections.abc import Sequence

from lca_core.curation.filters import LIMITS
from lca_core.data import Person

_GOOD = 0.025  # of the body's height: a fit that lies no further off is as good as any
_PICTURE = {  # what to photograph for a side that is missing, in the order in which they help
    "front": "from the front, the face turned to the camera",
    "back": "from behind",
    "left side": "from their left",
    "right side": "from their right",
}
_LESS = {
    "body to the knees": "feet and shins are",
    "upper body": "legs and feet are",
    "head and shoulders": "all below the shoulders is",
}


def certainty(person: Person) -> list[str]:
    """A sentence for each photograph: how well the body fits it; and one of the sides that none of them shows."""
    lines = []
    for photo in person.meta["photos"]:
        error = photo["fit_error"]
        if error is None:
            lines.append(f"{photo['file']}: no pose could be told")
            continue
        word = "well" if error <= _GOOD else "roughly" if error <= LIMITS.fit_error else "badly"
        lines.append(f"{photo['file']}: the body fits {word}, joints lie {error:.1%} of its height off")
    missing = person.meta["missing"]
    if _posed(person):
        lines.append(f"not photographed: {', '.join(missing)}" if missing else "photographed from all sides")
    return lines


def advice(person: Person) -> list[str]:
    """What to do better, in plain words, the most useful first; empty where nothing is wanting."""
    photos, found = person.meta["photos"], []
    names = [photo["file"] for photo in photos]
    if not _posed(person):
        return [
            f"In {_listed(names)} no pose could be told, so details of the photographs could not be laid on the body; "
            "give one that shows a whole person who stands apart from other things."
        ]
    if not any(photo["face"] for photo in photos):
        found.append("No face was found: the face is invented. Give a photograph of the face, lit from the front.")
    if missing := [side for side in _PICTURE if side in person.meta["missing"]]:
        sides, pictures = _listed([f"the {side}" for side in missing]), _listed([_PICTURE[side] for side in missing])
        were, are, some = ("were", "are", "pictures") if len(missing) > 1 else ("was", "is", "a picture")
        found.append(f"{sides.capitalize()} {were} not photographed and {are} invented. Give {some} {pictures}.")
    most = [photo["shows"] for photo in photos]
    if all(shown in _LESS for shown in most):
        widest = min(most, key=list(_LESS).index)
        found.append(f"No photograph shows more than the {widest}: {_LESS[widest]} invented. "
                     "Step back until the whole person is in the picture.")  # fmt: skip
    cut = [photo["file"] for photo in photos if "top" in photo["cut_by"]]
    if cut:
        found.append(f"The upper edge cuts the person in {_listed(cut)}: leave room above the head.")
    for photo in photos:
        if photo["fit_error"] is None:
            found.append(f"In {photo['file']} no pose could be told: it helped little. Give one that shows the body.")
        elif photo["fit_error"] > LIMITS.fit_error:
            found.append(
                f"In {photo['file']} the body fits badly: colours may lie in the wrong place. Stand upright, arms a "
                "little away from the body, nothing in hand, nobody and nothing in front."
            )
    if len(photos) == 1 and not found:
        found.append("One photograph was given; two to four, from several sides, give a better likeness.")
    return found


def _posed(person: Person) -> bool:
    """Whether the pose of any photograph could be told."""
    return any(photo["fit_error"] is not None for photo in person.meta["photos"])


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
