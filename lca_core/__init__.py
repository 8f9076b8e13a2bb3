"""Large-scale Codec Avatars (arXiv 2604.02320), as a thin library behind ordered notebooks."""

from pathlib import Path

from lca_core.compiled import keep_kernels, let_others_in

__version__ = "0.1.0"

let_others_in()
keep_kernels(Path(__file__).parent / "splats")
