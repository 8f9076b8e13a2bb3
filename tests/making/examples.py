"""An avatar small enough to be made in a moment, as the making room makes it."""

from dataclasses import replace
from functools import cache

import torch

from lca_core.making.photos import encode_person
from lca_core.model import LCA, Avatar, Pixels, rows_length
from tests.body.bodies import free_body
from tests.data.people import random_person
from tests.model.models import TINY


@cache
def small_model() -> LCA:
    """Random weights; reads pictures as large as a random person's."""
    torch.manual_seed(0)
    return LCA(replace(TINY, body_px=28), rows_length(Pixels()), free_body()).eval()


@cache
def small_avatar() -> Avatar:
    """Of a random person, 64 Gaussians."""
    person = random_person(7, "wild")
    return encode_person(small_model(), Pixels(), person, person.frames, {"photos": ["me.png"]})
