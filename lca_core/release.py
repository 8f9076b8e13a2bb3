"""Where the weights that come with the repository are."""

from lca_core.paths import CHECKPOINTS

RELEASE = CHECKPOINTS / "release.safetensors"
TEMPLATE = CHECKPOINTS / "template.safetensors"

# Optional decoders, each trained alone with the release left as it is, and what hanging cloth is measured against.
FACE = CHECKPOINTS / "face.safetensors"
LIGHT = CHECKPOINTS / "light.safetensors"
HANGING = CHECKPOINTS / "hanging.safetensors"
CLOTH = CHECKPOINTS / "cloth.safetensors"
LOOSE_WITHOUT = CHECKPOINTS / "loose_without.safetensors"
ADDITIONS = (FACE, LIGHT)  # what avatars gain by; corrected weights gain nothing, and hanging cloth blurs its prints
