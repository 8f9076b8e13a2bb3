"""Croissant manifests: what a folder of shards holds, in a form other tools read (mlcommons.org/croissant)."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from lca_core.data.records import split_of
from lca_core.data.shards import shard_paths
from lca_core.errors import InputError
from lca_core.paths import atomic_path

_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "samplingRate": "cr:samplingRate", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform",
}  # fmt: skip


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
        "license": "https://creativecommons.org/publicdomain/zero/1.0/", "version": "1.0.0",
        "url": "https://arxiv.org/abs/2604.02320", "datePublished": "2026-11-22",
        "citeAs": "lca_core: an open implementation of Large-scale Codec Avatars (arXiv 2604.02320).",
        "keywords": [f"seeds {min(seeds)}-{max(seeds)}", *splits],
    }  # fmt: skip
    fields = [
        person_field("id", "sc:Text", "domain and seed"),
        person_field("domain", "sc:Text", "studio, wild, garment, relit or stylised"),
        person_field("seed", "sc:Integer", "the digital human's seed"),
    ]
    return people_document(f"lca-{domain}-{profile}-{'-'.join(splits)}", about, files, fields)


def people_document(name: str, about: dict, files: Sequence[dict], fields: Sequence[dict]) -> dict:
    """The Croissant document of shards of people.

    about: description, licence and the like, under the format's names; those of its extension for responsible AI begin
    with "rai:". files: of `file_object`; fields: of `person_field`, read from each person.json.
    """
    responsible = any(key.startswith("rai:") for key in about)
    conforms = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
    members = {
        "@type": "cr:FileSet", "@id": "persons", "name": "persons",
        "containedIn": [{"@id": file["@id"]} for file in files], "encodingFormat": "application/json",
        "includes": "*.person.json",
    }  # fmt: skip
    return {
        "@context": _CONTEXT | ({"rai": "http://mlcommons.org/croissant/RAI/"} if responsible else {}),
        "@type": "sc:Dataset", "name": name, "conformsTo": conforms if responsible else conforms[0], **about,
        "distribution": [*files, members],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "person", "name": "person", "field": list(fields)}],
    }  # fmt: skip


def person_field(name: str, kind: str, text: str, path: str = "") -> dict:
    """A field of a person. kind: e.g. "sc:Text"; text: what it is; path: where in person.json, its name by default."""
    return {
        "@type": "cr:Field", "@id": f"person/{name}", "name": name, "dataType": kind, "description": text,
        "source": {"fileSet": {"@id": "persons"}, "extract": {"jsonPath": f"$.{path or name}"}},
    }  # fmt: skip


def file_object(path: Path, folder: Path) -> dict:
    """A shard with its size and sha256; folder: where the manifest lies."""
    url = path.relative_to(folder).as_posix()
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject", "@id": path.name, "name": path.name, "contentUrl": url,
        "encodingFormat": "application/x-tar", "contentSize": f"{path.stat().st_size} B", "sha256": digest,
    }  # fmt: skip


def _shards(folder: Path | str, domain: str) -> list[dict]:
    files = [file_object(path, path.parent) for path in shard_paths(folder) if path.name.startswith(f"{domain}-")]
    if not files:
        raise InputError(f"{folder} has no shards of domain {domain!r}; make some with `python -m lca_core people`")
    return files


def write_manifest(folder: Path | str, domain: str, seeds: Sequence[int], profile: str) -> Path:
    """Write `<domain>-croissant.json` beside the shards, atomically."""
    path = Path(folder) / f"{domain}-croissant.json"
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(manifest(folder, domain, seeds, profile), indent=1) + "\n")
    return path
