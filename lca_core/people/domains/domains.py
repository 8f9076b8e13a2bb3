"""The domains a digital human is recorded in, and the one function that records it."""

import gc
from collections.abc import Callable
from functools import partial

import numpy as np

from lca_core.data.records import Person, split_of
from lca_core.errors import InputError
from lca_core.people.domains import loose, phone, relit, studio, stylised, wild
from lca_core.people.domains.recording import Actor, Recorded
from lca_core.people.who.spec import PersonSpec, sample_person
from lca_core.profiles import Profile
from lca_core.profiles import profile as profile_named

Record = Callable[[Actor, Profile, np.random.Generator, bool], Recorded]

# studio: many cameras all round a few poses, even light, plain grey behind, every parameter exact; wild: one hand-held
# camera and one clip, any light, clutter, parameters with a tracker's errors; garment: loose clothes in motion, their
# cloth simulated; relit: one moment under many lights; stylised: test people as drawings and sculptures; wild2: the
# second clip of wild people; phone: large square photographs, nothing told; garment_wild: the people and clothes of
# garment, filmed as in the wild; relit_held_out: under lights that nothing is trained under.
_RECORDERS: dict[str, Record] = {
    "studio": studio.record,
    "wild": wild.record,
    "garment": loose.record,
    "relit": relit.record,
    "stylised": stylised.record,
    "wild2": partial(wild.record, second=True),
    "phone": phone.record,
    "garment_wild": wild.record,
    "relit_held_out": relit.record_held_out,
}
DOMAINS = tuple(_RECORDERS)
JUDGING = ("wild2", "phone", "relit_held_out")  # of people who nothing is trained on


def render_person(seed: int, domain: str, profile: Profile | str, truth: bool = False) -> Person:
    """Everything recorded of the digital human `seed` in `domain` (one of DOMAINS) at a profile's sizes.

    truth: also depth, normals and parts of every picture, and the light of every frame. The same arguments give the
    same person and pixels; all domains show the same person, in other clothes for "garment" and "garment_wild".
    InputError for a domain there is not, and for people whom a domain does not admit (`cast`).
    """
    profile = profile_named(profile) if isinstance(profile, str) else profile
    if domain not in DOMAINS:
        raise InputError(f"no domain is called {domain!r}; choose one of {', '.join(DOMAINS)}")
    spec, generator = cast(seed, domain), stream(seed, domain)
    frames, meta, betas = _RECORDERS[domain](Actor(spec), profile, generator, truth)
    betas = spec.betas.astype(np.float32) if betas is None else betas
    meta |= {"looks": spec.meta(), "actions": "truth", "profile": profile.name, "licence": "CC0-1.0"}
    gc.collect()  # frees the scene, so that the next one finds its compiled kernels again
    return Person(f"{domain}-{seed:06d}", domain, seed, betas, tuple(frames), meta)


def stream(seed: int, domain: str) -> np.random.Generator:
    """The random numbers that a person's record in a domain is drawn from."""
    return np.random.default_rng([seed, DOMAINS.index(domain)])


def cast(seed: int, domain: str) -> PersonSpec:
    """The person of this seed as `domain` shows it: in loose clothes for "garment" and "garment_wild".

    InputError for anybody but test people in "stylised", and for training people in a domain of `JUDGING`.
    """
    if domain == "stylised":
        stylised.admit(seed)
    if domain in JUDGING and split_of(seed) == "train":
        raise InputError(f"person {seed} is a training person: {domain} is for seeds 9000-9999 (validation) and "
                         "10000-10999 (test)")  # fmt: skip
    spec = sample_person(seed)
    return loose.dressed(spec) if domain in ("garment", "garment_wild") else spec
