"""The model: encoders, tokens, transformer, decoders, LCA, Avatar."""

from lca_core.model.alignment import Placement
from lca_core.model.avatar import Avatar
from lca_core.model.encoders import ImageEncoder, Pixels, encoder_named, encoder_of
from lca_core.model.lca import LCA, Inputs
from lca_core.model.recorded import driving_of, recorded_head, target_driving
from lca_core.model.refinement import refine
from lca_core.model.tokens import patch_rows, person_inputs, rows_length

__all__ = [
    "LCA", "Avatar", "ImageEncoder", "Inputs", "Pixels", "Placement", "driving_of", "encoder_named",
    "encoder_of", "patch_rows", "person_inputs", "recorded_head", "refine", "rows_length", "target_driving",
]  # fmt: skip
