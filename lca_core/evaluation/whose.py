"""Whether a record is of the people whom it says it is of: its seeds, its people's values, its command and how they are
drawn have to agree, or else it cannot be measured again."""

import re

from lca_core.evaluation.records import Record

FIRST_AND_LAST = "first and last"
# As `people.domains` has them, which would load all that draws people.
DOMAINS = ("studio", "wild", "garment", "relit", "stylised", "wild2", "phone", "garment_wild", "relit_held_out")
_NAMED = 3  # people, in a sentence about more
# Entries of a protocol that say how a number is made. The others say what came of it.
SETTINGS = (
    "inputs", "mask", "views", "pose_source", "aggregation", "network", "window", "method", "measure", "pictures", "px",
)  # fmt: skip


def people_faults(record: Record) -> list[str]:
    """Where the people of a record's seeds, values, command and pictures are not the same, as sentences.

    `seeds` are the people one by one, those of whom nothing could be measured among them (`without_value`), or with
    `seeds_are` "first and last" a range of which some were taken.
    """
    return [*_value_faults(record), *_command_faults(record), *_domain_faults(record)]


def _value_faults(record: Record) -> list[str]:
    source, valued = record.provenance, list(record.per_person)
    if not valued:
        return []
    seeds, how = source.get("seeds") or [], source.get("seeds_are")
    if how == FIRST_AND_LAST:
        first, last = seeds
        strange = [person for person in valued if not first <= int(person) <= last]
        return [f"it keeps values of {_some(strange)}, its seeds are {first} to {last}"] if strange else []
    asked, without = ({str(seed) for seed in some} for some in (seeds, source.get("without_value", ())))
    faults = []
    if strange := [person for person in valued if person not in asked]:
        faults.append(f"it keeps values of {_some(strange)}, whom its seeds do not name")
    if missing := sorted(asked - set(valued) - without):
        faults.append(f"its seeds name {_some(missing)}, of whom it keeps no value")
    return faults


def _command_faults(record: Record) -> list[str]:
    """A command that draws its people itself has to draw all of those that the values are of."""
    faults = []
    for arguments in re.findall(r"lca_core people ([^&]*)", record.provenance.get("command", "")):
        numbers = {name: [int(n) for n in found.split()] for name, found in _OPTION.findall(arguments)}
        first, count = (numbers.get(name, [0])[0] for name in ("first", "count"))
        drawn = {str(seed) for seed in numbers.get("seeds") or range(first, first + count)}
        if missing := [person for person in record.per_person if person not in drawn]:
            faults.append(f"it keeps values of {_some(missing)}, whom its command does not draw")
    return faults


_OPTION = re.compile(r"--(seeds|first|count)((?: \d+)+)")


def _domain_faults(record: Record) -> list[str]:
    """ "<method>/<domain>/<metric>" has to be of people drawn in that domain."""
    drawn = record.provenance.get("drawn") or {}
    domains = {name.partition("-")[0] for name in drawn}
    mine = record.id.split("/")[-2:-1]
    if drawn and mine and mine[0] in DOMAINS and mine[0] not in domains:
        return [f"its people were drawn in {', '.join(sorted(domains))}, not in {mine[0]}"]
    return []


def settings_differ(recorded: Record, measured: Record) -> list[str]:
    """Settings (`SETTINGS`) of both protocols that are not the same, as sentences."""
    then, now = recorded.protocol, measured.protocol
    return [
        f"its {name} is {then[name]!r}, {now[name]!r} was measured"
        for name in SETTINGS
        if name in then and name in now and then[name] != now[name]
    ]


def _some(people: list) -> str:
    """The first few of them and how many there are."""
    shown = ", ".join(str(person) for person in people[:_NAMED])
    return shown if len(people) <= _NAMED else f"{shown} and {len(people) - _NAMED} more"
