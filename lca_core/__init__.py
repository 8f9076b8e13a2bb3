"""Large-scale Codec Avatars (arXiv 2604.02320), as a thin library behind ordered notebooks."""

__version__ = "0.1.0"
