"""Which people a number is of: digital humans by how they are drawn."""

from collections.abc import Iterable

from lca_core.people.domains.rendering import RENDERING, digest_of
from lca_core.profiles import PROFILES, Profile


def drawn(domains: Iterable[str], profile: Profile | str) -> dict[str, str]:
    """`<domain>-<profile>` -> digest of how people of a domain are drawn and at which sizes.

    It changes with `RENDERING` and with the sizes, as the cache of people does, and not with the last bits of a
    picture, which differ from machine to machine.
    """
    sizes = PROFILES[profile] if isinstance(profile, str) else profile
    return {f"{domain}-{sizes.name}": digest_of(RENDERING, sizes.recording) for domain in domains}


def drawn_otherwise(digests: dict[str, str]) -> list[str]:
    """Which of these sets are drawn otherwise today; sets at sizes that no profile has are left to the measurer."""
    names = {name: name.partition("-")[::2] for name in digests}
    return [
        name for name, (domain, profile) in names.items()
        if profile in PROFILES and drawn([domain], profile)[name] != digests[name]
    ]  # fmt: skip
