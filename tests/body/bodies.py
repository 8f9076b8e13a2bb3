"""The free body, loaded once for all tests that need one."""

import functools

from lca_core.body import BodyModel, body_file


@functools.cache
def free_body() -> BodyModel:
    """The free body whatever LCA_BODY names."""
    return BodyModel.load(body_file())


@functools.cache
def full_body() -> BodyModel:
    """The free body with every part of its mesh: hair, skirt, lashes."""
    return BodyModel.load(body_file("full"))
