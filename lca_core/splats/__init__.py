"""Gaussian splatting: the Gaussians type, posing, drawing on any machine, and the files of others."""

from lca_core.splats.draw import SHARP_EPS2D, draw, draw_each
from lca_core.splats.formats.ply import read_ply, turn_over, write_ply
from lca_core.splats.gaussians import Gaussians
from lca_core.splats.rasterize import rasterize
from lca_core.splats.skinning import skin

__all__ = ["SHARP_EPS2D", "Gaussians", "draw", "draw_each", "rasterize", "read_ply", "skin", "turn_over", "write_ply"]
