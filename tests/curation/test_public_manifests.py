"""Manifests of public sets: whole, honest about what was not verified, and the table says what they say."""

import importlib
import json
import re

import pytest

from lca_core.curation.neuman import LICENCE as NEUMAN
from lca_core.curation.public_sets import FIELDS, read_manifests, readme
from lca_core.curation.xhumans import LICENCE as XHUMANS
from lca_core.errors import InputError
from lca_core.paths import REPOSITORY

FOLDER = REPOSITORY / "data_manifests" / "public"
SETS = ("actorshq", "ava-256", "dna-rendering", "goliath-4", "huge100k", "mvhumannet", "neuman", "people-snapshot",
        "x-humans")  # fmt: skip


@pytest.fixture(scope="module")
def manifests() -> dict[str, dict]:
    return read_manifests(FOLDER)


def test_all_nine_sets_are_there(manifests):
    assert tuple(manifests) == SETS


def test_the_page_is_the_one_made_from_the_manifests(manifests):
    page = (FOLDER / "README.md").read_text()
    assert page == readme(manifests), "run `python -m lca_core.curation.public_sets data_manifests/public`"
    for stem, manifest in manifests.items():
        (row,) = re.findall(rf"^\| \[{re.escape(manifest['name'])}\]\({stem}\.json\) \|.*$", page, re.M)
        assert row.count(" | ") == 5, "a bar in a field would break the table"


@pytest.mark.parametrize("stem", SETS)
def test_a_manifest_says_how_to_get_the_set_and_what_was_not_verified(manifests, stem):
    manifest = manifests[stem]
    assert manifest["how_to_get"]["url"].startswith("https://") and manifest["licence"]["url"].startswith("https://")
    assert manifest["checked"]["verified"] and manifest["checked"]["not_verified"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", manifest["checked"]["date"])
    assert all(set(entry) == {"path", "note"} for entry in manifest["expected_tree"])


def test_readers_are_there_and_repeat_the_licence(manifests):
    readers = {stem: m["reader"] for stem, m in manifests.items() if m["reader"]}
    assert set(readers) == {"neuman", "x-humans"}
    for path in readers.values():
        module, function = path.rsplit(".", 1)
        assert callable(getattr(importlib.import_module(module), function))
    assert manifests["neuman"]["licence"]["short"] == NEUMAN
    assert manifests["x-humans"]["licence"]["short"] == XHUMANS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people": None}, "a.json: people must be a str"),
        ({"more": 1}, "a.json: missing or unknown: more"),
        ({"licence": {"short": "free"}}, "a.json: licence must say short, terms"),
    ],
)
def test_a_manifest_that_is_not_whole_is_named(manifests, tmp_path, change, message):
    (tmp_path / "a.json").write_text(json.dumps(manifests["neuman"] | change))
    with pytest.raises(InputError, match=message):
        read_manifests(tmp_path)
    assert set(manifests["neuman"]) == set(FIELDS)


def test_no_manifests_and_no_json_are_named(tmp_path):
    with pytest.raises(InputError, match="no manifests"):
        read_manifests(tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match="a.json: not JSON"):
        read_manifests(tmp_path)
