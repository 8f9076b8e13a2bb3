"""Somebody ships with the repository, and the command puts them into a browser."""

import json
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from lca_core.data import read_people
from lca_core.data.records import split_of
from lca_core.errors import InputError
from lca_core.making.demo import PERSON, demo_avatar
from lca_core.model import Avatar
from tests.making.examples import small_avatar


def test_whoever_ships_was_not_trained_on():
    (person,) = read_people(PERSON)
    assert split_of(person.seed) != "train" and len(person.frames) == 4
    assert PERSON.stat().st_size < 300_000


def test_the_avatar_is_made_of_the_photographs_and_says_what_is_done():
    said = []
    avatar = demo_avatar(refine_steps=2, tell=said.append)
    assert isinstance(avatar, Avatar) and "009005" in avatar.meta["id"]
    assert len(said) == 2 and "4 photographs" in said[0]
    with pytest.raises(InputError, match="none.safetensors"):
        demo_avatar("none.safetensors", tell=said.append)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_an_address_at_which_the_avatar_is_and_ends_quietly(tmp_path, ending):
    small_avatar().save(tmp_path / "me.safetensors")
    command = [sys.executable, "-m", "lca_core", "demo", "--avatar", tmp_path / "me.safetensors", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            address = running.stdout.readline().split()[0]
            with urllib.request.urlopen(address, timeout=60) as answer:
                text = answer.read().decode()
        finally:
            running.send_signal(ending)
            try:
                err = running.communicate(timeout=300)[1]
            except subprocess.TimeoutExpired:  # else leaving the block would wait for ever
                running.kill()
                raise
    assert address.startswith("http://127.0.0.1:") and running.returncode == 0, err
    header = json.loads(re.search(r'id="header">(.*?)</script>', text, re.DOTALL)[1])
    assert header["count"] == len(small_avatar()) and "Traceback" not in err
