"""The one table of optional decoders, by the names that profiles and files call them."""

from lca_core.model.part import Part

PARTS: dict[str, type[Part]] = {}
