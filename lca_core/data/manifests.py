"""Croissant manifests: what a folder of shards holds, in a form other tools read (mlcommons.org/croissant).

Written by mlcroissant, which is imported when a manifest is made: it takes seconds.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from lca_core.data.records import split_of
from lca_core.data.shards import shard_paths
from lca_core.errors import InputError
from lca_core.paths import atomic_path

_CROISSANT, _RESPONSIBLE = "http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"


class Field(NamedTuple):
    """A field of a person. kind: "Text" or "Integer", of schema.org; text: what it is; path: where it is in
    person.json, by default its name."""

    name: str
    kind: str
    text: str
    path: str = ""


class ShardFile(NamedTuple):
    """A shard as a manifest lists it; url: its place relative to the manifest."""

    name: str
    url: str
    size: int
    sha256: str


def manifest(folder: Path | str | None, domain: str, seeds: Sequence[int], profile: str) -> dict:
    """The Croissant document of a set of digital humans; sha256 of every shard are in it.

    folder: where the shards are, or None for a set that is described, to be made by the command in its description.
    """
    files = _shards(folder, domain) if folder is not None else []
    splits = sorted({split_of(seed) for seed in seeds})
    how = f"python -m lca_core people --domain {domain} --profile {profile} --first {min(seeds)} --count {len(seeds)}"
    about = {
        "description": f"{len(seeds)} digital humans made by lca_core, domain {domain}, profile {profile}: pictures, "
        "mattes, crops of faces and hands, cameras, body parameters, facial actions and, unless made with --no-truth, "
        f"depth, normals, parts and lights. Nobody in it is real. Made by `{how} --out DIR`.",
        "license": ["https://creativecommons.org/publicdomain/zero/1.0/"], "version": "1.0.0",
        "url": "https://arxiv.org/abs/2604.02320", "date_published": datetime(2026, 11, 22),
        "cite_as": "lca_core: an open implementation of Large-scale Codec Avatars (arXiv 2604.02320).",
        "keywords": [f"seeds {min(seeds)}-{max(seeds)}", *splits],
    }  # fmt: skip
    fields = [
        Field("id", "Text", "domain and seed"),
        Field("domain", "Text", "how they were recorded: studio, wild ..."),
        Field("seed", "Integer", "the digital human's seed"),
    ]
    return people_document(f"lca-{domain}-{profile}-{'-'.join(splits)}", about, files, fields)


def people_document(name: str, about: dict, files: Sequence[ShardFile], fields: Sequence[Field]) -> dict:
    """The Croissant document of shards of people, as JSON.

    about: description, licence and the like, under the names of `mlcroissant.Metadata`, also those of Croissant's
    extension for responsible AI (data_biases ...). fields: read from each person.json.
    """
    import mlcroissant as mlc

    responsible = any(key.startswith(("data_", "machine_", "personal_")) for key in about)
    shards = [
        mlc.FileObject(
            id=file.name, name=file.name, content_url=file.url, content_size=f"{file.size} B",
            encoding_formats=["application/x-tar"], sha256=file.sha256,
        )
        for file in files
    ]  # fmt: skip
    persons = mlc.FileSet(
        id="persons", name="persons", contained_in=[shard.id for shard in shards],
        encoding_formats=["application/json"], includes=["*.person.json"],
    )  # fmt: skip
    columns = [
        mlc.Field(
            id=f"person/{field.name}", name=field.name, description=field.text,
            data_types=[f"https://schema.org/{field.kind}"],
            source=mlc.Source(file_set="persons", extract=mlc.Extract(json_path=f"$.{field.path or field.name}")),
        )
        for field in fields
    ]  # fmt: skip
    people = mlc.RecordSet(id="person", name="person", fields=columns)
    conforms = [_CROISSANT, _RESPONSIBLE] if responsible else [_CROISSANT]
    metadata = mlc.Metadata(
        name=name, conforms_to=conforms, distribution=[*shards, persons], record_sets=[people], **about
    )
    return metadata.to_json()


def shard_file(path: Path, folder: Path) -> ShardFile:
    """A shard with its size and sha256; folder: where the manifest lies."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ShardFile(path.name, path.relative_to(folder).as_posix(), path.stat().st_size, digest)


def _shards(folder: Path | str, domain: str) -> list[ShardFile]:
    files = [shard_file(path, path.parent) for path in shard_paths(folder) if path.name.startswith(f"{domain}-")]
    if not files:
        raise InputError(f"{folder} has no shards of domain {domain!r}; make some with `python -m lca_core people`")
    return files


def write_manifest(folder: Path | str, domain: str, seeds: Sequence[int], profile: str) -> Path:
    """Write `<domain>-croissant.json` beside the shards, atomically."""
    path = Path(folder) / f"{domain}-croissant.json"
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(manifest(folder, domain, seeds, profile), indent=1) + "\n")
    return path
