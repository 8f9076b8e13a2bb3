"""Whom batches are drawn from: examples in memory, or streamed from shards, or several of these in equal shares.

Nothing here is random. What is drawn next is known in advance (`draw_batch` draws from one generator), so that people
are loaded in the background while the step before is computed, and what is in memory never changes what is drawn.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from lca_core.body import BodyModel
from lca_core.data.scaling import at_sizes
from lca_core.data.streaming import Entry, read_entry
from lca_core.model import ImageEncoder
from lca_core.profiles import Profile
from lca_core.training.examples import Example, example

MEMORY = 1 << 29  # bytes of examples kept by a streamed data set: 270 people at laptop, 55 at gpu


class Presence(NamedTuple):
    """Which pictures there are of a person's F frames: all that processes ask of each other's people."""

    has_body: Bool[Tensor, " F"]
    has_face: Bool[Tensor, " F"]
    has_hand: Bool[Tensor, "F 2"]


class Identity(NamedTuple):
    """Who somebody is, by content: digest: 16 characters; shard: the file they come from, "" if from none."""

    id: str
    digest: str
    shard: str = ""


class Dataset(Sequence[Example]):
    """People by number. What a data set has to tell beside them can be told without loading them."""

    @property
    def groups(self) -> tuple[int, ...]:
        """How many people, in order, belong to each group; a batch takes as many from each."""
        return (len(self),)

    def presence(self, number: int) -> Presence | Example:
        """Which pictures there are of a person."""
        return self[number]

    def expect(self, numbers: Sequence[int]) -> None:
        """Begin to load the people who are asked for next."""

    def identities(self) -> list[Identity]:
        """Of everybody in order, to be compared when a run goes on."""
        raise NotImplementedError


class InMemory(Dataset):
    """Examples that are all there."""

    def __init__(self, people: Sequence[Example]):
        self._people = people

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, number: int) -> Example:
        return self._people[number]

    def identities(self) -> list[Identity]:
        return [Identity(person.id, _digest(person)) for person in self._people]


class Streamed(Dataset):
    """Examples of people in shards, loaded when they are asked for; the last used stay, up to so many bytes of them.
    Larger pictures are scaled down to the profile's.

    One thread in the background loads whom `expect` names, and everybody else, so that an example is the same whenever
    it is loaded. To be used from one thread.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        encoder: ImageEncoder,
        profile: Profile,
        body: BodyModel | None = None,
        memory: int = MEMORY,
    ):
        self.entries, self._encoder, self._profile, self._memory = tuple(entries), encoder, profile, memory
        self._body = body or BodyModel.load()
        self._kept: OrderedDict[int, Example] = OrderedDict()
        self._coming: dict[int, Future[Example]] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, number: int) -> Example:
        number = range(len(self.entries))[number]  # IndexError, and numbers from the end
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        coming = self._coming.pop(number, None) or self._loader.submit(self._load, number)
        self._kept[number] = found = coming.result()
        while self.bytes_kept > self._memory and len(self._kept) > 1:
            self._kept.popitem(last=False)
        return found

    @property
    def bytes_kept(self) -> int:
        """What the examples in memory take."""
        return sum(person.nbytes for person in self._kept.values())

    def presence(self, number: int) -> Presence:
        entry = self.entries[number]
        has_face = torch.tensor(entry.has_face)
        return Presence(torch.ones_like(has_face), has_face, torch.tensor(entry.has_hand))

    def expect(self, numbers: Sequence[int]) -> None:
        for number in [n for n in self._coming if n not in numbers]:
            self._coming.pop(number).cancel()
        for number in numbers:
            if number not in self._kept and number not in self._coming:
                self._coming[number] = self._loader.submit(self._load, number)

    def identities(self) -> list[Identity]:
        return [Identity(entry.id, entry.digest, entry.shard.name) for entry in self.entries]

    @cached_property
    def _loader(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "examples")

    def _load(self, number: int) -> Example:
        person = at_sizes(read_entry(self.entries[number]), self._profile)
        return example(person, self._encoder, self._profile, self._body)


class Mixed(Dataset):
    """Several data sets, of each of which a batch takes the same share."""

    def __init__(self, parts: Sequence[Dataset]):
        self._parts = parts
        self._places = [(part, i) for part in parts for i in range(len(part))]

    @property
    def groups(self) -> tuple[int, ...]:
        return tuple(len(part) for part in self._parts)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> Example:
        part, own = self._places[number]
        return part[own]

    def presence(self, number: int) -> Presence | Example:
        part, own = self._places[number]
        return part.presence(own)

    def expect(self, numbers: Sequence[int]) -> None:
        for part in self._parts:
            part.expect([own for whose, own in (self._places[n] for n in numbers) if whose is part])

    def identities(self) -> list[Identity]:
        return [identity for part in self._parts for identity in part.identities()]


def dataset_of(people: Sequence[Example]) -> Dataset:
    """Any sequence of examples as a data set."""
    return people if isinstance(people, Dataset) else InMemory(people)


def _digest(person: Example) -> str:
    digest = hashlib.sha256()
    for field in fields(person):
        value = getattr(person, field.name)
        plain = isinstance(value, str | int)
        digest.update(str(value).encode() if plain else np.asarray(value).tobytes())
    return digest.hexdigest()[:16]
