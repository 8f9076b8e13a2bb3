"""Where the weights that come with the repository are."""

from lca_core.paths import CHECKPOINTS

RELEASE = CHECKPOINTS / "release.safetensors"
TEMPLATE = CHECKPOINTS / "template.safetensors"

# Optional decoders, each trained alone with the release left as it is, and what loose cloth is measured against.
FACE = CHECKPOINTS / "face.safetensors"
LIGHT = CHECKPOINTS / "light.safetensors"
CLOTH = CHECKPOINTS / "cloth.safetensors"
LOOSE_WITHOUT = CHECKPOINTS / "loose_without.safetensors"
ADDITIONS = (FACE, LIGHT)  # what avatars gain by; loose cloth gains nothing yet (records s3/...)
