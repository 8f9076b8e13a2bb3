"""Where the weights that come with the repository are."""

from lca_core.paths import CHECKPOINTS

RELEASE = CHECKPOINTS / "release.safetensors"
TEMPLATE = CHECKPOINTS / "template.safetensors"
